"""Runs the product as a user does: `frontdesk serve` in its own processes with a private home folder.

`Server` ends all its processes. They are found by the home folder in their environment, because workers run in their
own sessions and survive a killed parent.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self

import psutil
from httpx2 import Client, HTTPError

from frontdesk.config import PREFIX, SecuritySettings
from frontdesk.security.token_keys import load_signing_key
from frontdesk.security.tokens import SCOPES, issue_token
from model_store.bundle import Bundle
from model_store.promotion import promote
from model_store.signature import Signer

PROJECT = Path(__file__).resolve().parents[2]
READY_TIMEOUT_S = 60.0
EXIT_TIMEOUT_S = 30.0
POLL_S = 0.05
TENANT = "acme"
SIGNER = Signer(b"a key that only tests use to sign.")
"""Signs bundles that tests promote without the command line; servers of tests trust it."""


def home_with(bundle: Bundle, home: Path) -> Path:
    """Create a home folder whose champion is a copy of `bundle`."""
    bundles = home / "bundles"
    shutil.copytree(bundle.path, bundles / bundle.version)
    SIGNER.sign(bundles / bundle.version)
    promote(bundles, bundle.version)
    return home


PORTS = range(12_000, 32_000)
"""Below the range that Linux uses for outgoing connections, so that these do not occupy a port before its server."""
_used_ports: set[int] = set()


def free_port() -> int:
    """A port on which no process listens, different at each call."""
    while True:
        port = PORTS.start + secrets.randbelow(len(PORTS))
        if port in _used_ports:
            continue
        with closing(socket.socket()) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _used_ports.add(port)
        return port


def environment(home: Path, **settings: object) -> dict[str, str]:
    """This process's variables with other Frontdesk settings: `server__port=3100` is FRONTDESK_SERVER__PORT.

    Without other settings the HTTP port is one on which nothing listens, and there is no gRPC: the default ports may
    belong to a server that runs next to the tests.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith((PREFIX, "BENTOML_"))}
    ports = {"server__port": free_port(), "server__grpc_port": "null"}
    ours = {"home": home, **ports, "security__bundle_keys": [SIGNER.public], **settings}
    return inherited | {f"{PREFIX}{name.upper()}": str(value) for name, value in ours.items()}


