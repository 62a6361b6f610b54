"""A thread that runs an encoder in parallel with the other members of a batch; see ensemble/parallel_members.py."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class SpareCoreExecutor:
    """Offers its thread while a core is unused.

    `busy_others` returns the number of other workers of this server that run models.
    """

    def __init__(self, busy_others: Callable[[], int] = lambda: 0) -> None:
        self._busy_others = busy_others
        self._executor = ThreadPoolExecutor(1, "encoder")

    def executor(self) -> Executor | None:
        """Return the thread, or None if the workers of this server occupy all cores."""
        return self._executor if self._busy_others() + 2 <= CORES else None

    def close(self) -> None:
        self._executor.shutdown()
