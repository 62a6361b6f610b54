"""Limit of the memory for all request bodies of one worker.

The limits of single bodies do not limit their sum: a few hundred callers with a valid token could each send 8 MiB at
the same time. Bytes are counted when they arrive, so a client that declares a large body and sends nothing uses no
memory.
"""

from __future__ import annotations

from collections.abc import Callable

from frontdesk.errors import Overloaded

RETRY_S = 1.0
"""Seconds after which a refused client may retry."""


class BodyMemoryBudget:
    """Counter of the body bytes that one worker buffers; `on_refusal` is called for each refused request."""

    def __init__(self, limit_bytes: int, on_refusal: Callable[[], None]) -> None:
        self.used_bytes = 0
        self._limit_bytes = limit_bytes
        self._on_refusal = on_refusal

    def reservation(self) -> BodyReservation:
        """Return an empty reservation for one request."""
        return BodyReservation(self)

    def check_room(self, size: int) -> None:
        """Refuse a body that does not fit into the remaining memory.

        Raises:
            Overloaded: `size` more bytes would exceed the limit.
        """
        if self.used_bytes + size > self._limit_bytes:
            self._on_refusal()
            raise Overloaded(
                "Too many request bodies are being received.", retry_after_s=RETRY_S, hint="Try again later."
            )


class BodyReservation:
    """The memory of one request's body. Its creator must call `release` when the request ends."""

    __slots__ = ("_memory", "_size")

    def __init__(self, memory: BodyMemoryBudget) -> None:
        self._memory = memory
        self._size = 0

    def check_declared(self, size: int) -> None:
        """Refuse a body by its declared size; nothing is reserved.

        Raises:
            Overloaded: `size` more bytes would exceed the limit.
        """
        self._memory.check_room(size)

    def grow(self, size: int) -> None:
        """Reserve `size` more bytes.

        Raises:
            Overloaded: they would exceed the limit; nothing more is reserved.
        """
        self._memory.check_room(size)
        self._memory.used_bytes += size
        self._size += size

    def release(self) -> None:
        """Release the reserved memory. May be called more than once."""
        self._memory.used_bytes -= self._size
        self._size = 0