def frontdesk(
    home: Path, *arguments: str, stdin: str = "", timeout_s: float = EXIT_TIMEOUT_S, **settings: object
) -> subprocess.CompletedProcess[str]:
    """Run `frontdesk ARGUMENTS` to its end. Processes that it leaves running are killed.

    Raises:
        subprocess.TimeoutExpired: it did not end in time.
    """
    running = set(processes_of(home))
    try:
        return subprocess.run(
            [sys.executable, "-m", "cli", *arguments],
            cwd=PROJECT,
            env=environment(home, **settings),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    finally:
        _kill(home, running)


def processes_of(home: Path) -> list[psutil.Process]:
    """All running processes that were started for `home`, regardless of their parent."""
    processes = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get(f"{PREFIX}HOME") == str(home) and process.status() != psutil.STATUS_ZOMBIE:
                processes.append(process)
    return processes


def _kill(home: Path, spared: Set[psutil.Process] = frozenset()) -> None:
    remaining = set(processes_of(home)) - spared
    for process in remaining:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(remaining, timeout=EXIT_TIMEOUT_S)
    assert set(processes_of(home)) <= spared


class Server:
    """One running server; `settings` are those of `environment`. Use it as a context manager.

    `command` has the arguments of `interpreter`, which starts in `cwd`; `variables` are added to the environment.
    """

    def __init__(
        self,
        home: Path,
        *,
        workers: int = 2,
        command: Sequence[str] = ("-m", "cli", "serve"),
        interpreter: Sequence[str] = (sys.executable,),
        cwd: Path = PROJECT,
        variables: Mapping[str, str] = MappingProxyType({}),
        **settings: object,
    ) -> None:
        self.home = home
        self.port = free_port()
        self.grpc_port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.grpc_address = f"127.0.0.1:{self.grpc_port}"
        ports = {"server__port": self.port, "server__grpc_port": self.grpc_port}
        ours = environment(home, server__workers=workers, **{**ports, **settings})
        self._environment = {**ours, **variables}
        self._command = [*interpreter, *command]
        self._cwd = cwd
        self._log = home / "server.log"

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                self._command,
                cwd=self._cwd,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def token(self, scopes: Iterable[str] = SCOPES, tenant: str = TENANT, ttl_s: int = 600) -> str:
        key = load_signing_key(self.home / "keys")
        return issue_token(key, SecuritySettings(), subject="tester", tenant=tenant, scopes=scopes, ttl_s=ttl_s)

    def client(self, scopes: Iterable[str] = SCOPES, tenant: str = TENANT) -> Client:
        """A client with a token. The caller closes it."""
        return Client(
            base_url=self.url, headers={"authorization": f"Bearer {self.token(scopes, tenant)}"}, timeout=20.0
        )

    def log(self) -> str:
        """The output of the server and its workers so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def workers(self) -> dict[str, int]:
        """Process ids by worker name, from the files that the workers wrote."""
        return {file.name: int(file.read_text()) for file in (self.home / "run").glob("*/worker-*")}

    def rows(self, statement: str = "SELECT * FROM queries", *values: object) -> list[dict[str, Any]]:
        """Rows of the SQLite database, read directly."""
        with closing(sqlite3.connect(f"file:{self.home / 'frontdesk.db'}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(statement, values)]

    def count(self, tenant: str = TENANT) -> int:
        """The tenant's rows in `queries`."""
        (row,) = self.rows("SELECT count(*) AS n FROM queries WHERE tenant = ?", tenant)
        return int(row["n"])

    def terminate(self) -> None:
        """Send SIGTERM to the server, as `kill` does, without waiting."""
        self.process.send_signal(signal.SIGTERM)

    def processes(self) -> list[psutil.Process]:
        return processes_of(self.home)

    def tcp_ports(self) -> set[int]:
        """The TCP ports on which any process of the server listens, in every address family."""
        ports = set()
        for process in {psutil.Process(self.process.pid), *self.processes()}:
            for connection in process.net_connections(kind="tcp"):
                if connection.status == psutil.CONN_LISTEN:
                    ports.add(connection.laddr.port)
        return ports

    def _wait_until_ready(self) -> None:
        give_up = time.monotonic() + READY_TIMEOUT_S
        with Client(timeout=5.0) as client:
            while time.monotonic() < give_up:
                assert self.process.poll() is None, f"the server ended while it started:\n{self.log()}"
                with contextlib.suppress(HTTPError):
                    if client.get(f"{self.url}/readyz").status_code == 200:
                        return
                time.sleep(POLL_S)
        raise AssertionError(f"the server was not ready within {READY_TIMEOUT_S} s:\n{self.log()}")

    def _end(self) -> None:
        self.terminate()
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(EXIT_TIMEOUT_S)
        finally:
            _kill(self.home)
            self.process.wait()


@dataclass(frozen=True, slots=True)
class RawResponse:
    """The response to raw bytes. `status` 0: the server closed the connection without a response."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


def send_raw(port: int, *pieces: bytes, timeout_s: float = 10.0) -> RawResponse:
    """Send the pieces unchanged and read one response. An early close by the server is not an error."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout_s)) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for piece in pieces:
                connection.sendall(piece)
        response = http.client.HTTPResponse(connection, method="HEAD" if pieces[0].startswith(b"HEAD ") else None)
        with closing(response):
            try:
                response.begin()
                return RawResponse(response.status, response.headers, response.read())
            except (http.client.BadStatusLine, ConnectionResetError):
                return RawResponse(0, http.client.HTTPMessage(), b"")
