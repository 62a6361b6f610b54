"""Receives a call's messages once its headers have been admitted, within limits of time, memory and size.

gRPC core keeps at most `WINDOW_BYTES` of a stream that nobody reads. While a read is pending, core accepts a message of
up to its own limit, which is one for all methods. So the number of pending reads is what bounds memory.
"""

from __future__ import annotations

import asyncio
import zlib
from typing import Any, cast

import grpc
from grpc.aio import ServicerContext

from bentos.gateway.door import BUSY_S
from bentos.grpc.slots import Slot, Slots
from frontdesk.config import ServerSettings
from frontdesk.errors import DeadlineExceeded, InvalidQuery, Overloaded, TooLarge

Context = ServicerContext[bytes, bytes]

WINDOW_BYTES = 16_384
"""Bytes that core accepts of a stream before anybody reads it; a longer message costs one more round trip."""
PENDING_BYTES = 33_554_432
"""Memory for messages of callers without a token that have not arrived in full; once more for those with a token."""
SLOW_S = 0.25
"""A read with a token that takes longer than this counts against the limit of slow reads."""
LEAST_READS = 4
CANCELLATION_S = 0.02
"""Time for core to report that a stream without a message was cancelled."""
_EOF = cast(Any, grpc.aio).EOF  # the stubs leave it out
_ZLIB_OR_GZIP = 47
_COMPRESSED = (b"\x1f", b"\x78")
"""First bytes of gzip (RFC 1952) and zlib (RFC 1950). No message of our schemas begins with either: the first is no
valid tag, the second is the number 15 as a field of a type that no first field has."""


def core_message_bytes(settings: ServerSettings) -> int:
    """Limit of core's own, above every method's: what lies between the two is refused by us, with details."""
    return settings.max_batch_body_bytes + settings.max_batch_body_bytes // 2


class Receiver:
    """Reads messages, and ends reads that take too long or too much memory together."""

    def __init__(self, settings: ServerSettings) -> None:
        reads = max(LEAST_READS, PENDING_BYTES // core_message_bytes(settings))
        self._open = Slots(reads)
        self._admitted = Slots(reads, patience_s=SLOW_S)
        self._closed = False

    def close(self) -> None:
        """End all pending reads: their calls have done nothing yet."""
        self._closed = True
        self._open.end_all()
        self._admitted.end_all()

    async def receive(self, context: Context, peer: str, wait_s: float, most_bytes: int, *, admitted: bool) -> bytes:
        """The next message, decompressed. `admitted` says whether the caller has shown a token.

        Raises:
            DeadlineExceeded: the message did not arrive within `wait_s`.
            InvalidQuery: the call ended without a complete message.
            Overloaded: too many messages are arriving, and this one was the slowest.
            TooLarge: the message has more than `most_bytes`, compressed or not.
        """
        if (raw := await self.next(context, peer, wait_s, most_bytes, admitted=admitted)) is not None:
            return raw
        await asyncio.sleep(CANCELLATION_S)
        raise InvalidQuery("The call ended without a complete message.")

    async def next(
        self, context: Context, peer: str, wait_s: float, most_bytes: int, *, admitted: bool
    ) -> bytes | None:
        """As `receive`, but None after the last message."""
        task = asyncio.current_task()
        assert task is not None
        ended: list[bool] = []

        def end(overdue: bool) -> None:
            ended.append(overdue)
            task.cancel()

        slots = self._admitted if admitted else self._open
        slot: Slot = slots.take(peer, wait_s, end)
        try:
            raw: Any = await context.read()
        except asyncio.CancelledError:
            if not ended:
                raise
            task.uncancel()
            raise self._ended(overdue=ended[0]) from None
        finally:
            slots.remove(slot)
        if raw is _EOF:
            return None
        if len(raw) > most_bytes:
            raise _too_large(most_bytes)
        return inflated(raw, most_bytes) if raw[:1] in _COMPRESSED else raw

    def _ended(self, *, overdue: bool) -> DeadlineExceeded | Overloaded:
        if overdue:
            return DeadlineExceeded("The deadline passed while the message was arriving.")
        what = "The server is stopping." if self._closed else "Too many messages are arriving."
        return Overloaded(what, retry_after_s=BUSY_S, hint="Try again later.")


def inflated(raw: bytes, most_bytes: int) -> bytes:
    """Decompressed gzip or zlib data of at most `most_bytes`; other or damaged data is returned as it is.

    Core is told not to decompress, because it knows only its own limit, which is one for all methods.
    """
    inflater = zlib.decompressobj(wbits=_ZLIB_OR_GZIP)
    try:
        content = inflater.decompress(raw, most_bytes + 1)
    except zlib.error:
        return raw
    if len(content) > most_bytes:
        raise _too_large(most_bytes)
    return content if inflater.eof else raw


def _too_large(most_bytes: int) -> TooLarge:
    return TooLarge(f"The message has more than {most_bytes} bytes.", hint="Send less at once.")
