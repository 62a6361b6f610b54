"""Start and stop of the server of a benchmark, and its CPU between two measurements."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest

from benchmarks import server
from benchmarks.server import cpu_s_between, free_ports, get_status, start_server

PARENT = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "


def test_processes_that_started_later_are_counted() -> None:
    assert cpu_s_between({1: 2.0, 2: 3.0}, {1: 2.5, 2: 3.25, 3: 1.0}) == pytest.approx(1.75)


def test_the_cpu_is_unknown_if_a_process_ended() -> None:
    with pytest.raises(RuntimeError, match="ended while they were measured"):
        cpu_s_between({1: 2.0, 2: 3.0}, {1: 2.5})


def test_a_server_and_its_children_end_with_the_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "STOP_TIMEOUT_S", 1)
    ready = tmp_path / "ready"
    command = [sys.executable, "-c", f"{PARENT}open({str(ready)!r}, 'w'); time.sleep(60)"]

    with start_server(command, {}, tmp_path, ready.exists) as (master, ready_s):
        (child,) = master.children()
        assert master.is_running()

    assert ready_s > 0
    assert not master.is_running()
    psutil.wait_procs([child], timeout=5)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_a_server_that_ends_before_it_is_ready_is_reported_with_its_log(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import os; print(os.environ['GREETING'])"]

    with (
        pytest.raises(RuntimeError, match=r"not ready within .*\nno port left"),
        start_server(command, {"GREETING": "no port left"}, tmp_path, lambda: False),
    ):
        pass


def test_ports_are_different_and_nothing_answers_there() -> None:
    ports = free_ports(3)

    assert len(set(ports)) == 3
    assert get_status(ports[0], "/livez") == 0
