"""Refuse new work while the disk is nearly full, so that what was accepted still fits.

Looks at the file systems of some folders at most once a second; a look costs a few microseconds.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from frontdesk.errors import StorageUnavailable

LOOK_EVERY_S = 1.0


class DiskRoom:
    """Free space where the record is written.

    Args:
        folders: of which each must have room; one that cannot be looked at counts as full.
        min_free_bytes: below it new work is refused; 0 never refuses.
        observe: told the least free space of all folders, in bytes, after each look.
    """

    def __init__(
        self, folders: Sequence[Path], min_free_bytes: int, observe: Callable[[int], None] = lambda _: None
    ) -> None:
        self._folders = tuple(folders)
        self._min = min_free_bytes
        self._observe = observe
        self._free = 0
        self._look_at = 0.0

    @property
    def free_bytes(self) -> int:
        """For unprivileged users, of the folder that has the least; at most a second old."""
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + LOOK_EVERY_S
            self._free = min(map(_free, self._folders))
            self._observe(self._free)
        return self._free

    @property
    def is_low(self) -> bool:
        return self.free_bytes < self._min

    def check(self) -> None:
        """Raise `StorageUnavailable` where new work must be refused."""
        if self.is_low:
            raise StorageUnavailable("The disk is nearly full, so nothing new is accepted.", hint="Try again later.")


def _free(folder: Path) -> int:
    try:
        status = os.statvfs(folder)
    except OSError:
        return 0
    return status.f_bavail * status.f_frsize
