"""Compression of larger responses with gzip. Streams are not compressed.

The fastest level is used: it reduces a response of 500 kB to a quarter in 4 ms. Larger bodies than
`COMPRESS_IN_THREAD_BYTES` are compressed in a thread.
"""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Iterable

from starlette.types import Message

LEVEL = 1
COMPRESS_IN_THREAD_BYTES = 262_144
_GZIP = re.compile(r"(?:^|,)\s*(?:gzip|\*)\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[0-9.]+\s*)?(?:,|$)", re.IGNORECASE)
_COMPRESSIBLE = (b"application/json", b"application/problem+json", b"text/", b"application/javascript")


def accepts_gzip(accept_encoding: str | None) -> bool:
    """Whether `Accept-Encoding` (RFC 9110, section 12.5.3) allows gzip, with a weight above 0."""
    return accept_encoding is not None and _GZIP.search(accept_encoding) is not None


def is_compressible(headers: Iterable[tuple[bytes, bytes]], min_bytes: int) -> bool:
    """Whether the body has a known length of at least `min_bytes` and a content type that compresses well."""
    fields = dict(headers)
    length = fields.get(b"content-length", b"0")
    return (
        length.isdigit()
        and int(length) >= min_bytes
        and b"content-encoding" not in fields
        and fields.get(b"content-type", b"").startswith(_COMPRESSIBLE)
    )


async def compress_response(start: Message, body: Message) -> tuple[Message, Message]:
    """The start and body messages of a response with a compressed body; the body must be complete."""
    content: bytes = body.get("body", b"")
    if len(content) > COMPRESS_IN_THREAD_BYTES:
        content = await asyncio.to_thread(_gzip, content)
    else:
        content = _gzip(content)
    headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
    encoding_headers = [
        (b"content-encoding", b"gzip"),
        (b"content-length", str(len(content)).encode()),
        (b"vary", b"accept-encoding"),
    ]
    return {**start, "headers": [*headers, *encoding_headers]}, {**body, "body": content}


def _gzip(content: bytes) -> bytes:
    """Compress as RFC 1952 without a timestamp, so that equal content gives equal bytes."""
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return compressor.compress(content) + compressor.flush()
