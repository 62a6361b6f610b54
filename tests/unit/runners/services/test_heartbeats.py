from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

from runners.services.heartbeats import Heartbeats, claim_run_folder, find_running_server, run_folder


def beats(folder: Path, name: str = "worker-1", timeout_s: float = 5.0) -> Heartbeats:
    expected = ("worker-1", "worker-2", "encoders")
    return Heartbeats(folder, name, expected=expected, interval_s=0.01, timeout_s=timeout_s)


async def test_a_worker_with_heartbeats_is_alive_and_one_that_never_started_is_missing(tmp_path: Path) -> None:
    first = beats(tmp_path)
    first.start()
    assert first.dead_processes() == []
    assert first.missing_processes() == ["worker-2", "encoders"]
    second = beats(tmp_path, "worker-2")
    second.start()
    assert first.missing_processes() == ["encoders"]
    await first.stop()
    await second.stop()


async def test_a_runner_without_expected_processes_is_seen_by_workers_that_expect_it(tmp_path: Path) -> None:
    runner = Heartbeats(tmp_path, "encoders", interval_s=0.01, timeout_s=5.0)
    runner.start()
    assert runner.missing_processes() == []
    first = beats(tmp_path)
    first.start()
    assert first.missing_processes() == ["worker-2"]
    await runner.stop()
    assert (first.missing_processes(), first.dead_processes()) == (["worker-2", "encoders"], [])
    await first.stop()


async def test_a_dead_runner_is_named(tmp_path: Path) -> None:
    (tmp_path / "encoders").write_text(str(os.getpid()))
    os.utime(tmp_path / "encoders", (0, 0))
    first = beats(tmp_path)
    assert first.dead_processes() == ["encoders"]
    assert "encoders" in first.missing_processes()


async def test_a_stopped_worker_is_not_dead(tmp_path: Path) -> None:
    first, second = beats(tmp_path), beats(tmp_path, "worker-2")
    first.start()
    second.start()
    await second.stop()
    assert first.dead_processes() == []
    await first.stop()


async def test_a_killed_process_is_dead_even_before_it_is_waited_for(tmp_path: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    (tmp_path / "worker-2").write_text(str(other.pid))
    first = beats(tmp_path)
    first.start()
    assert first.dead_processes() == []
    other.kill()
    while Path(f"/proc/{other.pid}/stat").read_text().split()[2] != "Z":
        await asyncio.sleep(0.01)
    assert first.dead_processes() == ["worker-2"]
    other.wait()
    assert first.dead_processes() == ["worker-2"]
    await first.stop()


async def test_a_silent_worker_is_dead_although_its_process_runs(tmp_path: Path) -> None:
    (tmp_path / "worker-2").write_text(str(os.getpid()))
    long_ago = time.time() - 60
    os.utime(tmp_path / "worker-2", (long_ago, long_ago))
    assert beats(tmp_path).dead_processes() == ["worker-2"]


async def test_a_blocked_loop_stops_beating(tmp_path: Path) -> None:
    first = beats(tmp_path, timeout_s=0.1)
    first.start()
    await asyncio.sleep(0.15)
    assert first.dead_processes() == []
    time.sleep(0.2)
    assert first.dead_processes() == ["worker-1"]
    await first.stop()


def test_folders_of_dead_masters_are_removed_when_a_master_starts(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    alive = os.getppid()
    for name in (
        f"{ended.pid}",
        f"{ended.pid}.sockets",
        f"{ended.pid}.metrics",
        f"{alive}",
        f"{alive}.sockets",
        "notes",
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    claim_run_folder(tmp_path, os.getpid())
    assert {path.name for path in tmp_path.iterdir()} == {f"{os.getpid()}", f"{alive}", f"{alive}.sockets", "notes"}


def test_the_folder_of_a_master_in_another_container_is_kept(tmp_path: Path) -> None:
    """Its process id does not exist in this container, but the master holds the lock."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    claim_run_folder(tmp_path, ended.pid)
    claim_run_folder(tmp_path, os.getpid())
    assert run_folder(tmp_path, ended.pid).exists()


def test_a_running_server_is_detected_even_if_only_a_worker_is_left(tmp_path: Path) -> None:
    assert find_running_server(tmp_path) is None
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (tmp_path / str(ended.pid)).mkdir()
    (tmp_path / str(ended.pid) / "worker-1").write_text(f"{os.getpid()}\n")
    assert find_running_server(tmp_path) == os.getpid()
    (tmp_path / str(ended.pid)).rename(tmp_path / str(os.getppid()))
    assert find_running_server(tmp_path) == os.getppid()
