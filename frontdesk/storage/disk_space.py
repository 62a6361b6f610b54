"""Admission check for free disk space: refuse new work while the disk is nearly full, so that accepted work fits.

Checks the file systems of some folders at most once a second; a check costs a few microseconds.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from frontdesk.errors import StorageUnavailable

CHECK_EVERY_S = 1.0


class DiskSpace:
    """Free space of the file systems that the record is written to.

    Args:
        folders: each must have enough free space; one that cannot be checked counts as full.
        min_free_bytes: below it new work is refused; 0 never refuses.
        observe: called after each check with the free bytes of the fullest file system.
    """

    def __init__(
        self, folders: Sequence[Path], min_free_bytes: int, observe: Callable[[int], None] = lambda _: None
    ) -> None:
        self._folders = tuple(folders)
        self._min = min_free_bytes
        self._observe = observe
        self._free = 0
        self._next_check = 0.0

    @property
    def free_bytes(self) -> int:
        """Bytes that unprivileged users can write on the fullest of the file systems; at most a second old."""
        now = time.monotonic()
        if now >= self._next_check:
            self._next_check = now + CHECK_EVERY_S
            self._free = min(map(_free, self._folders))
            self._observe(self._free)
        return self._free

    @property
    def is_low(self) -> bool:
        return self.free_bytes < self._min

    def check(self) -> None:
        """Raise `StorageUnavailable` if new work must be refused."""
        if self.is_low:
            raise StorageUnavailable("The disk is nearly full, so nothing new is accepted.", hint="Try again later.")


def _free(folder: Path) -> int:
    try:
        status = os.statvfs(folder)
    except OSError:
        return 0
    return status.f_bavail * status.f_frsize
