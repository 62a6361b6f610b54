"""Heartbeats between the processes of one server: one file per process, whose modification time is the last heartbeat.

A health request reaches only one API worker, but liveness depends on all workers and on the runners that they need: a
container with a dead process must not look healthy, because BentoML does not respawn processes in containers. The
folder is shared by the children of one serving master. Runners on other machines are not included.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path


def run_folder(run: Path, master: int) -> Path:
    """Return the folder with the heartbeats of one serving master. `run` is the run folder of the settings."""
    return run / str(master)


def find_running_server(run: Path) -> int | None:
    """Return the id of a process that serves with this run folder: a master, or a worker of a dead master."""
    for folder in sorted(run.glob("[0-9]*")):
        contents = [file.read_text(encoding="utf-8").strip() for file in folder.glob("*") if file.is_file()]
        workers = [int(content) for content in contents if content.isdigit() and _is_running(int(content))]
        if workers and folder.name.isdigit():
            return int(folder.name) if _is_running(int(folder.name)) else workers[0]
    return None


def claim_run_folder(run: Path, master: int) -> Path:
    """Recreate this master's run folder, lock it until the process ends, and remove the folders of dead masters.

    A master is dead if no process has its id and no process, in this container or another, holds its folder's lock.
    """
    folder = run_folder(run, master)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    _lock_folder(folder)
    for entry in run.iterdir():
        number = entry.name.partition(".")[0]
        if not number.isdigit() or int(number) == master or _is_running(int(number)) or entry.is_symlink():
            continue
        lock = _lock_folder(run / number)
        if lock is not None or not (run / number).exists():
            shutil.rmtree(entry, ignore_errors=True)
        if lock is not None:
            os.close(lock)
    return folder


def _lock_folder(folder: Path) -> int | None:
    """Lock a folder and return its file descriptor; None if another process holds the lock or the folder is missing."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


class Heartbeats:
    """Writes the heartbeat of the process `name`, and reads those of the other processes.

    `expected` are all processes that a server needs, including this one; empty in a runner. `on_beat` is called at each
    heartbeat.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        *,
        expected: Sequence[str] = (),
        interval_s: float,
        timeout_s: float,
        on_beat: Callable[[], None] = lambda: None,
    ) -> None:
        self._folder = folder
        self._own_file = folder / name
        self._expected = expected
        self._interval_s = interval_s
        self._timeout_s = timeout_s
        self._on_beat = on_beat
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start heartbeats on the running event loop, so that they stop if the loop hangs."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._own_file.write_text(f"{os.getpid()}\n", encoding="utf-8")
        self._task = asyncio.get_running_loop().create_task(self._beat())

    async def stop(self) -> None:
        """Stop and remove the heartbeat file, so that a regular stop is not reported as a dead process."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._own_file.unlink(missing_ok=True)

    def dead_processes(self) -> list[str]:
        """Return the processes with a heartbeat file that have ended, or whose last heartbeat is too old."""
        return [
            name
            for name, (pid, silent_s) in self._read_heartbeats().items()
            if silent_s > self._timeout_s or not _is_running(pid)
        ]

    def missing_processes(self) -> list[str]:
        """Return the expected processes that have not started, have stopped, or are dead."""
        alive = set(self._read_heartbeats()) - set(self.dead_processes())
        return [name for name in self._expected if name not in alive]

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._interval_s)
            os.utime(self._own_file)
            self._on_beat()

    def _read_heartbeats(self) -> dict[str, tuple[int, float]]:
        """Return the process id and the seconds since the last heartbeat, by name."""
        heartbeats = {}
        for file in sorted(self._folder.glob("*")):
            with contextlib.suppress(FileNotFoundError, ValueError):  # a process that is just starting or stopping
                heartbeats[file.name] = (int(file.read_text(encoding="utf-8")), time.time() - file.stat().st_mtime)
        return heartbeats


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Whether a process is a killed child that its parent has not waited for. Always False on systems except Linux."""
    with contextlib.suppress(FileNotFoundError):
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        return stat.rpartition(")")[2].split()[0] == "Z"
    return False
