"""How processes of Frontdesk start others: modules come from the installation, never from the current directory.

`python -m NAME` looks for modules in the current directory first, where another user may have put a `bentoml.py`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
SAFE_PATH = "PYTHONSAFEPATH"
"""Python's own: it and all that it starts leave the current directory out of the search path for modules."""


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
