"""One run of load and its answers: `wrk` for HTTP, because a Python client costs more CPU than the server.

Closed loop: each connection sends its next request when the last is answered. Open loop: requests are due at random
times (exponential gaps), independent of answers, like messages of customers. wrk has no such mode; in `wrk.lua` each
free connection waits for the next arrival. If no connection is free, the request is sent late and its latency counts
from the time at which it was due, so that a slow server cannot hide requests that were not sent (coordinated
omission). The script measures latency by request (the server repeats X-Request-ID) and by status. At the end it waits
for outstanding answers, so that the CPU of the server is that of the counted answers.

Other servers do not repeat the id. For them, `wrk_summary_loop` uses the measurements of wrk, over answers of any
status. wrk estimates a correction of percentiles for coordinated omission, which raises those of a server that stalls.

    python -m benchmarks.load --address HOST:PORT --requests FILE --results FILE --concurrency N --seconds S

This command runs a closed loop of `FrontdeskService.Understand` in a separate process, with the token from
BENCHMARK_TOKEN and one connection for every four requests in flight, because the kernel distributes connections to
workers. A Python client uses many times the CPU of wrk, so only the CPU of the server is reliable: latency is an upper
bound, throughput a lower bound.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc
import numpy as np
import uvloop
from numpy.typing import NDArray

from benchmarks.server import Server
from bentos.grpc.frontdesk_pb2 import Query
from bentos.grpc.frontdesk_pb2_grpc import FrontdeskServiceStub

SCRIPT = Path(__file__).with_name("wrk.lua")
ANSWER_TIMEOUT_S = 30
CONNECTIONS_S = 1.5
"""Seconds of arrivals for which an open loop has connections; the server closes idle ones after 5 s."""
FEWEST_CONNECTIONS = 32
BUSY = 503
REQUESTS_PER_CHANNEL = 4
GRPC_STATUSES = {grpc.StatusCode.UNAVAILABLE: 503, grpc.StatusCode.RESOURCE_EXHAUSTED: 503}
OTHER_FAILURE = 500

_SOCKET_ERRORS = re.compile(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")


@dataclass(frozen=True, slots=True)
class Load:
    """One entry per answer: monotonic seconds at which the request was sent or due, status, latency.

    `seconds` is the time in which requests were sent, without the wait for the last answers; `client_cpu_s` is the CPU
    of the load generator; `broken` counts failed connections.
    """

    sent: NDArray[np.float64]
    status: NDArray[np.int64]
    latency_s: NDArray[np.float64]
    seconds: float
    client_cpu_s: float
    broken: int = 0

    @property
    def started_at(self) -> float:
        return float(self.sent.min())

    @property
    def good(self) -> int:
        return int((self.status == 200).sum())

    @property
    def refused(self) -> int:
        return int((self.status == BUSY).sum())

    @property
    def failed(self) -> int:
        """Neither answered nor refused with 503: a defect or an exceeded deadline."""
        return int(self.status.size) - self.good - self.refused + self.broken

    @property
    def throughput(self) -> float:
        """Answers with status 200 per second until the last answer; for closed loops."""
        return self.good / float((self.sent + self.latency_s).max() - self.started_at)

    @property
    def goodput(self) -> float:
        """Answers with status 200 per second while requests were sent; for open loops."""
        return self.goodput_between(0.0, self.seconds)

    def goodput_between(self, start_s: float, end_s: float) -> float:
        """Answers with status 200 per second in a window, in seconds from the first request."""
        seconds = self.sent + self.latency_s - self.started_at
        return float(((self.status == 200) & (seconds >= start_s) & (seconds < end_s)).sum()) / (end_s - start_s)

    def latency_ms(self, share: float, status: int = 200) -> float:
        """Quantile of latency (0.95: 95th percentile) over answers of one status; NaN without answers."""
        latencies = self.latency_s[self.status == status]
        return float(np.quantile(latencies, share)) * 1000 if latencies.size else float("nan")

    def sent_between(self, start_s: float, end_s: float) -> Load:
        """Return the requests that were sent in a window, in seconds from the first request."""
        seconds = self.sent - self.started_at
        selected = (seconds >= start_s) & (seconds < end_s)
        part = (self.sent[selected], self.status[selected], self.latency_s[selected])
        return Load(*part, end_s - start_s, self.client_cpu_s, self.broken)


@dataclass(frozen=True, slots=True)
class WrkSummary:
    """Measurements by wrk.

    `answered` counts answers of any status, `refused` those with a status above 399, `broken` connection errors and
    time-outs.
    """

    answered: int
    seconds: float
    refused: int
    broken: int
    p50_ms: float
    p95_ms: float
    client_cpu_s: float

    @property
    def good(self) -> int:
        return self.answered - self.refused

    @property
    def errors(self) -> int:
        return self.refused + self.broken


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of an open loop with a constant rate in requests per second."""

    seconds: float
    rate: float


def closed_loop(server: Server, requests: Path, concurrency: int, seconds: float) -> Load:
    """Keep `concurrency` requests in flight."""
    return _run_loop(server, requests, concurrency, "closed", [Phase(seconds, 0)])


def open_loop(server: Server, requests: Path, phases: Sequence[Phase], connections: int) -> Load:
    """Send requests at the rate of each phase in turn."""
    return _run_loop(server, requests, connections, "open", phases)


def wrk_summary_loop(server: Server, requests: Path, concurrency: int, seconds: float, first: int = 0) -> WrkSummary:
    """Keep `concurrency` requests in flight, starting with request number `first`; unfinished ones do not count."""
    arguments = [str(requests), "", f"Bearer {server.token}", "summary", "", str(first)]
    return parse_summary(*_run_wrk(server, concurrency, round(seconds), arguments))


