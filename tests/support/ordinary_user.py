"""Run the tests marked `hermetic` as an ordinary user, with neither Redis nor PostgreSQL.

    python -m tests.support.ordinary_user [PYTEST ARGUMENT ...]

The tests run in a copy of the checkout: as root as the user `nobody`, who owns the copy, otherwise as the current user.
PATH holds links to the programs of the caller's PATH without the servers; HOME is an empty folder. The default ports
are occupied and misleading settings are in the environment (`occupied_ports`).
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
USER = "nobody"
SERVERS = ("redis", "postgres", "pg_", "initdb", "psql", "createdb", "dropdb")
INTERPRETERS = (sys.executable, "/usr/bin/python3")


def main(arguments: list[str]) -> int:
    user = USER if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="frontdesk-hermetic-", dir=_shared_temporary_folder()))
    try:
        checkout, variables = _prepare(folder)
        if user is not None:
            _give_to(folder, user)
        variables |= _interpreter_for(user, variables, folder)
        python = variables.pop("PYTHON")
        return subprocess.run(
            [python, "-m", "tests.support.occupied_ports", python, "-m", "pytest", "-m", "hermetic", *arguments],
            cwd=checkout,
            env=variables,
            check=False,
            **_as(user),
        ).returncode
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _shared_temporary_folder() -> str:
    """A temporary folder that other users can reach."""
    return "/tmp" if Path("/tmp").is_dir() else tempfile.gettempdir()


def _prepare(folder: Path) -> tuple[Path, dict[str, str]]:
    """A copy of the checkout below `folder`, and the environment of the run."""
    checkout, programs, home = folder / "checkout", folder / "bin", folder / "home"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (source := PROJECT / name).is_file():
            target = checkout / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    bundles = PROJECT / ".pytest_cache" / "bundles"
    if bundles.is_dir():
        shutil.copytree(bundles, checkout / ".pytest_cache" / "bundles", ignore=shutil.ignore_patterns("*.lock"))
    for new in (programs, home, folder / "tmp"):
        new.mkdir()
    for directory in os.environ.get("PATH", os.defpath).split(os.pathsep):
        for program in Path(directory).glob("*") if directory else ():
            if not program.name.startswith(SERVERS) and not (programs / program.name).exists():
                (programs / program.name).symlink_to(program)
    kept = {name: value for name, value in os.environ.items() if name.startswith(("LANG", "LC_", "OPENBLAS", "OMP"))}
    return checkout, kept | {
        "PATH": str(programs),
        "HOME": str(home),
        "TMPDIR": str(folder / "tmp"),
        "TESTS_WITHOUT_SERVERS": "1",
    }


def _give_to(folder: Path, user: str) -> None:
    entry = pwd.getpwnam(user)
    folder.chmod(0o700)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, entry.pw_uid, entry.pw_gid, follow_symlinks=False)


def _interpreter_for(user: str | None, variables: Mapping[str, str], folder: Path) -> dict[str, str]:
    """PYTHON and PYTHONPATH: the first interpreter that the user can run with the packages of this environment.

    Raises:
        SystemExit: there is none, for example because the environment is in a folder that only root can enter.
    """
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    for python in INTERPRETERS:
        extra = {"PYTHON": python, "PYTHONPATH": packages}
        probe = [python, "-c", "import sys, pytest, pydantic_core; sys.exit(sys.version_info[:2] != (%d, %d))"]
        probe[-1] %= sys.version_info[:2]
        try:
            found = subprocess.run(
                probe, cwd=folder, env={**variables, **extra}, capture_output=True, check=False, **_as(user)
            )
        except OSError:
            continue
        if found.returncode == 0:
            return extra
    sys.exit(
        f"{user or 'This user'} can run none of {', '.join(INTERPRETERS)} with the packages of {packages}. "
        "Make the environment in a folder that other users can enter."
    )


def _as(user: str | None) -> dict[str, object]:
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
