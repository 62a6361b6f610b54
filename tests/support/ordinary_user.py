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
import sysconfig
import tempfile
from collections.abc import Mapping
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
USER = "nobody"
SERVERS = ("redis", "postgres", "pg_", "initdb", "psql", "createdb", "dropdb")


def main(arguments: list[str]) -> int:
    user = USER if os.geteuid() == 0 else None
    os.umask(0o022)
    folder = Path(tempfile.mkdtemp(prefix="frontdesk-hermetic-", dir=_shared_temporary_folder()))
    try:
        checkout, variables = _prepare(folder)
        if user is not None:
            _give_to(folder, user)
        python = _interpreter_for(user, variables, folder)
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
    file_names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, file_names.split("\0")):
        if (source := PROJECT / name).is_file():
            target = checkout / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    bundles = PROJECT / ".pytest_cache" / "bundles"
    if bundles.is_dir():
        shutil.copytree(bundles, checkout / ".pytest_cache" / "bundles", ignore=shutil.ignore_patterns("*.lock"))
    for directory in (programs, home, folder / "tmp"):
        directory.mkdir()
    for entry in os.environ.get("PATH", os.defpath).split(os.pathsep):
        for program in Path(entry).glob("*") if entry else ():
            # A dangling link in a folder of PATH is linked too: `exists` would not see it the second time.
            if not program.name.startswith(SERVERS) and not os.path.lexists(programs / program.name):
                (programs / program.name).symlink_to(program)
    prefixes = ("LANG", "LC_", "OPENBLAS", "OMP")
    inherited = {name: value for name, value in os.environ.items() if name.startswith(prefixes)}
    return checkout, inherited | {
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


def _interpreter_for(user: str | None, variables: dict[str, str], folder: Path) -> str:
    """An interpreter of this version, with the packages of this environment, that the user can run.

    The current interpreter if the user can enter its folders; otherwise a copy below `folder`, with links to the
    packages if those are unreachable too. A copy with a shared library adds LD_LIBRARY_PATH to `variables`.
    """
    if _runs(sys.executable, user, variables, folder):
        return sys.executable
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    library = folder / "python" / "lib" / version
    program = folder / "python" / "bin" / version
    program.parent.mkdir(parents=True)
    shutil.copy2(os.path.realpath(sys.executable), program)
    standard = Path(sysconfig.get_path("stdlib"))
    shutil.copytree(standard, library, ignore=shutil.ignore_patterns("site-packages", "test"))
    shared = Path(sysconfig.get_config_var("LIBDIR")) / str(sysconfig.get_config_var("INSTSONAME"))
    if shared.suffix != ".a" and shared.is_file():
        shutil.copy2(shared, folder / "python" / "lib")
        variables["LD_LIBRARY_PATH"] = str(folder / "python" / "lib")
    packages = Path(sysconfig.get_path("purelib"))
    if subprocess.run(["test", "-r", packages], check=False, **_as(user)).returncode != 0:
        linked = folder / "packages"
        subprocess.run(["cp", "--archive", "--link", packages, linked], check=True)
        packages = linked
    (library / "site-packages").mkdir()
    (library / "site-packages" / "environment.pth").write_text(f"{packages}\n", encoding="utf-8")
    if not _runs(str(program), user, variables, folder):
        sys.exit(f"{user} cannot run a copy of {sys.executable}.")
    return str(program)


def _runs(python: str, user: str | None, variables: Mapping[str, str], folder: Path) -> bool:
    """Whether the user can run `python`, and it has this version, for which the packages were installed."""
    probe = [python, "-c", "import sys, pytest, pydantic_core; print(sys.version)"]
    try:
        result = subprocess.run(
            probe, cwd=folder, env=dict(variables), capture_output=True, text=True, check=False, **_as(user)
        )
    except OSError:
        return False
    return result.stdout.strip() == sys.version.strip()


def _as(user: str | None) -> dict[str, object]:
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
