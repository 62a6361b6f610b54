"""Works in processes of their own: small ones, that import nothing heavy."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path

import pytest

from frontdesk.errors import BundleError
from training.parallel_jobs import WorkDied, give_back_memory, run_at_once
from training.progress import Share


def write_own_process(path: Path, share: Share) -> None:
    share(0.5)
    path.write_text(f"{os.getpid()} {os.environ['OMP_NUM_THREADS']}")
    share(1.0)


def fail(share: Share) -> None:
    raise BundleError("The graph is wrong.", field="roberta")


def be_killed(share: Share) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def work_for_ever(path: Path, share: Share) -> None:
    path.write_text(str(os.getpid()))
    signal.pause()


def test_each_work_has_a_process_and_the_progress_is_that_of_all(tmp_path: Path) -> None:
    told: list[float] = []
    run_at_once({name: partial(write_own_process, tmp_path / name) for name in ("one", "two")}, told.append)
    (one, threads), (two, _) = ((tmp_path / name).read_text().split() for name in ("one", "two"))
    assert len({one, two, str(os.getpid())}) == 3
    assert int(threads) == max(1, (os.cpu_count() or 1) // 2)
    assert sorted(told) == told
    assert told[-1] == 1.0


def test_what_a_work_raises_arrives_and_the_others_are_stopped(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="The graph is wrong") as raised:
        run_at_once({"bad": fail, "long": partial(work_for_ever, tmp_path / "pid")}, lambda share: None)
    assert raised.value.field == "roberta"
    if (tmp_path / "pid").exists():
        with pytest.raises(ProcessLookupError):
            os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_killed_process_is_named() -> None:
    with pytest.raises(WorkDied, match="roberta was killed"):
        run_at_once({"roberta": be_killed}, lambda share: None)


def test_nothing_to_do_is_done() -> None:
    run_at_once({}, lambda share: None)


def test_memory_is_given_back_where_that_is_possible_and_nothing_breaks_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    give_back_memory()
    monkeypatch.setattr("ctypes.CDLL", lambda name: object())  # a C library without malloc_trim
    give_back_memory()
