"""A process dies at each fail point of the write path, one after the other, under load.

Some points are reached only after an error: the spool and the drain need a slow database, and a claim is released when
its request fails. While such a point is armed, another program holds the database's write lock for longer than a commit
may take, or clients send deadlines that are too short.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from frontdesk.storage.failpoints import FAIL_POINTS, VARIABLE
from tests.faults.load import wait_until
from tests.faults.outcome import FaultPlan, Outcome, Resources
from tests.faults.system_under_test import SHORT_LEASES, SystemUnderTest, run_system

WORKERS = 4  # four may die before a client has to wait for a new one
REACHED_TIMEOUT_S = 60.0
LOCKED_S = 2.5


def run(resources: Resources, plan: FaultPlan) -> Outcome:
    """Visit all points `form.faults` times, with `form.requests_each` acknowledged requests around each crash."""
    armed = resources.folder / "armed"
    crashes = 0
    with run_system(
        resources.bundle, resources.folder / "home", workers=WORKERS, variables={VARIABLE: str(armed)}, **SHORT_LEASES
    ) as system:
        for _ in range(plan.faults):
            for point in FAIL_POINTS:
                took_s = _crash(system, armed, point, plan)
                crashes += 1
                resources.log(f"{crashes} of {plan.faults * len(FAIL_POINTS)}: died at {point} after {took_s:.1f} s")
        system.wait_for_workers()
        return Outcome(crashes, system.verdict())


def _crash(system: SystemUnderTest, armed: Path, point: str, plan: FaultPlan) -> float:
    """Arm the point under load; return the time until a process died, in seconds."""
    with system.load.burst(plan.requests_each, hurried=point.startswith("free.")):
        system.load.wait_for(plan.requests_each // 4)
        new_file = armed.with_suffix(".new")
        new_file.write_text(point)
        new_file.rename(armed)
        if point.startswith(("spool.", "drain.")):
            _hold_the_write_lock(system.server.home / "frontdesk.db")
        return wait_until(lambda: not armed.exists(), REACHED_TIMEOUT_S, f"a process dies at {point}")


def _hold_the_write_lock(database: Path) -> None:
    """Hold the lock for longer than a commit may take."""
    with closing(sqlite3.connect(database, isolation_level=None, timeout=20.0)) as other:
        other.execute("BEGIN IMMEDIATE")
        time.sleep(LOCKED_S)
        other.execute("ROLLBACK")
