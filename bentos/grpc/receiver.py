"""Reads the messages of admitted calls, within limits of time, memory and size.

gRPC core buffers at most `WINDOW_BYTES` of a stream that is not read. While a read is pending, core accepts a message
up to its own limit, which is the same for all methods. The limit of pending reads therefore bounds the memory.
"""

from __future__ import annotations

import asyncio
import zlib
from typing import Any, cast

import grpc
from grpc.aio import ServicerContext

from bentos.admission.defaults import BUSY_RETRY_S
from bentos.grpc.slots import WaitingCall, WaitingCalls
from frontdesk.config import ServerSettings
from frontdesk.errors import DeadlineExceeded, InvalidQuery, Overloaded, TooLarge

Context = ServicerContext[bytes, bytes]

WINDOW_BYTES = 16_384
"""Bytes of a stream that core accepts before it is read; a longer message takes one more round trip."""
PENDING_BYTES = 33_554_432
"""Memory for incomplete messages of callers without a token; the same amount is reserved for callers with a token."""
SLOW_S = 0.25
"""A read of a caller with a token counts towards the limit of pending reads after this time."""
MIN_READS = 4
CANCELLATION_S = 0.02
"""Time for core to report that a stream without a message was cancelled."""
_EOF = cast(Any, grpc.aio).EOF  # missing in the stubs
_ZLIB_OR_GZIP = 47
_COMPRESSED = (b"\x1f", b"\x78")
"""First bytes of gzip (RFC 1952) and zlib (RFC 1950). No message of our schemas begins with either: 0x1f is not a valid
tag, and 0x78 is the tag of field number 15 with a type that no first field has."""


def max_grpc_core_message_bytes(settings: ServerSettings) -> int:
    """Return core's limit of a message. It exceeds the limits of all methods, whose refusals have error details."""
    return settings.max_batch_body_bytes + settings.max_batch_body_bytes // 2


class RequestReceiver:
    """Reads messages. Ends reads that take too long, and the oldest reads when too many are pending."""

    def __init__(self, settings: ServerSettings) -> None:
        reads = max(MIN_READS, PENDING_BYTES // max_grpc_core_message_bytes(settings))
        self._anonymous_slots = WaitingCalls(reads)
        self._admitted_slots = WaitingCalls(reads, counted_after_s=SLOW_S)
        self._closed = False

    def close(self) -> None:
        """End all pending reads. Their calls have not been processed, so clients can retry them."""
        self._closed = True
        self._anonymous_slots.end_all()
        self._admitted_slots.end_all()

    async def receive(self, context: Context, peer: str, timeout_s: float, max_bytes: int, *, admitted: bool) -> bytes:
        """Return the next message, decompressed. `admitted` is True for callers with a valid token.

        Raises:
            DeadlineExceeded: the message did not arrive within `timeout_s`.
            InvalidQuery: the call ended without a complete message.
            Overloaded: too many reads are pending, and this is the oldest read of the peer with the most reads.
            TooLarge: the message has more than `max_bytes`, compressed or decompressed.
        """
        if (raw := await self.next(context, peer, timeout_s, max_bytes, admitted=admitted)) is not None:
            return raw
        await asyncio.sleep(CANCELLATION_S)
        raise InvalidQuery("The call ended without a complete message.")

    async def next(
        self, context: Context, peer: str, timeout_s: float, max_bytes: int, *, admitted: bool
    ) -> bytes | None:
        """As `receive`, but return None after the last message."""
        task = asyncio.current_task()
        assert task is not None
        overdue_flags: list[bool] = []

        def end(overdue: bool) -> None:
            overdue_flags.append(overdue)
            task.cancel()

        slots = self._admitted_slots if admitted else self._anonymous_slots
        slot: WaitingCall = slots.add(peer, timeout_s, end)
        try:
            raw: Any = await context.read()
        except asyncio.CancelledError:
            if not overdue_flags:
                raise
            task.uncancel()
            raise self._refusal(overdue=overdue_flags[0]) from None
        finally:
            slots.remove(slot)
        if raw is _EOF:
            return None
        if len(raw) > max_bytes:
            raise _too_large(max_bytes)
        return decompress_message(raw, max_bytes) if raw[:1] in _COMPRESSED else raw

    def _refusal(self, *, overdue: bool) -> DeadlineExceeded | Overloaded:
        if overdue:
            return DeadlineExceeded("The deadline passed while the message was arriving.")
        message = "The server is stopping." if self._closed else "Too many messages are arriving."
        return Overloaded(message, retry_after_s=BUSY_RETRY_S, hint="Try again later.")


def decompress_message(raw: bytes, max_bytes: int) -> bytes:
    """Decompress gzip or zlib data to at most `max_bytes`. Other or damaged data is returned unchanged.

    Core does not decompress, because its message limit is the same for all methods.

    Raises:
        TooLarge: the decompressed data have more than `max_bytes`.
    """
    inflater = zlib.decompressobj(wbits=_ZLIB_OR_GZIP)
    try:
        content = inflater.decompress(raw, max_bytes + 1)
    except zlib.error:
        return raw
    if len(content) > max_bytes:
        raise _too_large(max_bytes)
    return content if inflater.eof else raw


def _too_large(max_bytes: int) -> TooLarge:
    return TooLarge(f"The message has more than {max_bytes} bytes.", hint="Send less at once.")
