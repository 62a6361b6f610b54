"""One run of load, and what came back: `wrk` for HTTP, because a Python client costs more CPU than the server.

Closed loop: so many connections, each sends its next request when the last is answered. Open loop: requests are due at
random times (exponential gaps) whatever the answers do, as customers write. wrk has no such mode of its own, h2load
can send at a rate but only one body; so `wrk.lua` lets each free connection wait for the next arrival that none has
taken yet. As long as a connection is free the rate does not depend on the server; when none is, the request leaves late
and its latency counts from when it was due, so that a slow server cannot hide requests that were never sent
(coordinated omission). Latencies are measured in the script, by request (the server repeats X-Request-ID) and by
status; those that wrk prints itself are corrected by a guess and are not used. When its time is over the script sends
nothing more and waits for the answers that are due, so that what the server spent was for answers that are counted.

Knows neither cases nor targets: it returns one row an answer.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.server import Server

SCRIPT = Path(__file__).with_name("wrk.lua")
ANSWER_TIMEOUT_S = 30
CONNECTIONS_S = 1.5
"""Open loop: connections for so many seconds of arrivals; after 5 s the server closes those that wait."""
FEWEST_CONNECTIONS = 32
BUSY = 503

_SOCKET_ERRORS = re.compile(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")


@dataclass(frozen=True, slots=True)
class Load:
    """One entry an answer: when its request was sent (or due), in monotonic seconds, its status, and seconds to it.

    `seconds` is how long requests were sent, without the wait for the last answers; `client_cpu_s` is what the load
    generator itself spent; `broken` counts connections that failed.
    """

    sent: NDArray[np.float64]
    status: NDArray[np.int64]
    latency_s: NDArray[np.float64]
    seconds: float
    client_cpu_s: float
    broken: int = 0

    @property
    def begun(self) -> float:
        return float(self.sent.min())

    @property
    def good(self) -> int:
        return int((self.status == 200).sum())

    @property
    def refused(self) -> int:
        return int((self.status == BUSY).sum())

    @property
    def failed(self) -> int:
        """Neither answered nor told to come back: anything here is a defect, or a deadline."""
        return int(self.status.size) - self.good - self.refused + self.broken

    @property
    def throughput(self) -> float:
        """Answers with status 200 a second, until the last: what a closed loop gets, which is busy until then."""
        return self.good / float((self.sent + self.latency_s).max() - self.begun)

    @property
    def goodput(self) -> float:
        """Answers with status 200 a second, as long as requests were sent: what an open loop gets."""
        return self.goodput_between(0.0, self.seconds)

    def goodput_between(self, start_s: float, end_s: float) -> float:
        """The same over the answers that came in a window, in seconds from the first request."""
        at = self.sent + self.latency_s - self.begun
        return float(((self.status == 200) & (at >= start_s) & (at < end_s)).sum()) / (end_s - start_s)

    def latency_ms(self, share: float, status: int = 200) -> float:
        """The percentile (0.95: the 95th) over the answers of one status; NaN where there are none."""
        chosen = self.latency_s[self.status == status]
        return float(np.quantile(chosen, share)) * 1000 if chosen.size else float("nan")

    def sent_between(self, start_s: float, end_s: float) -> Load:
        """What was sent in a window, in seconds from the first request."""
        at = self.sent - self.begun
        kept = (at >= start_s) & (at < end_s)
        part = (self.sent[kept], self.status[kept], self.latency_s[kept])
        return Load(*part, end_s - start_s, self.client_cpu_s, self.broken)


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of an open loop, in requests a second."""

    seconds: float
    rate: float


def closed_loop(server: Server, requests: Path, concurrency: int, seconds: float) -> Load:
    """Keep `concurrency` requests in flight."""
    return _wrk(server, requests, concurrency, "closed", [Phase(seconds, 0)])


def open_loop(server: Server, requests: Path, phases: Sequence[Phase], connections: int) -> Load:
    """Send at the rate of each phase in turn, whatever the answers do, as long as a connection is free."""
    return _wrk(server, requests, connections, "open", phases)


def connections_for(rate: float, queued: int = 0) -> int:
    """Enough for an open loop of `rate` requests a second.

    Args:
        queued: how many requests the server may hold at once, where the rate is more than it can answer.
    """
    return max(round(rate * CONNECTIONS_S), FEWEST_CONNECTIONS) + queued


def run_client(
    command: Sequence[str], results: Path, seconds: float, environment: Mapping[str, str] | None = None
) -> Load:
    """Run a load generator that sends for so many seconds to its end, and read the answers that it noted in `results`.

    Raises:
        RuntimeError: with what it printed, when it failed.
    """
    log = results.with_suffix(".log")
    with log.open("wb") as printed:
        client = subprocess.Popen(command, stdout=printed, stderr=subprocess.STDOUT, env=environment)
    _, status, used = os.wait4(client.pid, 0)  # of this child alone: two may run at once
    client.returncode = os.waitstatus_to_exitcode(status)
    if client.returncode != 0:
        raise RuntimeError(f"{command[0]} failed: {log.read_text(encoding='utf-8')[-4000:]}")
    answers = parse(results.read_text(encoding="utf-8"))
    return Load(*answers, seconds, used.ru_utime + used.ru_stime, broken(log.read_text(encoding="utf-8")))


def parse(results: str) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Lines of: monotonic seconds when sent, status, seconds until answered.

    Raises:
        RuntimeError: there is none.
    """
    rows = np.array([line.split() for line in results.splitlines()], dtype=np.float64)
    if not rows.size:
        raise RuntimeError("The server answered not one request.")
    return rows[:, 0], rows[:, 1].astype(np.int64), rows[:, 2]


def broken(printed: str) -> int:
    """How many connections wrk counts as failed. It prints nothing where there are none, or where it ended early."""
    found = _SOCKET_ERRORS.search(printed)
    return sum(map(int, found.groups())) if found else 0


def _wrk(server: Server, requests: Path, connections: int, kind: str, phases: Sequence[Phase]) -> Load:
    wrk = shutil.which("wrk")
    if wrk is None:
        raise SystemExit("This benchmark needs wrk as its load generator: apt-get install wrk")
    seconds = sum(phase.seconds for phase in phases)
    schedule = ",".join(f"{phase.seconds:.3f}:{phase.rate:.3f}" for phase in phases)
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "answers"
        command = [
            wrk, "--threads", "1", "--connections", str(connections),
            "--duration", f"{math.ceil(seconds) + ANSWER_TIMEOUT_S}s", "--timeout", f"{ANSWER_TIMEOUT_S}s",
            "--script", str(SCRIPT), server.url, "--",
            str(requests), str(results), f"Bearer {server.token}", kind, schedule,
        ]  # fmt: skip
        return run_client(command, results, seconds)
