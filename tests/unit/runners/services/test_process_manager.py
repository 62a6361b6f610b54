"""Circus listens on unix sockets in a private folder, or the master ends with a one-line error."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from frontdesk.errors import ConfigurationError
from runners.services.process_manager import LONGEST_NAME, MAX_PATH_BYTES, _make_sockets_folder, check_control_socket

PROJECT = Path(__file__).resolve().parents[4]
IMPORT = """
import sys, pathlib, zmq
from runners.services.process_manager import sockets_folder, use_private_sockets
use_private_sockets(pathlib.Path(sys.argv[1]))
from bentoml._internal.utils.circus import create_standalone_arbiter
from circus.sockets import CircusSocket
"""


def run(program: str, run_folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the lines in a separate master, in which the hook is installed."""
    return subprocess.run(
        [sys.executable, "-c", IMPORT + program, str(run_folder)],
        cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("threaded", [False, True])
def test_every_arbiter_of_bentoml_gets_unix_sockets(tmp_path: Path, threaded: bool) -> None:
    process = run(
        f"arbiter = create_standalone_arbiter([], threaded={threaded})\n"
        "print(arbiter.endpoint, arbiter.pubsub_endpoint, arbiter.stats_endpoint, arbiter.multicast_endpoint)\n"
        "print(sockets_folder())",
        tmp_path,
    )
    addresses, folder = process.stdout.splitlines()
    assert addresses == f"ipc://{folder}/control ipc://{folder}/events None None", process.stderr
    assert not Path(folder).exists()


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:*", "ipc:///tmp/elsewhere", "tcp://*:5555"])
def test_a_process_manager_that_would_listen_elsewhere_ends_the_master(tmp_path: Path, address: str) -> None:
    """As with a BentoML that creates its arbiter in another way, so that the hook is not used."""
    process = run(f"zmq.Context().socket(zmq.ROUTER).bind({address!r})\nprint('listens')", tmp_path)
    assert (process.returncode, process.stdout) == (1, "")
    assert process.stderr == (
        f"error BentoML's process manager would listen on {address}, where any local user can control it.\n"
    )


def test_a_service_that_would_get_a_tcp_port_ends_the_master(tmp_path: Path) -> None:
    """As with BENTOML_NO_UDS, with which BentoML gives runners TCP ports."""
    program = "sockets = [CircusSocket(name='{name}', host='127.0.0.1', port=1)]\n"
    program += "create_standalone_arbiter([], sockets=sockets)\nprint('made')"
    process = run(program.format(name="encoders"), tmp_path)
    assert (process.returncode, process.stdout) == (1, "")
    assert (
        process.stderr == "error BentoML would give the service 'encoders' a TCP port that any local user can call.\n"
    )
    assert run(program.format(name="_bento_api_server"), tmp_path).stdout == "made\n"


def test_the_folder_lies_in_the_run_folder_and_is_private(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        left = Path(short) / "run" / "7.sockets"
        left.mkdir(parents=True)
        left.chmod(0o755)
        (left / "control").write_text("of a master that was killed")
        folder = _make_sockets_folder(Path(short) / "run", 7)
        assert folder == left
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["x" * 120, "é" * 60, "with a space " * 9])
def test_if_its_path_is_too_long_it_is_below_the_temporary_folder(tmp_path: Path, name: str) -> None:
    folder = _make_sockets_folder(tmp_path / name / "run", 7)
    try:
        assert len(os.fsencode(folder / LONGEST_NAME)) <= MAX_PATH_BYTES
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    finally:
        folder.rmdir()


def test_if_no_folder_is_suitable_the_start_fails_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * 120)
    monkeypatch.setattr("runners.services.process_manager._temporary_folders", lambda: (long,))
    with pytest.raises(ConfigurationError, match=r"no place for the sockets.*TMPDIR") as refused:
        _make_sockets_folder(long / "run", 7)
    assert "\n" not in str(refused.value)


def test_a_folder_that_others_can_write_to_is_skipped(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        run_folder = Path(short) / "run"
        run_folder.mkdir()
        run_folder.chmod(0o777)
        folder = _make_sockets_folder(run_folder, 7)
        folder.rmdir()
        assert run_folder not in folder.parents


def test_a_worker_detects_a_missing_control_socket(tmp_path: Path) -> None:
    for missing in (None, tmp_path, tmp_path / "none"):
        with pytest.raises(ConfigurationError, match="does not listen on its private socket"):
            check_control_socket(missing)
    with tempfile.TemporaryDirectory(dir="/tmp") as short, socket.socket(socket.AF_UNIX) as control:
        control.bind(f"{short}/control")
        assert check_control_socket(Path(short)) == Path(short)


def test_a_port_that_another_program_took_meanwhile_ends_the_master_with_one_line(tmp_path: Path) -> None:
    with socket.socket() as other_listener:
        other_listener.bind(("127.0.0.1", 0))
        other_listener.listen()
        port = other_listener.getsockname()[1]
        code = (
            "from pathlib import Path; from runners.services.process_manager import use_private_sockets\n"
            f"use_private_sockets(Path({str(tmp_path / 'run')!r}))\n"
            "from circus.sockets import CircusSocket\n"
            f"CircusSocket(name='_bento_api_server', host='127.0.0.1', port={port}).bind_and_listen()\n"
        )
        process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert process.returncode == 1
    assert process.stderr == f"error Cannot listen on 127.0.0.1:{port} (Address already in use).\n"


def test_each_master_has_its_own_folder_for_metrics_and_removes_it(tmp_path: Path) -> None:
    run = tmp_path / "home" / "run"
    code = (
        "from pathlib import Path; from runners.services.process_manager import use_private_sockets\n"
        f"use_private_sockets(Path({str(run)!r}))\n"
        "from bentoml.serving import ensure_prometheus_dir; import os\n"
        "folder = Path(ensure_prometheus_dir())\n"
        "print(folder.name == f'{os.getpid()}.metrics', folder.stat().st_mode & 0o777)"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout == f"True {0o700}\n"
    assert list(run.iterdir()) == []
