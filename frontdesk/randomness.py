"""Random bytes of the operating system, drawn in blocks: a nonce or an identifier costs no system call of its own.

`os.urandom` gives up the interpreter's lock; beside a busy thread each call then waits to get it back: 24 us, not 1.
"""

from __future__ import annotations

import os
from collections import deque

_PIECES_PER_BLOCK = 256


class RandomBytesPool:
    """Pieces of `size` random bytes, none handed out twice, whichever thread asks; a forked child draws its own."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._pieces: deque[bytes] = deque()
        os.register_at_fork(after_in_child=self._pieces.clear)

    def next_bytes(self) -> bytes:
        """The next piece."""
        try:
            return self._pieces.pop()
        except IndexError:
            block = os.urandom(self._size * _PIECES_PER_BLOCK)
            first, *others = (block[start : start + self._size] for start in range(0, len(block), self._size))
            self._pieces.extend(others)
            return first