def grpc_loop(server: Server, requests: Path, concurrency: int, seconds: float) -> Load:
    """Keep `concurrency` calls of `Understand` in flight."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "answers"
        command = [
            sys.executable, "-m", "benchmarks.load", "--address", server.grpc_address, "--requests", str(requests),
            "--results", str(results), "--concurrency", str(concurrency), "--seconds", str(seconds),
        ]  # fmt: skip
        _, cpu_s = run_client(command, {"BENCHMARK_TOKEN": server.token})
        return Load(*parse_answers(results.read_text(encoding="utf-8")), seconds, cpu_s)


def count_connections(rate: float, queued: int = 0) -> int:
    """Number of connections for an open loop of `rate` requests per second.

    Args:
        queued: number of requests that the server may hold at once, if the rate exceeds its capacity.
    """
    return max(round(rate * CONNECTIONS_S), FEWEST_CONNECTIONS) + queued


def run_client(command: Sequence[str], environment: Mapping[str, str] | None = None) -> tuple[str, float]:
    """Run a load generator and return its output and CPU seconds.

    Raises:
        RuntimeError: it failed; the message contains its output.
    """
    variables = os.environ | (environment or {})
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=variables, text=True
    ) as client:
        assert client.stdout is not None
        output = client.stdout.read()
        _, status, usage = os.wait4(client.pid, 0)  # of this child only: two may run at once
        client.returncode = os.waitstatus_to_exitcode(status)
    if client.returncode != 0:
        raise RuntimeError(f"{command[0]} failed: {output[-4000:]}")
    return output, usage.ru_utime + usage.ru_stime


def parse_answers(results: str) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Read lines of: monotonic seconds when sent, status, seconds until answered.

    Raises:
        RuntimeError: there are no lines.
    """
    rows = np.array([line.split() for line in results.splitlines()], dtype=np.float64)
    if not rows.size:
        raise RuntimeError("The server answered no request.")
    return rows[:, 0], rows[:, 1].astype(np.int64), rows[:, 2]


def parse_summary(output: str, client_cpu_s: float) -> WrkSummary:
    """Parse the last line, which `done` of the script prints."""
    return WrkSummary(**json.loads(output.strip().splitlines()[-1]), client_cpu_s=client_cpu_s)


def broken(output: str) -> int:
    """Return the number of connection errors in the output of wrk, which prints none if there are none."""
    match = _SOCKET_ERRORS.search(output)
    return sum(map(int, match.groups())) if match else 0


def _run_loop(server: Server, requests: Path, connections: int, kind: str, phases: Sequence[Phase]) -> Load:
    seconds = sum(phase.seconds for phase in phases)
    schedule = ",".join(f"{phase.seconds:.3f}:{phase.rate:.3f}" for phase in phases)
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "answers"
        arguments = [str(requests), str(results), f"Bearer {server.token}", kind, schedule, "0"]
        printed, cpu_s = _run_wrk(server, connections, math.ceil(seconds) + ANSWER_TIMEOUT_S, arguments)
        return Load(*parse_answers(results.read_text(encoding="utf-8")), seconds, cpu_s, broken(printed))


def _run_wrk(server: Server, connections: int, seconds: int, arguments: Sequence[str]) -> tuple[str, float]:
    if shutil.which("wrk") is None:
        raise SystemExit("This benchmark needs wrk as its load generator: apt-get install wrk")
    return run_client([
        "wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s",
        "--timeout", f"{ANSWER_TIMEOUT_S}s", "--script", str(SCRIPT), server.url, "--", *arguments,
    ])  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description="Run a closed loop over gRPC.")
    parser.add_argument("--address", required=True)
    parser.add_argument("--requests", type=Path, required=True, help="lines of a path, a tab and a JSON body")
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=4.0)
    options = parser.parse_args()
    bodies = [line.partition("\t")[2] for line in options.requests.read_text(encoding="utf-8").splitlines()]
    queries = itertools.cycle([Query(**json.loads(body)) for body in bodies])
    lines = uvloop.run(_run_grpc_loop(options.address, queries, options.concurrency, options.seconds))
    options.results.write_text("".join(lines), encoding="utf-8")


async def _run_grpc_loop(address: str, queries: Iterator[Query], concurrency: int, seconds: float) -> list[str]:
    """Return lines as `wrk.lua` writes them, with the HTTP status for OK, overload and other failures."""
    own_connection = [("grpc.use_local_subchannel_pool", 1)]
    channels = [
        grpc.aio.insecure_channel(address, options=own_connection)
        for _ in range(math.ceil(concurrency / REQUESTS_PER_CHANNEL))
    ]
    metadata = (("authorization", f"Bearer {os.environ['BENCHMARK_TOKEN']}"),)
    end = time.monotonic() + seconds
    lines: list[str] = []

    async def caller(stub: FrontdeskServiceStub) -> None:
        while (sent := time.monotonic()) < end:
            try:
                await stub.Understand(next(queries), metadata=metadata)
                status = 200
            except grpc.aio.AioRpcError as error:
                status = GRPC_STATUSES.get(error.code(), OTHER_FAILURE)
            lines.append(f"{sent:.6f} {status} {time.monotonic() - sent:.6f}\n")

    stubs = itertools.cycle([FrontdeskServiceStub(channel) for channel in channels])  # type: ignore[no-untyped-call]
    await asyncio.gather(*(caller(next(stubs)) for _ in range(concurrency)))
    await asyncio.gather(*(channel.close(None) for channel in channels))
    return lines


if __name__ == "__main__":
    main()
