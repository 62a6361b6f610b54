"""How the processes of one server see each other: a file each, whose time of change is its last sign of life.

A request reaches one API worker only, but liveness is about all of them and about the runners that they need: a
container whose dead process is never respawned (BentoML does not respawn inside containers) must not look healthy. The
folder is shared by the children of one serving master. Knows nothing of runners on other machines.
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
    """Where the processes of one serving master leave their signs of life; `run` is that of the settings."""
    return run / str(master)


def find_running_server(run: Path) -> int | None:
    """Return the id of this user's process that serves with this run folder: a master, or a worker it left behind."""
    for folder in sorted(run.glob("[0-9]*")):
        contents = [file.read_text(encoding="utf-8").strip() for file in folder.glob("*") if file.is_file()]
        workers = [int(content) for content in contents if content.isdigit() and _is_running(int(content))]
        if workers and folder.name.isdigit():
            return int(folder.name) if _is_running(int(folder.name)) else workers[0]
    return None


def claim_run_folder(run: Path, master: int) -> Path:
    """Recreate this master's run folder, lock it until the process ends, and remove folders of dead masters.

    A folder is dead if no process has its number and no process, in this container or another, holds its lock.
    """
    folder = run_folder(run, master)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    _lock(folder)
    for entry in run.iterdir():
        number = entry.name.partition(".")[0]
        if not number.isdigit() or int(number) == master or _is_running(int(number)) or entry.is_symlink():
            continue
        lock = _lock(run / number)
        if lock is not None or not (run / number).exists():
            shutil.rmtree(entry, ignore_errors=True)
        if lock is not None:
            os.close(lock)
    return folder


def _lock(folder: Path) -> int | None:
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
    """The sign of life of the process `name`, and what it sees of the others.

    `expected` are all that a server needs, this one among them; a runner expects nobody. `on_beat` is called each time.
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
        """Begin to beat, on the running loop: a loop that hangs stops beating, too."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._own_file.write_text(f"{os.getpid()}\n", encoding="utf-8")
        self._task = asyncio.get_running_loop().create_task(self._beat())

    async def stop(self) -> None:
        """Sign off: a process that stops in order is not dead."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._own_file.unlink(missing_ok=True)

    def dead_processes(self) -> list[str]:
        """Those that have signed on and show no life any more: their process is gone, or they have been silent."""
        return [
            name
            for name, (pid, silent_s) in self._read_heartbeats().items()
            if silent_s > self._timeout_s or not _is_running(pid)
        ]

    def missing_processes(self) -> list[str]:
        """Those of the expected that have not signed on yet, have signed off, or are dead."""
        alive = set(self._read_heartbeats()) - set(self.dead_processes())
        return [name for name in self._expected if name not in alive]

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._interval_s)
            os.utime(self._own_file)
            self._on_beat()

    def _read_heartbeats(self) -> dict[str, tuple[int, float]]:
        """name -> (process id, seconds since its last sign of life)."""
        heartbeats = {}
        for file in sorted(self._folder.glob("*")):
            with contextlib.suppress(FileNotFoundError, ValueError):  # signed off, or signing on, at this moment
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
    """A killed child that its parent has not waited for still has a process id. Only Linux tells; elsewhere: no."""
    with contextlib.suppress(FileNotFoundError):
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        return stat.rpartition(")")[2].split()[0] == "Z"
    return False
