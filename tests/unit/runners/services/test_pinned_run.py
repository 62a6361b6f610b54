from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from bentoml import server_context

from frontdesk.config import PINNED_RUN_VARIABLE, Settings
from frontdesk.errors import ConfigurationError
from frontdesk.private_files import UnsafeFileOwnershipError
from runners.services import pinned_run
from runners.services.pinned_run import FILE_NAME, PinnedRun, load_run_settings, pin_run, read_pinned_run

PINNED = PinnedRun(
    home=Path("/srv/frontdesk"),
    bundle=Path("/srv/frontdesk/bundles/v1"),
    bundle_keys=("key-1", "key-2"),
    precision="fp32",
    sockets=Path("/tmp/frontdesk-1"),
)
HERE = Path(__file__).parents[4]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The run folder of a master; this process reads as one of its workers."""
    monkeypatch.setenv(PINNED_RUN_VARIABLE, "")  # restored after the test
    monkeypatch.setattr(server_context, "worker_index", 1)
    folder = tmp_path / "7"
    folder.mkdir(mode=0o700)
    load_run_settings.cache_clear()
    yield folder
    load_run_settings.cache_clear()


def test_a_worker_reads_what_the_master_has_pinned(folder: Path) -> None:
    pin_run(PINNED, folder)
    assert os.environ[PINNED_RUN_VARIABLE] == str(folder / FILE_NAME)
    assert read_pinned_run() == PINNED


def test_the_file_is_closed_to_other_users_and_no_draft_is_left(folder: Path) -> None:
    pin_run(PINNED, folder)
    (file,) = folder.iterdir()
    assert (file.name, stat.S_IMODE(file.stat().st_mode)) == ("pinned.json", 0o600)


def test_a_master_reads_no_file_even_if_it_inherits_the_variable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pin_run(PINNED, folder)
    monkeypatch.setattr(server_context, "worker_index", None)
    assert read_pinned_run() is None


def test_a_worker_whose_master_pins_nothing_has_the_settings_as_they_are(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A runner on its own host."""
    monkeypatch.delenv(PINNED_RUN_VARIABLE)
    monkeypatch.setattr(pinned_run, "load_settings", Settings)
    assert load_run_settings() == (Settings(), None)


def test_settings_are_loaded_once_and_pinned_values_take_precedence(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = Settings.model_validate({"home": "elsewhere", "model": {"bundle": "other", "onnx_threads": 3}})
    loads: list[Settings] = []

    def load() -> Settings:
        loads.append(loaded)
        return loaded

    monkeypatch.setattr(pinned_run, "load_settings", load)
    pin_run(PINNED, folder)
    settings, pinned = load_run_settings()
    assert load_run_settings() is load_run_settings()
    assert len(loads) == 1
    assert pinned == PINNED
    assert (settings.home, settings.run) == (PINNED.home, PINNED.home / "run")
    assert (settings.model.bundle, settings.model.precision) == (PINNED.bundle, "fp32")
    assert settings.security.bundle_keys == PINNED.bundle_keys
    assert settings.model.onnx_threads == 3


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "damaged: Invalid JSON"),
        (b"{}", "damaged: Field required"),
        (
            b'{"home": "/h", "bundle": "/b", "bundle_keys": [], "precision": "auto", "sockets": "/s"}',
            "damaged: .*'int8'",
        ),
    ],
)
def test_a_damaged_file_is_refused_by_name(folder: Path, content: bytes, problem: str) -> None:
    pin_run(PINNED, folder)
    (folder / FILE_NAME).write_bytes(content)
    with pytest.raises(ConfigurationError, match=problem) as refused:
        read_pinned_run()
    assert str(folder / FILE_NAME) in refused.value.message


def test_a_missing_file_is_refused_by_name(folder: Path) -> None:
    pin_run(PINNED, folder)
    (folder / FILE_NAME).unlink()
    with pytest.raises(ConfigurationError, match=r"pinned\.json cannot be read: No such file"):
        read_pinned_run()


def test_a_worker_without_its_file_stops_the_server_with_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    signalled: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: signalled.append((pid, number)))
    monkeypatch.setattr(pinned_run, "load_settings", Settings)
    pin_run(PINNED, folder)
    (folder / FILE_NAME).unlink()
    with pytest.raises(SystemExit, match="1"):
        load_run_settings()
    assert signalled == [(os.getppid(), signal.SIGTERM)]
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error ")
    assert str(folder / FILE_NAME) in line


def test_a_file_that_another_user_could_read_or_write_is_refused(folder: Path) -> None:
    pin_run(PINNED, folder)
    (folder / FILE_NAME).chmod(0o644)
    with pytest.raises(ConfigurationError, match="open to other users"):
        read_pinned_run()
    (folder / FILE_NAME).chmod(0o600)
    folder.chmod(0o777)
    with pytest.raises(UnsafeFileOwnershipError, match="other users can write to the folder"):
        read_pinned_run()


def test_the_file_is_removed_when_the_master_ends_and_not_when_a_fork_of_it_ends(folder: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path\n"
        "from runners.services.pinned_run import PinnedRun, pin_run\n"
        "folder = Path(sys.argv[1])\n"
        "pin_run(PinnedRun(home=folder, bundle=folder, bundle_keys=(), precision='int8', sockets=folder), folder)\n"
        "if (child := os.fork()) == 0: sys.exit()\n"
        "os.waitpid(child, 0)\n"
        "print((folder / 'pinned.json').exists())\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=True, cwd=HERE
    )
    assert run.stdout == "True\n"
    assert list(folder.iterdir()) == []


def test_a_second_run_of_the_same_master_replaces_the_first(folder: Path) -> None:
    pin_run(PINNED, folder)
    pin_run(replace(PINNED, precision="int8"), folder)
    pinned = read_pinned_run()
    assert pinned is not None
    assert pinned.precision == "int8"
