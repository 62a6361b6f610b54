"""A private PostgreSQL for tests: real binaries, a temporary folder, a free port on 127.0.0.1, real fsync.

PostgreSQL refuses to run as root; then it runs as another user who owns the folder. Fault tests kill, freeze and
restart the server on the same data and port.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2

from tests.support import process_trees
from tests.support.serving import free_port

READY_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0
POLL_S = 0.02
WITHOUT_SERVERS = "TESTS_WITHOUT_SERVERS"
"""When this variable is set, the tests run as on a machine without PostgreSQL and Redis."""
OWNER = "frontdesk"  # superuser without a password; only connections from 127.0.0.1 are possible
SETTINGS = {
    "fsync": "on",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # a socket's path may be 107 bytes long, a temporary folder's own name is longer
    "shared_buffers": "64MB",
    "max_connections": "60",
    "logging_collector": "off",
}


def missing() -> str | None:
    """The reason why PostgreSQL cannot be started here; None if it can."""
    return None if _binaries() else "PostgreSQL's binaries are not on this machine (make test-deps installs them)"


class PostgreSql:
    """One server. `url` is its first database; `fresh_database` creates a database for one test."""

    def __init__(self, folder: Path) -> None:
        """Create the data folder in `folder`, which the server's user must be able to enter."""
        binaries = _binaries()
        assert binaries, missing()
        self.port = free_port()
        self.log = folder / "server.log"
        self._binaries = binaries
        self._folder = folder
        self._data = folder / "data"
        self._names = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._user = _user()
        if self._user:
            shutil.chown(folder, self._user)
        options = ("--auth=trust", f"--username={OWNER}", "--encoding=UTF8", "--locale=C", "--no-sync")
        self._spawn("initdb", "-D", str(self._data), *options).wait()

    @property
    def url(self) -> str:
        return self._url("postgres")

    @property
    def pid(self) -> int:
        assert self._process, "the server was never started"
        return self._process.pid

    def start(self) -> None:
        """Start the server, also after a crash, and wait until it accepts connections."""
        settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        self._process = self._spawn("postgres", "-D", str(self._data), "-p", str(self.port), *settings)
        give_up = time.monotonic() + READY_TIMEOUT_S
        while not self._answers():
            assert self._process.poll() is None, f"PostgreSQL ended while it started:\n{self.log.read_text()}"
            assert time.monotonic() < give_up, f"PostgreSQL was not ready:\n{self.log.read_text()}"
            time.sleep(POLL_S)

    def kill(self) -> None:
        """Kill the postmaster and all its child processes with SIGKILL."""
        process_trees.kill(self.pid)
        self._reap()

    def stop(self) -> None:
        """Freeze all processes (SIGSTOP): connections stay open without a response."""
        process_trees.freeze(self.pid)

    def cont(self) -> None:
        process_trees.thaw(self.pid)

    def fresh_database(self) -> str:
        """The URL of a new and empty database."""
        name = f"test_{next(self._names)}"
        self._administer(f"CREATE DATABASE {name} TEMPLATE template0")
        return self._url(name)

    def drop_database(self, url: str) -> None:
        """Drop a database, also with open connections."""
        self._administer(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def _url(self, database: str) -> str:
        return f"postgresql+psycopg2://{OWNER}@127.0.0.1:{self.port}/{database}"

    def _spawn(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [self._binaries / program, *arguments],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=self._user,
                group=pwd.getpwnam(self._user).pw_gid if self._user else None,
                extra_groups=[] if self._user else None,
            )

    def _answers(self) -> bool:
        with contextlib.suppress(psycopg2.OperationalError):
            self._administer("SELECT 1")
            return True
        return False

    def _administer(self, statement: str) -> None:
        target = {"host": "127.0.0.1", "port": self.port, "user": OWNER, "dbname": "postgres", "connect_timeout": 5}
        with closing(psycopg2.connect(**target)) as connection:
            connection.autocommit = True
            connection.cursor().execute(statement)

    def _reap(self) -> None:
        if self._process is not None:
            self._process.wait(STOP_TIMEOUT_S)


@contextmanager
def running() -> Iterator[PostgreSql]:
    """A running server in a temporary folder, removed in the end."""
    folder = Path(tempfile.mkdtemp(prefix="frontdesk-postgresql-"))  # mode 0700
    try:
        with closing(PostgreSql(folder)) as server:
            server.start()
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binaries() -> Path | None:
    """The folder with `postgres` and `initdb`: from PATH, else the newest one of Debian's folders."""
    if os.environ.get(WITHOUT_SERVERS):
        return None
    on_path = shutil.which("postgres")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name))
    folders = [Path(on_path).parent] if on_path else []
    folders += [*reversed(debian), Path("/usr/local/bin")]
    return next((folder for folder in folders if {"postgres", "initdb"} <= _names_in(folder)), None)


def _names_in(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()} if folder.is_dir() else set()


def _user() -> str | None:
    """The user who runs the server: None for the current user, another one for root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
