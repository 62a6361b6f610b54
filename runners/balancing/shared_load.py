"""The load of each worker of a server, in a small file that all workers map into memory.

A worker writes its own load when it changes and reads the loads of the others, without system calls or locks. A load is
one aligned machine word, so it is never partly written. A value may be some microseconds old, and the value of a dead
worker does not change, so a reader must expect that a worker does not respond.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

_SLOT = struct.Struct("=q")
NAME = "load"


class LoadBoard:
    """The loads of all `workers` of a server, in a file in `folder`, for the worker with this `index` (from 0).

    The first worker creates the file. Earlier content is irrelevant, because each worker begins with 0.
    """

    def __init__(self, folder: Path, index: int, workers: int) -> None:
        self.folder = folder
        self.index = index
        self._workers = workers
        with (folder / NAME).open("a+b") as file:
            file.truncate(workers * _SLOT.size)
            self._slots = mmap.mmap(file.fileno(), workers * _SLOT.size)
        self.publish(0)

    def publish(self, load: int) -> None:
        """Publish the number of texts that wait or run in this worker. Does nothing after `close`."""
        if not self._slots.closed:
            _SLOT.pack_into(self._slots, self.index * _SLOT.size, load)

    def loads_of_others(self) -> dict[int, int]:
        """Return the load of every other worker, by index."""
        loads = (_SLOT.unpack_from(self._slots, index * _SLOT.size)[0] for index in range(self._workers))
        return {index: load for index, load in enumerate(loads) if index != self.index}

    def count_busy_others(self) -> int:
        """Return the number of other workers in which texts wait or run."""
        return sum(load > 0 for load in self.loads_of_others().values())

    def close(self) -> None:
        self.publish(0)
        self._slots.close()
