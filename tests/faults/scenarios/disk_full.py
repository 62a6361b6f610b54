"""The disk with database and spool is full. Requests are refused, no acknowledged one is lost, and service resumes.

The home folder is a small file system in memory, and a filler takes its free space.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.load import OK, statuses, wait_until
from tests.faults.outcome import FaultPlan, Outcome, Resources, TimeLimit
from tests.faults.system_under_test import SHORT_LEASES, SystemUnderTest, run_system

SIZE_MB = 512  # ten thousand requests take 100
PAUSE_S = 0.02
REFUSED = 503
FORESEEN = (OK, REFUSED, 409)
BACK_WITHIN_S = 5.0


def missing() -> str | None:
    """Return why no file system can be mounted here; None if it can."""
    return None if os.geteuid() == 0 and _may_mount() else "a small tmpfs cannot be mounted by this user, or not here"


def run(resources: Resources, plan: FaultPlan) -> Outcome:
    settings = {**SHORT_LEASES, "storage__min_free_bytes": 0}  # otherwise requests are refused before the disk is full
    with (
        _small_disk(resources.folder / "disk") as disk,
        run_system(resources.bundle, disk / "home", **settings) as system,
    ):
        back_s = []
        for fault in range(plan.faults):
            full = time.monotonic()
            back_s.append(_one(system, disk, plan))
            came = statuses(system.load.attempts(full))
            resources.log(f"{fault + 1} of {plan.faults}: {came[REFUSED]} refused, an answer {back_s[-1]:.1f} s after")
        unforeseen = sum(attempt.status not in FORESEEN for attempt in system.load.attempts())
        time_limits = (
            TimeLimit("answers that are neither 200 nor 503, nor 409 for a key whose lease runs", 0, unforeseen),
            TimeLimit("first answer after space returned, s", BACK_WITHIN_S, max(back_s)),
        )
        return Outcome(plan.faults, system.verdict(), time_limits)


def _one(system: SystemUnderTest, disk: Path, plan: FaultPlan) -> float:
    """Fill the disk for a while under load; return the time until the first answer afterwards, in seconds."""
    load = system.load
    with load.burst(plan.requests_each, pause_s=PAUSE_S):
        load.wait_for(plan.requests_each // 3)
        full = time.monotonic()
        with _full(disk):
            wait_until(lambda: statuses(load.attempts(full))[REFUSED] > 0, 30.0, "a full disk refuses requests")
            time.sleep(plan.outage_s)
        acknowledged = load.acknowledged
        return wait_until(lambda: load.acknowledged > acknowledged, 60.0, "requests are answered again")


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def _full(disk: Path) -> Iterator[None]:
    """Leave no free block until the block ends."""
    filler = disk / "filler"
    try:
        with filler.open("wb") as file:
            _fill(file.fileno())
        yield
    finally:
        filler.unlink(missing_ok=True)


def _fill(descriptor: int) -> None:
    block = bytes(1 << 16)
    while block:
        try:
            os.write(descriptor, block)
        except OSError:
            block = block[: len(block) // 2]


def _may_mount() -> bool:
    """Try a mount in a mount namespace that ends with the command."""
    trial = ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return subprocess.run(trial, capture_output=True, check=False).returncode == 0
