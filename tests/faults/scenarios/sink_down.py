"""The sink accepts nothing, because a folder has the name of its file.

Answers continue, and the events are delivered later.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.load import failures
from tests.faults.outcome import FaultPlan, Outcome, Resources, TimeLimit
from tests.faults.system_under_test import run_system

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
CLIENTS = 8
LEAST_PAUSE_S = 0.05
ANSWERED = 25  # before the sink is unavailable, and during the outage
ALL_CAME_WITHIN_S = 120.0  # the longest back-off is a minute


def run(resources: Resources, plan: FaultPlan) -> Outcome:
    home = resources.folder / "home"
    home.mkdir()
    file = home / "events.jsonl"
    file.touch(0o600)
    pause_s = max(LEAST_PAUSE_S, CLIENTS * plan.outage_s / plan.requests_each)  # as many as fit into the outage
    with run_system(resources.bundle, home, clients=CLIENTS) as system:
        for fault in range(plan.faults):
            with system.load.burst(plan.requests_each, pause_s=pause_s):
                system.load.wait_for(ANSWERED)
                with _in_the_way(file):
                    time.sleep(plan.outage_s)
                    system.load.wait_for(ANSWERED)
                    waited = system.undelivered()
            quiet_s = system.wait_until_quiet(ALL_CAME_WITHIN_S)
            resources.log(f"{fault + 1} of {plan.faults}: {waited} events waited, all came within {quiet_s:.1f} s")
        refused = failures(system.load.attempts())
        return Outcome(plan.faults, system.verdict(), (TimeLimit("requests not answered with 200", 0, refused),))


@contextmanager
def _in_the_way(file: Path) -> Iterator[None]:
    """Replace the file by a folder, and put it back afterwards, atomically each time."""
    folder = file.with_suffix(".folder")
    folder.mkdir(exist_ok=True)
    _exchange(file, folder)
    try:
        yield
    finally:
        _exchange(file, folder)


def _exchange(first: Path, second: Path) -> None:
    """Exchange the names of two files atomically (Linux)."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE) != 0:
        raise OSError(ctypes.get_errno(), "renameat2 failed")
