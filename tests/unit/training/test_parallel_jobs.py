"""Parallel jobs, with small ones that import no large libraries."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path

import pytest

from frontdesk.errors import BundleError
from training.parallel_jobs import JobKilled, release_free_memory, run_parallel
from training.progress import ReportFraction


def write_own_process(path: Path, share: ReportFraction) -> None:
    share(0.5)
    path.write_text(f"{os.getpid()} {os.environ['OMP_NUM_THREADS']}")
    share(1.0)


def fail(share: ReportFraction) -> None:
    raise BundleError("The graph is wrong.", field="roberta")


def be_killed(share: ReportFraction) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def work_for_ever(path: Path, share: ReportFraction) -> None:
    path.write_text(str(os.getpid()))
    signal.pause()


def test_each_work_has_a_process_and_the_progress_is_that_of_all(tmp_path: Path) -> None:
    message: list[float] = []
    run_parallel({name: partial(write_own_process, tmp_path / name) for name in ("one", "two")}, message.append)
    (one, threads), (two, _) = ((tmp_path / name).read_text().split() for name in ("one", "two"))
    assert len({one, two, str(os.getpid())}) == 3
    assert int(threads) == max(1, (os.cpu_count() or 1) // 2)
    assert sorted(message) == message
    assert message[-1] == 1.0


def test_what_a_work_raises_arrives_and_the_others_are_stopped(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="The graph is wrong") as raised:
        run_parallel({"bad": fail, "long": partial(work_for_ever, tmp_path / "pid")}, lambda share: None)
    assert raised.value.field == "roberta"
    if (tmp_path / "pid").exists():
        with pytest.raises(ProcessLookupError):
            os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_killed_process_is_named() -> None:
    with pytest.raises(JobKilled, match="roberta was killed"):
        run_parallel({"roberta": be_killed}, lambda share: None)


def test_nothing_to_do_is_done() -> None:
    run_parallel({}, lambda share: None)


def test_memory_is_released_if_possible_and_nothing_breaks_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    release_free_memory()
    monkeypatch.setattr("ctypes.CDLL", lambda name: object())  # a C library without malloc_trim
    release_free_memory()
