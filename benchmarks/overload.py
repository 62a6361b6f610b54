"""Open loops: latency at shares of the peak, and what becomes of the server when three times the peak arrives.

Requests are due at random times whatever the answers do. Below the peak this shows the latency that customers see;
above it the queue must be cut, or everyone waits. The overload is two loads at once: one at 70 % of the peak from
beginning to end, and a surge that brings the sum to 300 % and stops after a third of the time. Its last requests are
waited for, as clients do that do not give up. Beside it, ten times a second, a probe asks /livez on a fresh connection,
as an orchestrator would: a server that is busy must not look dead.

Recovered means: from that second on nobody is refused and the 95th percentile of each second stays below 200 ms.

The soak is minutes at 70 % of the peak, with the memory of all processes after each.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from benchmarks.closed_loop import MAIN_CASE, LoadResult, run_load, summarize_latencies, write_bodies
from benchmarks.load import BUSY, Load, Phase, count_connections, open_loop
from benchmarks.results import RoundStats
from benchmarks.server import Server, get_status

SHARES = (0.5, 0.7, 0.9, 1.2)
BASE_SHARE, OVERLOAD_SHARE = 0.7, 3.0
SETTLE_S = 2.0
"""So long the queue takes to fill; goodput and the refused are counted after it."""
RECOVERED_P95_MS = 200.0
PROBE_INTERVAL_S = 0.1
MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Second:
    """What became of the requests that were sent in one second since the overload began."""

    second: int
    sent: int
    good: int
    refused: int
    failed: int
    p95_ms: float | None


class LivenessProbe:
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
            if get_status(self._port, "/livez") == 200:
                self.latencies_ms.append((time.monotonic() - started) * 1000)
            else:
                self.failed += 1


def run_open_loop(server: Server, bodies: Path, peak: float, share: float, seconds: float, queued: int) -> LoadResult:
    """One open loop at a share of the peak."""
    connections = count_connections(peak * share, queued if share >= 1 else 0)
    return run_load(server, 1, lambda: open_loop(server, bodies, [Phase(seconds, peak * share)], connections))


def summarize_open_loops(share: float, results: Sequence[LoadResult]) -> dict[str, Any]:
    """A share of the peak over all rounds; rates are per second."""
    loads = [each.load for each in results]
    return {
        "share": share,
        "offered": RoundStats.of([load.sent.size / load.seconds for load in loads]),
        "goodput": RoundStats.of([load.goodput for load in loads]),
        "cpu_ms_per_request": RoundStats.of([each.cpu_ms_per_text for each in results]),
        **summarize_latencies(loads),
    }


def run_soak(
    server: Server, bodies: Path, peak: float, minutes: int, report: Callable[[str], None]
) -> Iterator[dict[str, Any]]:
    """Memory and requests of each minute; minute 0 is before the load."""
    yield {"minute": 0, "rss_mb": server.rss_mb()}
    rate = peak * BASE_SHARE
    for minute in range(1, minutes + 1):
        report(f"soak, minute {minute} of {minutes}")
        load = open_loop(server, bodies, [Phase(MINUTE_S, rate)], count_connections(rate))
        counts = {"good": load.good, "refused": load.refused, "failed": load.failed, "p95_ms": load.latency_ms(0.95)}
        yield {"minute": minute, "rss_mb": server.rss_mb(), **counts}


def memory_growth_mb(rss_mb: Sequence[float]) -> float:
    """From after the first minute, in which queues and pools fill for the first time, to the end."""
    return rss_mb[-1] - rss_mb[1]


def run_overload(server: Server, folder: Path, peak: float, seconds: float, queued: int) -> dict[str, Any]:
    """`seconds` of 300 % of the peak, then twice as long of 70 %.

    Args:
        queued: how many requests the server may hold at once; there are that many connections more than arrivals need.
    """
    bodies, _ = write_bodies(MAIN_CASE, folder)
    base, surge = peak * BASE_SHARE, peak * (OVERLOAD_SHARE - BASE_SHARE)
    for_base = count_connections(base, round(queued * BASE_SHARE / OVERLOAD_SHARE))
    for_surge = count_connections(surge, queued)
    with LivenessProbe(server.port) as prober, ThreadPoolExecutor(2) as pool:
        steady = pool.submit(open_loop, server, bodies, [Phase(seconds * 3, base)], for_base)
        sudden = pool.submit(open_loop, server, bodies, [Phase(seconds, surge)], for_surge)
        return summarize_overload(merge_loads(steady.result(), sudden.result()), prober, peak, seconds)


def merge_loads(first: Load, other: Load) -> Load:
    """Both loads as one, in the order of sending."""
    sent = np.concatenate([first.sent, other.sent])
    order = np.argsort(sent, kind="stable")
    return Load(
        sent[order],
        np.concatenate([first.status, other.status])[order],
        np.concatenate([first.latency_s, other.latency_s])[order],
        max(first.seconds, other.seconds),
        first.client_cpu_s + other.client_cpu_s,
        first.broken + other.broken,
    )


def summarize_overload(load: Load, prober: LivenessProbe, peak: float, surge_s: float) -> dict[str, Any]:
    """Rates are per second; `recovered_s` counts from the end of the surge, None: not within the run."""
    surge = load.sent_between(SETTLE_S, surge_s)
    goodput = load.goodput_between(SETTLE_S, surge_s)
    seconds = count_by_second(load)
    probes = prober.latencies_ms or [float("nan")]
    percentiles = {"p50_ms": 0.50, "p99_ms": 0.99, "most_ms": 1.00}
    return {
        "offered": surge.sent.size / surge.seconds,
        "goodput": goodput,
        "share_of_peak": goodput / peak,
        "refused": load.refused,
        "failed": load.failed,
        **{f"refused_{name}": surge.latency_ms(share, BUSY) for name, share in percentiles.items()},
        **{f"livez_{name}": float(np.quantile(probes, share)) for name, share in percentiles.items()},
        "livez_failed": prober.failed,
        "recovered_s": seconds_to_recovery(seconds, surge_s),
        "surge_s": surge_s,
        "seconds": seconds,
    }


def count_by_second(load: Load) -> list[Second]:
    """One entry for each second since the first request in which any was sent."""
    seconds = []
    for second in np.unique((load.sent - load.started_at).astype(int)):
        part = load.sent_between(second, second + 1)
        p95 = part.latency_ms(0.95) if part.good else None
        seconds.append(Second(int(second), int(part.sent.size), part.good, part.refused, part.failed, p95))
    return seconds


def seconds_to_recovery(seconds: list[Second], surge_s: float) -> int | None:
    """Whole seconds from the end of the surge to the first from which on all is well; None if the last is not."""
    after = [each for each in seconds if each.second >= surge_s]
    bad = [each.second for each in after if not is_healthy(each)]
    if not after or (bad and bad[-1] == after[-1].second):
        return None
    return int(bad[-1] + 1 - surge_s) if bad else 0


def is_healthy(second: Second) -> bool:
    return second.refused == second.failed == 0 and second.p95_ms is not None and second.p95_ms < RECOVERED_P95_MS
