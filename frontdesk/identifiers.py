"""UUID version 7: random identifiers that sort by creation time (RFC 9562, section 5.7)."""

from __future__ import annotations

import time
import uuid

from frontdesk.randomness import RandomBytesPool

_RANDOM = RandomBytesPool(10)


def uuid7() -> str:
    """Return a new UUIDv7 of 36 characters: 48 bits of milliseconds since 1970 and 74 random bits."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(_RANDOM.next_bytes(), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))
