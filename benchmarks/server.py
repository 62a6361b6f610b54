"""A server as a user starts it, for benchmarks: its own home, free ports, a token, and what its processes cost.

    python -m benchmarks.server [--workers N] [--placement NAME] [--cached-texts N] COMMAND...

As a command: starts one, runs COMMAND with BENCHMARK_URL, BENCHMARK_GRPC_ADDRESS and BENCHMARK_TOKEN in its
environment, stops the server, and prints what it cost. Authentication, metrics, access log and storage are on, as by
default.

CPU is user plus system time of every process of the server: master, API workers, and the runners of the placement.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bentos.wiring.model import served_bundle
from frontdesk.config import Settings, load
from frontdesk.security.keys import signing_key
from frontdesk.security.tokens import mint
from model_store.signature import signer

READY_TIMEOUT_S = 120
STOP_TIMEOUT_S = 60
TOKEN_S = 6 * 3600
IDLE_WINDOW_S, IDLE_SHARE = 0.3, 0.1

CpuByProcess = Mapping[int, float]
"""Process id -> seconds of CPU so far."""


@dataclass(frozen=True, slots=True)
class Server:
    """One that is ready. `ready_s` is how long it took to be."""

    home: Path
    port: int
    grpc_port: int
    token: str
    master: psutil.Process
    ready_s: float

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def grpc_address(self) -> str:
        return f"127.0.0.1:{self.grpc_port}"

    def processes(self) -> list[psutil.Process]:
        return [self.master, *self.master.children(recursive=True)]

    def worker(self, name: str = "worker-1") -> psutil.Process:
        """An API worker or runner, by the name under which it signs on."""
        (beat,) = (self.home / "run").glob(f"*/{name}")
        return psutil.Process(int(beat.read_text(encoding="utf-8")))

    def cpu(self) -> CpuByProcess:
        return {process.pid: sum(process.cpu_times()[:2]) for process in self.processes()}

    def wait_until_idle(self) -> CpuByProcess:
        """Wait for what earlier load may have left behind; the reading from which to count."""
        before = self.cpu()
        while True:
            time.sleep(IDLE_WINDOW_S)
            after = self.cpu()
            if spent_s(before, after) < IDLE_SHARE * IDLE_WINDOW_S:
                return after
            before = after

    def rss_mb(self) -> float:
        """Resident memory of all processes together; pages that they share count in each."""
        return float(sum(process.memory_info().rss for process in self.processes())) / 2**20


def spent_s(before: CpuByProcess, after: CpuByProcess) -> float:
    """CPU seconds between two readings.

    Raises:
        RuntimeError: a process of the server ended in between; what it spent is not known.
    """
    if gone := before.keys() - after.keys():
        raise RuntimeError(f"{len(gone)} process(es) of the server ended while they were measured.")
    return sum(after.values()) - sum(before.values())


@contextmanager
def running(
    *,
    workers: int = 1,
    placement: str = "embedded",
    cached_texts: int = 0,
    bundle: Path | None = None,
    database_url: str | None = None,
) -> Iterator[Server]:
    """A server of the champion of this machine, or of `bundle`, until the block ends.

    What it keeps is in SQLite in its own folder, or in the database that is named.

    Raises:
        RuntimeError: with its log, when it was not ready in time.
    """
    settings = load()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 16_384)), hard))  # one open file a connection
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        port, grpc_port = _free_ports()
        wanted: dict[str, object] = {
            "HOME": home,
            "MODEL__BUNDLE": bundle or served_bundle(settings),
            "SECURITY__BUNDLE_KEYS": [signer(settings.keys).public],
            "MODEL__PLACEMENT": placement,
            "MODEL__CACHED_TEXTS": cached_texts,
            "SERVER__PORT": port,
            "SERVER__GRPC_PORT": grpc_port,
            "SERVER__WORKERS": workers,
        }
        if database_url is not None:
            wanted["STORAGE__URL"] = database_url
        environment = os.environ | {f"FRONTDESK_{name}": str(value) for name, value in wanted.items()}
        started = time.monotonic()
        with (home / "log").open("wb") as log:
            process = subprocess.Popen([sys.executable, "-m", "cli", "serve"], env=environment, stderr=log, stdout=log)
        try:
            _wait_until_ready(process, port, home / "log")
            ready_s = time.monotonic() - started
            token = _token(settings, home)
            yield Server(home, port, grpc_port, token, psutil.Process(process.pid), ready_s)
        finally:
            _stop(process)


def _token(settings: Settings, home: Path) -> str:
    key = signing_key(home / "keys")
    scopes = ("understand", "answer", "history:read", "admin")
    return mint(key, settings.security, subject="benchmark", tenant="default", scopes=scopes, ttl_s=TOKEN_S)


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def _stop(process: subprocess.Popen[bytes]) -> None:
    """As an operator would; what is still there after a minute is killed, so that nothing disturbs what comes next."""
    tree = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    process.terminate()
    _, left = psutil.wait_procs(tree, timeout=STOP_TIMEOUT_S)
    for survivor in left:
        survivor.kill()


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    give_up = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < give_up and process.poll() is None:
        if _status(port) == 200:
            return
        time.sleep(0.05)
    raise RuntimeError(f"The server was not ready within {READY_TIMEOUT_S} s:\n{log.read_text(encoding='utf-8')}")


def _status(port: int) -> int:
    """Of /readyz; 0 while nothing listens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--workers", type=int, default=load().server.workers)
    parser.add_argument("--placement", default="embedded", choices=("embedded", "dedicated", "distributed"))
    parser.add_argument("--cached-texts", type=int, default=0)
    parser.add_argument("command", nargs=argparse.REMAINDER, help="what to run against it")
    wanted = parser.parse_args()
    with running(workers=wanted.workers, placement=wanted.placement, cached_texts=wanted.cached_texts) as server:
        before = server.cpu()
        variables = {
            "BENCHMARK_URL": server.url,
            "BENCHMARK_GRPC_ADDRESS": server.grpc_address,
            "BENCHMARK_TOKEN": server.token,
        }
        code = subprocess.run(wanted.command, env=os.environ | variables, check=False).returncode
        cost = {"server_cpu_s": spent_s(before, server.cpu()), "rss_mb": server.rss_mb(), "ready_s": server.ready_s}
    print(json.dumps({"benchmark": "server", "command": wanted.command, "exit_code": code, **cost}))
    sys.exit(code)


if __name__ == "__main__":
    main()
