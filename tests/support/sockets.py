"""The Unix sockets of a running server."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import psutil

from frontdesk.config import PINNED_RUN_VARIABLE
from tests.support.serving import Server


def sockets_folder(server: Server) -> Path:
    """The folder of the sockets of a server's processes."""
    (pinned,) = {process.environ()[PINNED_RUN_VARIABLE] for process in workers(server)}
    return Path(json.loads(Path(pinned).read_text())["sockets"])


def workers(server: Server) -> list[psutil.Process]:
    return [psutil.Process(pid) for pid in server.workers().values()]


def assert_private(folder: Path) -> None:
    """Assert that only this user can enter the folder, and that socket paths are short enough for every system."""
    about = folder.lstat()
    assert (stat.S_IMODE(about.st_mode), about.st_uid) == (0o700, os.geteuid())
    assert {"control", "events"} <= {file.name for file in folder.iterdir()}
    assert all(len(os.fsencode(path)) < 100 for path in folder.rglob("*"))
