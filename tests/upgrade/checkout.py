"""The code of another commit in a worktree of its own, and the environment that runs it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.serving import PROJECT, Server, environment

INSTALL_TIMEOUT_S = 1800.0
COMMAND_TIMEOUT_S = 900.0
LOCK_FILES = "requirements*"


@dataclass(frozen=True, slots=True)
class OldCode:
    """A checkout and its interpreter; `environment` says where the packages come from."""

    folder: Path
    python: Path
    environment: str

    def run(self, home: Path, *arguments: str, **settings: object) -> str:
        """Run `frontdesk ARGUMENTS` of this checkout and return its standard output.

        Raises:
            RuntimeError: the command failed; the message has its output.
        """
        completed = subprocess.run(
            [self.python, "-m", "cli", *arguments],
            cwd=self.folder,
            env={**environment(home, **settings), **self.variables},
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
        if completed.returncode != 0:
            raise RuntimeError(
                f"the old code failed in frontdesk {' '.join(arguments)}:\n{completed.stdout}{completed.stderr}"
            )
        return completed.stdout

    def server(self, home: Path, **settings: object) -> Server:
        """A server of this checkout, to be entered as a context."""
        return Server(
            home,
            interpreter=(str(self.python),),
            cwd=self.folder,
            variables=self.variables,
            **settings,  # type: ignore[arg-type]
        )

    @property
    def variables(self) -> dict[str, str]:
        """The checkout comes before an installed copy of the product."""
        return {"PYTHONPATH": str(self.folder)}


@contextmanager
def old_checkout(commit: str, python: Path | None) -> Iterator[OldCode]:
    """A worktree of `commit`, removed in the end.

    Args:
        commit: anything that names a commit.
        python: interpreter of an environment that has the packages. By default that of this process, if both commits
            have the same lock files; otherwise one is installed in the worktree.

    Raises:
        RuntimeError: there is no such commit, or its environment cannot be installed or imports other code.
    """
    temporary = Path(tempfile.mkdtemp(prefix="frontdesk-old-code-"))
    folder = temporary / "checkout"
    try:
        _git("worktree", "add", "--quiet", "--detach", str(folder), commit)
        code = _with_environment(folder, python)
        _check_import(code)
        yield code
    finally:
        subprocess.run(
            ["git", "worktree", "remove", "--force", str(folder)], cwd=PROJECT, capture_output=True, check=False
        )
        shutil.rmtree(temporary, ignore_errors=True)


def _with_environment(folder: Path, python: Path | None) -> OldCode:
    if python is not None:
        return OldCode(folder, python, f"the environment of {python}")
    if differing := differing_locks(folder):
        completed = subprocess.run(
            ["make", ".venv/.serve-cpu", f"PYTHON={sys.executable}"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=INSTALL_TIMEOUT_S,
            check=False,
        )
        if completed.returncode != 0:
            raise RuntimeError(
                f"the environment of the old code was not installed:\n{completed.stdout}{completed.stderr}"
            )
        return OldCode(folder, folder / ".venv" / "bin" / "python", f"its own: {', '.join(differing)} differ")
    return OldCode(folder, Path(sys.executable), "the present one: the lock files are identical")


def differing_locks(folder: Path) -> list[str]:
    """Names of the lock files that are not the same in the checkout `folder` and here."""
    ours, theirs = ({file.name: file.read_bytes() for file in path.glob(LOCK_FILES)} for path in (PROJECT, folder))
    return sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))


def _check_import(code: OldCode) -> None:
    completed = subprocess.run(
        [code.python, "-P", "-c", "import frontdesk; print(frontdesk.__file__)"],
        cwd=code.folder,
        env=environment(code.folder) | code.variables,
        capture_output=True,
        text=True,
        check=False,
    )
    if not completed.stdout.startswith(str(code.folder)):
        raise RuntimeError(f"the old code is not what is imported: {completed.stdout}{completed.stderr}")


def _git(*arguments: str) -> None:
    completed = subprocess.run(["git", *arguments], cwd=PROJECT, capture_output=True, text=True, check=False)
    if completed.returncode != 0:
        raise RuntimeError(f"git {' '.join(arguments)}: {completed.stderr.strip()}")
