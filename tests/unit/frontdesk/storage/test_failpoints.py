"""A process dies only at the named point and occurrence, and a name that does not exist is rejected at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from frontdesk.storage.failpoints import FAIL_POINTS, VARIABLE

PROGRAM = """
from frontdesk.storage.failpoints import fail_point
for time in range(3):
    fail_point("rows.built")
    print(time, flush=True)
    fail_point("spool.after_commit")
"""


def run(crash_at: str | None) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name != VARIABLE}
    environment = inherited if crash_at is None else {**inherited, VARIABLE: crash_at}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize(
    ("crash_at", "code", "printed"),
    [
        (None, 0, ["0", "1", "2"]),
        ("drain.after_commit", 0, ["0", "1", "2"]),
        ("rows.built", -9, []),
        ("rows.built:3", -9, ["0", "1"]),
        ("spool.after_commit:2", -9, ["0", "1"]),
        ("rows.built:4", 0, ["0", "1", "2"]),
    ],
)
def test_a_process_dies_at_its_point_and_time_only(crash_at: str | None, code: int, printed: list[str]) -> None:
    ended = run(crash_at)
    assert (ended.returncode, ended.stdout.split()) == (code, printed)


def test_a_process_dies_at_the_point_in_the_file_once(tmp_path: Path) -> None:
    file = tmp_path / "armed"
    assert run(str(file)).returncode == 0
    file.write_text("spool.after_commit")
    first, second = run(str(file)), run(str(file))
    assert (first.returncode, first.stdout.split()) == (-9, ["0"])
    assert (second.returncode, second.stdout.split()) == (0, ["0", "1", "2"])


def test_a_process_lives_while_the_file_names_another_point(tmp_path: Path) -> None:
    file = tmp_path / "armed"
    file.write_text("drain.after_commit")
    assert run(str(file)).returncode == 0
    assert file.exists()


@pytest.mark.parametrize("wrong", ["rows.biult", "rows.built:0", "rows.built:x"])
def test_a_point_that_does_not_exist_is_refused(wrong: str) -> None:
    ended = run(wrong)
    assert ended.returncode == 1
    assert "names no fail point" in ended.stderr


def test_every_point_has_a_unique_name_and_there_are_enough() -> None:
    assert len(set(FAIL_POINTS)) == len(FAIL_POINTS) >= 12
