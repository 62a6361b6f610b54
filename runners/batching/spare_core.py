"""The thread on which an encoder runs beside the other members of a batch (runners/ensemble/parallel_members.py)."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class SpareCore:
    """Offers its thread while this server leaves a core unused.

    `busy_others` returns how many other workers of this server run models.
    """

    def __init__(self, busy_others: Callable[[], int] = lambda: 0) -> None:
        self._busy_others = busy_others
        self._executor = ThreadPoolExecutor(1, "beside")

    def executor(self) -> Executor | None:
        """The thread, or None if the other workers and this one's own thread occupy all cores."""
        return self._executor if self._busy_others() + 2 <= CORES else None

    def close(self) -> None:
        self._executor.shutdown()
