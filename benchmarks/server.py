"""Start a server for a benchmark, as users start it: private home, free ports, a token, CPU and memory of processes.

    python -m benchmarks.server [--workers N] [--placement NAME] [--cached-texts N] COMMAND...

This command starts a server, runs COMMAND with BENCHMARK_URL, BENCHMARK_GRPC_ADDRESS and BENCHMARK_TOKEN in its
environment, stops the server, and prints its CPU and memory. Authentication, metrics, access log and storage are on, as
by default.

CPU is user plus system time of every process of the server: master, API workers, and the runners of the placement.
"""

from __future__ import annotations

import argparse
import http.client
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.results import argument_parser, print_result
from bentos.wiring.model import served_bundle_path
from frontdesk.config import Settings, load_settings
from frontdesk.security.token_keys import load_signing_key
from frontdesk.security.tokens import issue_token
from model_store.signature import load_signer

HOST = "127.0.0.1"
PLACEMENTS = ("embedded", "dedicated", "distributed")
READY_TIMEOUT_S = 120
STOP_TIMEOUT_S = 60
TOKEN_TTL_S = 6 * 3600
IDLE_WINDOW_S, IDLE_SHARE = 0.3, 0.1

CpuByProcess = Mapping[int, float]
"""CPU seconds by process id."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. `ready_s` is the time from start until ready."""

    home: Path
    port: int
    grpc_port: int
    token: str
    master: psutil.Process
    ready_s: float

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def grpc_address(self) -> str:
        return f"{HOST}:{self.grpc_port}"

    def processes(self) -> list[psutil.Process]:
        return [self.master, *self.master.children(recursive=True)]

    def worker(self, name: str = "worker-1") -> psutil.Process:
        """Return an API worker or runner by the name of its heartbeat file."""
        (beat,) = (self.home / "run").glob(f"*/{name}")
        return psutil.Process(int(beat.read_text(encoding="utf-8")))

    def cpu(self) -> CpuByProcess:
        return {process.pid: sum(process.cpu_times()[:2]) for process in self.processes()}

    def wait_until_idle(self) -> CpuByProcess:
        """Wait until work of earlier load has ended; return the CPU at that time."""
        before = self.cpu()
        while True:
            time.sleep(IDLE_WINDOW_S)
            after = self.cpu()
            if cpu_s_between(before, after) < IDLE_SHARE * IDLE_WINDOW_S:
                return after
            before = after

    def rss_mb(self) -> float:
        """Resident memory of all processes together; shared pages count in each."""
        return float(sum(process.memory_info().rss for process in self.processes())) / 2**20


def cpu_s_between(before: CpuByProcess, after: CpuByProcess) -> float:
    """CPU seconds between two measurements.

    Raises:
        RuntimeError: a process of the server ended in between; its CPU is not known.
    """
    if ended := before.keys() - after.keys():
        raise RuntimeError(f"{len(ended)} process(es) of the server ended while they were measured.")
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
    """Run a server with the champion of this machine, or with `bundle`, until the end of the block.

    It stores in SQLite in its own folder, or in the database of `database_url`.

    Raises:
        RuntimeError: it was not ready in time; the message contains its log.
    """
    settings = load_settings()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 16_384)), hard))  # one open file per connection
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        port, grpc_port = free_ports(2)
        variables: dict[str, object] = {
            "HOME": home,
            "MODEL__BUNDLE": bundle or served_bundle_path(settings),
            "SECURITY__BUNDLE_KEYS": [load_signer(settings.keys).public],
            "MODEL__PLACEMENT": placement,
            "MODEL__CACHED_TEXTS": cached_texts,
            "SERVER__PORT": port,
            "SERVER__GRPC_PORT": grpc_port,
            "SERVER__WORKERS": workers,
        }
        if database_url is not None:
            variables["STORAGE__URL"] = database_url
        environment = {f"FRONTDESK_{name}": str(value) for name, value in variables.items()}
        serve = [sys.executable, "-m", "cli", "serve"]
        with start_server(serve, environment, home, lambda: get_status(port, "/readyz") == 200) as (master, ready_s):
            yield Server(home, port, grpc_port, _token(settings, home), master, ready_s)


@contextmanager
def start_server(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, is_ready: Callable[[], bool]
) -> Iterator[tuple[psutil.Process, float]]:
    """Start a server, wait until it is ready, and stop it and its children at the end of the block.

    Yields:
        Its process, and the seconds until it was ready.

    Raises:
        RuntimeError: it was not ready in time; the message contains its log.
    """
    start = time.monotonic()
    log = folder / "log"
    with log.open("wb") as log_file:
        server = subprocess.Popen(command, env=os.environ | environment, stderr=log_file, stdout=log_file)
    try:
        while not is_ready():
            if time.monotonic() > start + READY_TIMEOUT_S or server.poll() is not None:
                tail = log.read_text(encoding="utf-8")[-8000:]
                raise RuntimeError(f"The server was not ready within {READY_TIMEOUT_S} s:\n{tail}")
            time.sleep(0.05)
        yield psutil.Process(server.pid), time.monotonic() - start
    finally:
        _stop(server)


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((HOST, 0))
        return [probe.getsockname()[1] for probe in probes]


def get_status(port: int, path: str) -> int:
    """Status of a GET request over a new connection; 0 without an answer."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def _token(settings: Settings, home: Path) -> str:
    key = load_signing_key(home / "keys")
    scopes = ("understand", "answer", "history:read", "admin")
    return issue_token(key, settings.security, subject="benchmark", tenant="default", scopes=scopes, ttl_s=TOKEN_TTL_S)


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Terminate the server as an operator would; kill processes that remain after a minute."""
    if server.poll() is not None:
        return
    master = psutil.Process(server.pid)
    children = master.children(recursive=True)
    server.terminate()
    _, remaining = psutil.wait_procs([master, *children], timeout=STOP_TIMEOUT_S)
    for survivor in remaining:
        survivor.kill()


def main() -> None:
    parser = argument_parser(__doc__)
    parser.add_argument("--workers", type=int, default=load_settings().server.workers)
    parser.add_argument("--placement", default="embedded", choices=PLACEMENTS)
    parser.add_argument("--cached-texts", type=int, default=0)
    parser.add_argument("command", nargs=argparse.REMAINDER, help="command to run against the server")
    options = parser.parse_args()
    with running(workers=options.workers, placement=options.placement, cached_texts=options.cached_texts) as server:
        before = server.cpu()
        variables = {
            "BENCHMARK_URL": server.url,
            "BENCHMARK_GRPC_ADDRESS": server.grpc_address,
            "BENCHMARK_TOKEN": server.token,
        }
        code = subprocess.run(options.command, env=os.environ | variables, check=False).returncode
        cost = {
            "server_cpu_s": cpu_s_between(before, server.cpu()),
            "rss_mb": server.rss_mb(),
            "ready_s": server.ready_s,
        }
    print_result("server", {"command": options.command, "exit_code": code, **cost})
    sys.exit(code)


if __name__ == "__main__":
    main()
