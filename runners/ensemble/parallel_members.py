"""All members of a batch: one after another, or an encoder beside the others on a core that is free.

Two encoders take nine tenths of a batch's time. One after the other costs the least CPU, which is what counts while all
cores are busy; beside each other they cost a hundredth more and take half as long, which is what counts for a lone
message on an idle machine.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor

from frontdesk.scores import Scores
from runners.models.base_model import Batch, Member
from runners.models.encoder import Encoder

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class SpareCore:
    """A thread for the encoder that runs beside the other members, offered while this server leaves a core unused.

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


def all_scores(members: Sequence[Member], batch: Batch, beside: Executor | None = None) -> tuple[Scores, ...]:
    """The scores of each of `members`; with `beside`, the first encoder of this process runs there meanwhile."""
    first = next((member for member in members if isinstance(member, Encoder)), None)
    if beside is None or first is None:
        return tuple(member.scores(batch) for member in members)
    running = beside.submit(first.scores, batch)
    others = {member.name: member.scores(batch) for member in members if member is not first}
    return tuple(running.result() if member is first else others[member.name] for member in members)
