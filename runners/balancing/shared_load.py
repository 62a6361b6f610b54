"""How much waits in each worker of a server, for all of them to see: a small file that they map into memory.

A worker writes its own number whenever it changes and reads the others' when it decides: no system call, no lock. A
number is one aligned machine word, so it is never half written. It may be old by some microseconds, and that of a
worker that has died stands still: a reader must be ready to find nobody there.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

_SLOT = struct.Struct("=q")
NAME = "load"


class LoadBoard:
    """The board of `workers` workers in `folder`, seen by the one with `index`, from 0.

    The file is made by whoever comes first. What it held before does not matter: each worker begins with 0.
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
        """This worker has so many texts waiting or running. Ignored after `close`."""
        if not self._slots.closed:
            _SLOT.pack_into(self._slots, self.index * _SLOT.size, load)

    def loads_of_others(self) -> dict[int, int]:
        """The load of every other worker, by its index."""
        loads = (_SLOT.unpack_from(self._slots, index * _SLOT.size)[0] for index in range(self._workers))
        return {index: load for index, load in enumerate(loads) if index != self.index}

    def count_busy_others(self) -> int:
        """Number of other workers in which texts wait or run."""
        return sum(load > 0 for load in self.loads_of_others().values())

    def close(self) -> None:
        self.publish(0)
        self._slots.close()
