"""Upgrade test: `make upgrade-test FROM=COMMIT`, or python -m tests.upgrade COMMIT [--python PATH]

The code of COMMIT creates a database, a spool, keys, a signed bundle and a Bento; the current code opens all of them,
on SQLite and, if installed, on PostgreSQL. Prints a line for each check; the exit code is 1 if one fails.
"""

# ruff: noqa: T201 - a program that prints
from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support import postgresql
from tests.upgrade.checkout import OldCode, old_checkout
from tests.upgrade.checks import run_checks
from tests.upgrade.database import Database
from tests.upgrade.old_state import create_old_state


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.upgrade", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("commit", help="the older commit")
    parser.add_argument("--python", type=Path, help="interpreter of an environment with the packages of that commit")
    arguments = parser.parse_args()
    started = time.monotonic()
    with (
        old_checkout(arguments.commit, arguments.python) as code,
        tempfile.TemporaryDirectory(prefix="frontdesk-upgrade-") as folder,
    ):
        print(f"Environment of the old code: {code.environment}.", flush=True)
        failed = _upgrade(code, Path(folder))
    print(f"{failed} checks failed" if failed else "all checks passed", f"in {time.monotonic() - started:.0f} s")
    return 1 if failed else 0


def _upgrade(code: OldCode, folder: Path) -> int:
    """Play the upgrade on each database; the number of failed checks."""
    trained_home = folder / "trained"
    code.run(trained_home, "train", "--profile", "tiny", "--promote")
    bento = code.run(trained_home, "build").split()[0]
    print(f"The old code trained and promoted a bundle, and built the Bento {bento}.", flush=True)
    failed = 0
    for name, database in _databases(folder):
        shutil.copytree(trained_home, database.home, symlinks=True)
        state = create_old_state(code, database, bento)
        print(
            f"On {name}: {state.rows['queries']} queries in the database, {len(state.spooled)} in the spool.",
            flush=True,
        )
        for check in run_checks(code, state):
            print(
                f"  FAILED  {check.name}: {check.problem}" if check.problem else f"  ok      {check.name}", flush=True
            )
            failed += bool(check.problem)
    return failed


def _databases(folder: Path) -> Iterator[tuple[str, Database]]:
    yield "SQLite", Database(folder / "on-sqlite")
    if (reason := postgresql.missing()) is not None:
        print(f"PostgreSQL is left out: {reason}")
        return
    with postgresql.running() as server:
        yield "PostgreSQL", Database(folder / "on-postgresql", server.fresh_database())


if __name__ == "__main__":
    sys.exit(main())
