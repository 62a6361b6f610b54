"""How processes of Frontdesk start others: modules come from the installation, and children end with their parent.

`python -m NAME` looks for modules in the current directory first, where another user may have put a `bentoml.py`.
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
"""Python's own: it and all that it starts leave the current directory out of the search path for modules."""

PARENT_VARIABLE = "FRONTDESK_PARENT"
"""The process id of the parent that a child must not outlive."""
PARENT_POLL_S = 1.0
_PR_SET_PDEATHSIG = 1


def python_module(module: str, *arguments: str) -> list[str]:
    """The command that runs `module` in a Python like this one."""
    return [sys.executable, "-P", "-m", module, *arguments]


def child_environment(**variables: str) -> dict[str, str]:
    """This process's environment with `variables`, and with this code first on the search path for modules."""
    inherited = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    absolute = (entry for entry in inherited if Path(entry).is_absolute())  # an empty entry is the current directory
    path = os.pathsep.join(dict.fromkeys((str(PROJECT), *absolute)))
    return dict(os.environ) | {SAFE_PATH: "1", "PYTHONPATH": path, **variables}


def leave_current_directory(environment: Mapping[str, str] = os.environ) -> None:
    """Take the current directory off this process's search path, where it is not this code's own or in PYTHONPATH.

    BentoML's command line puts it there, first. To be called once the service is imported.
    """
    named = {os.path.realpath(entry) for entry in environment.get("PYTHONPATH", "").split(os.pathsep) if entry}
    own = {str(PROJECT), *named}
    here = os.path.realpath(Path.cwd())
    sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry or ".") != here or here in own]


def end_with_parent() -> None:
    """Have this process told to stop (SIGTERM) when the one that `PARENT_VARIABLE` names ends, even by SIGKILL.

    Linux sends the signal by itself when the thread that started this process ends, so children are started from
    threads that last; elsewhere a thread looks every second. Nothing happens without the variable: whoever starts
    BentoML by other means decides how it ends. To be called in the main thread, as early as possible.
    """
    named = os.environ.get(PARENT_VARIABLE)
    if named in (None, str(os.getpid())):
        return
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    else:
        threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()
    if str(os.getppid()) != named:  # it ended before it could be followed
        os.kill(os.getpid(), signal.SIGTERM)


def be_parent() -> None:
    """Let the children that are started from now on follow this process by `end_with_parent`."""
    os.environ[PARENT_VARIABLE] = str(os.getpid())


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_POLL_S)
    os.kill(os.getpid(), signal.SIGTERM)
