"""Start child processes that import modules from the installation only and end with their parent.

`python -m NAME` searches the current directory first, where another user may have planted a `bentoml.py`.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
SAFE_PATH = "PYTHONSAFEPATH"
"""Python's own variable: keeps the current directory off the module search path, also in child processes."""

PARENT_VARIABLE = "FRONTDESK_PARENT"
"""The process id of the parent that a child must not outlive."""
PARENT_POLL_S = 1.0
_PR_SET_PDEATHSIG = 1


def python_module_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs `module` with this Python interpreter."""
    return [sys.executable, "-P", "-m", module, *arguments]


def child_environment(**variables: str) -> dict[str, str]:
    """Return this process's environment plus `variables`, with this code first on the module search path."""
    inherited = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    absolute = (entry for entry in inherited if Path(entry).is_absolute())  # an empty entry is the current directory
    path = os.pathsep.join(dict.fromkeys((str(PROJECT), *absolute)))
    return dict(os.environ) | {SAFE_PATH: "1", "PYTHONPATH": path, **variables}


def drop_cwd_from_sys_path(environment: Mapping[str, str] = os.environ) -> None:
    """Remove the current directory from the module search path, unless it holds this code or is in PYTHONPATH.

    BentoML's command line inserts it at the front. Call this after the service is imported.
    """
    configured = {os.path.realpath(entry) for entry in environment.get("PYTHONPATH", "").split(os.pathsep) if entry}
    trusted = {str(PROJECT), *configured}
    current = os.path.realpath(Path.cwd())
    sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry or ".") != current or current in trusted]


def terminate_when_parent_ends() -> None:
    """Send SIGTERM to this process when the process that `PARENT_VARIABLE` names ends, even by SIGKILL.

    On Linux the kernel sends the signal when the thread that started this process ends, so start children from
    long-lived threads. On other systems a thread polls every second. Does nothing without the variable, as when
    BentoML is started by other means. Call this in the main thread, as early as possible.
    """
    expected_parent = os.environ.get(PARENT_VARIABLE)
    if expected_parent in (None, str(os.getpid())):
        return
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    else:
        threading.Thread(target=_poll_parent, args=(os.getppid(),), daemon=True).start()
    if str(os.getppid()) != expected_parent:  # the parent ended before this process watched it
        os.kill(os.getpid(), signal.SIGTERM)


def mark_as_watched_parent() -> None:
    """Make this process the parent that children started from now on watch with `terminate_when_parent_ends`."""
    os.environ[PARENT_VARIABLE] = str(os.getpid())


def _poll_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_POLL_S)
    os.kill(os.getpid(), signal.SIGTERM)
