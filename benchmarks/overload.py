"""Open loops: latency at shares of the peak, and what becomes of the server when three times the peak arrives.

Requests are due at random times whatever the answers do. Below the peak this shows the latency that customers see;
above it the queue must be cut, or everyone waits. The overload is two loads at once: one at 70 % of the peak from
beginning to end, and a surge that brings the sum to 300 % and stops after a third of the time. Its last requests are
waited for, as clients do that do not give up. Beside it, ten times a second, a probe asks /livez on a fresh connection,
as an orchestrator would: a server that is busy must not look dead.

Recovered means: from that second on nobody is refused and the 95th percentile of each second stays below 200 ms.
"""

from __future__ import annotations

import http.client
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from benchmarks.closed_loop import MAIN_CASE, Observed, observe, write_bodies
from benchmarks.load import BUSY, Load, Phase, connections_for, open_loop
from benchmarks.server import Server
from benchmarks.spread import Spread

SHARES = (0.5, 0.7, 0.9, 1.2)
BASE_SHARE, OVERLOAD_SHARE = 0.7, 3.0
SETTLE_S = 2.0
"""So long the queue takes to fill; goodput and the refused are counted after it."""
RECOVERED_P95_MS = 200.0
PROBE_INTERVAL_S = 0.1
PROBE_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class OpenRow:
    """A share of the peak over all rounds; rates are per second."""

    share: float
    offered: Spread
    goodput: Spread
    cpu_ms_per_request: Spread
    p50_ms: Spread
    p95_ms: Spread
    p99_ms: Spread
    refused: int
    failed: int

    @classmethod
    def of(cls, share: float, seen: list[Observed]) -> Self:
        loads = [each.load for each in seen]
        return cls(
            share=share,
            offered=Spread.of([load.sent.size / load.seconds for load in loads]),
            goodput=Spread.of([load.goodput for load in loads]),
            cpu_ms_per_request=Spread.of([each.cpu_ms_per_text for each in seen]),
            p50_ms=Spread.of([load.latency_ms(0.50) for load in loads]),
            p95_ms=Spread.of([load.latency_ms(0.95) for load in loads]),
            p99_ms=Spread.of([load.latency_ms(0.99) for load in loads]),
            refused=sum(load.refused for load in loads),
            failed=sum(load.failed for load in loads),
        )


@dataclass(frozen=True, slots=True)
class Second:
    """What became of the requests that were sent in one second since the overload began."""

    second: int
    sent: int
    good: int
    refused: int
    failed: int
    p95_ms: float | None


@dataclass(frozen=True, slots=True)
class Overload:
    """Rates are per second; `recovered_s` counts from the end of the surge, None: not within the run."""

    offered: float
    goodput: float
    share_of_peak: float
    refused: int
    failed: int
    refused_p50_ms: float
    refused_p99_ms: float
    refused_most_ms: float
    livez_p50_ms: float
    livez_p99_ms: float
    livez_most_ms: float
    livez_failed: int
    recovered_s: int | None
    surge_s: float
    seconds: tuple[Second, ...]


class Prober:
    """Asks /livez again and again in a thread; `latencies_ms` of those answered 200, and how many were not."""

    def __init__(self, port: int) -> None:
        self.latencies_ms: list[float] = []
        self.failed = 0
        self._port = port
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._probe)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _probe(self) -> None:
        while not self._stop.wait(PROBE_INTERVAL_S):
            started = time.monotonic()
            if _alive(self._port):
                self.latencies_ms.append((time.monotonic() - started) * 1000)
            else:
                self.failed += 1


def _alive(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PROBE_TIMEOUT_S)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def run_open(server: Server, bodies: Path, peak: float, share: float, seconds: float, queued: int) -> Observed:
    """One open loop at a share of the peak."""
    connections = connections_for(peak * share, queued if share >= 1 else 0)
    return observe(server, 1, lambda: open_loop(server, bodies, [Phase(seconds, peak * share)], connections))


def run_overload(server: Server, folder: Path, peak: float, seconds: float, queued: int) -> Overload:
    """`seconds` of 300 % of the peak, then twice as long of 70 %.

    Args:
        queued: how many requests the server may hold at once; there are that many connections more than arrivals need.
    """
    bodies, _ = write_bodies(MAIN_CASE, folder)
    base, surge = peak * BASE_SHARE, peak * (OVERLOAD_SHARE - BASE_SHARE)
    for_base = connections_for(base, round(queued * BASE_SHARE / OVERLOAD_SHARE))
    for_surge = connections_for(surge, queued)
    with Prober(server.port) as prober, ThreadPoolExecutor(2) as pool:
        steady = pool.submit(open_loop, server, bodies, [Phase(seconds * 3, base)], for_base)
        sudden = pool.submit(open_loop, server, bodies, [Phase(seconds, surge)], for_surge)
        return summary(together(steady.result(), sudden.result()), prober, peak, seconds)


def together(one: Load, other: Load) -> Load:
    """Both loads as one, in the order of sending."""
    sent = np.concatenate([one.sent, other.sent])
    order = np.argsort(sent, kind="stable")
    return Load(
        sent[order],
        np.concatenate([one.status, other.status])[order],
        np.concatenate([one.latency_s, other.latency_s])[order],
        max(one.seconds, other.seconds),
        one.client_cpu_s + other.client_cpu_s,
        one.broken + other.broken,
    )


def summary(load: Load, prober: Prober, peak: float, surge_s: float) -> Overload:
    surge = load.sent_between(SETTLE_S, surge_s)
    goodput = load.goodput_between(SETTLE_S, surge_s)
    seconds = by_second(load)
    probes = prober.latencies_ms or [float("nan")]
    return Overload(
        offered=surge.sent.size / surge.seconds,
        goodput=goodput,
        share_of_peak=goodput / peak,
        refused=load.refused,
        failed=load.failed,
        refused_p50_ms=surge.latency_ms(0.50, BUSY),
        refused_p99_ms=surge.latency_ms(0.99, BUSY),
        refused_most_ms=surge.latency_ms(1.00, BUSY),
        livez_p50_ms=float(np.quantile(probes, 0.50)),
        livez_p99_ms=float(np.quantile(probes, 0.99)),
        livez_most_ms=max(probes),
        livez_failed=prober.failed,
        recovered_s=recovered_after(seconds, surge_s),
        surge_s=surge_s,
        seconds=tuple(seconds),
    )


def by_second(load: Load) -> list[Second]:
    """One entry for each second since the first request in which any was sent."""
    found = []
    for second in np.unique((load.sent - load.begun).astype(int)):
        part = load.sent_between(second, second + 1)
        p95 = part.latency_ms(0.95) if part.good else None
        found.append(Second(int(second), int(part.sent.size), part.good, part.refused, part.failed, p95))
    return found


def recovered_after(seconds: list[Second], surge_s: float) -> int | None:
    """Whole seconds from the end of the surge to the first from which on all is well; None if the last is not."""
    after = [each for each in seconds if each.second >= surge_s]
    bad = [each.second for each in after if not is_well(each)]
    if not after or (bad and bad[-1] == after[-1].second):
        return None
    return int(bad[-1] + 1 - surge_s) if bad else 0


def is_well(second: Second) -> bool:
    return second.refused == second.failed == 0 and second.p95_ms is not None and second.p95_ms < RECOVERED_P95_MS
