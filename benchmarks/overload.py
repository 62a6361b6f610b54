"""Open loops: latency at shares of the peak, and behaviour at three times the peak.

Requests are due at random times, independent of answers. Below the peak this measures the latency that customers see;
above it the server must refuse requests, or all of them wait. The overload consists of two loads: one at 70 % of the
peak for the whole time, and a surge that raises the sum to 300 % and ends after a third of the time. Answers to the
last requests are awaited, as patient clients do. In parallel, a probe requests /livez ten times a second on a new
connection, as an orchestrator does: a busy server must not appear dead.

A server has recovered from the second on after which no request is refused or fails and the 95th percentile of each
second is below 200 ms.

The soak is a number of minutes at 70 % of the peak, with the memory of all processes after each.
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
"""Time in which the queue fills; goodput and refused requests are counted after it."""
RECOVERED_P95_MS = 200.0
PROBE_INTERVAL_S = 0.1
MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Second:
    """Outcome of the requests that were sent in one second; `second` counts from the start of the overload."""

    second: int
    sent: int
    good: int
    refused: int
    failed: int
    p95_ms: float | None


class LivenessProbe:
    """Requests /livez repeatedly in a thread. Has `latencies_ms` of answers with status 200, and a count of others."""

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
    """Run one open loop at a share of the peak."""
    connections = count_connections(peak * share, queued if share >= 1 else 0)
    return run_load(server, 1, lambda: open_loop(server, bodies, [Phase(seconds, peak * share)], connections))


def summarize_open_loops(share: float, results: Sequence[LoadResult]) -> dict[str, Any]:
    """Summarize a share of the peak over all rounds. Rates are per second."""
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
    """Yield memory and request counts of each minute; minute 0 is before the load."""
    yield {"minute": 0, "rss_mb": server.rss_mb()}
    rate = peak * BASE_SHARE
    for minute in range(1, minutes + 1):
        report(f"soak, minute {minute} of {minutes}")
        load = open_loop(server, bodies, [Phase(MINUTE_S, rate)], count_connections(rate))
        counts = {"good": load.good, "refused": load.refused, "failed": load.failed, "p95_ms": load.latency_ms(0.95)}
        yield {"minute": minute, "rss_mb": server.rss_mb(), **counts}


def memory_growth_mb(rss_mb: Sequence[float]) -> float:
    """Growth of memory from the end of the first minute, in which queues and pools fill, to the end."""
    return rss_mb[-1] - rss_mb[1]


def run_overload(server: Server, folder: Path, peak: float, seconds: float, queued: int) -> dict[str, Any]:
    """Run `seconds` at 300 % of the peak, then twice as long at 70 %.

    Args:
        queued: number of requests that the server may hold at once; as many additional connections are opened.
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
    """Merge two loads, in the order of sending."""
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
    """Summarize the overload. Rates are per second. `recovered_s` counts from the end of the surge; None if never."""
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
    """Count outcomes for each second since the first request; seconds without requests are left out."""
    seconds = []
    for second in np.unique((load.sent - load.started_at).astype(int)):
        part = load.sent_between(second, second + 1)
        p95 = part.latency_ms(0.95) if part.good else None
        seconds.append(Second(int(second), int(part.sent.size), part.good, part.refused, part.failed, p95))
    return seconds


def seconds_to_recovery(seconds: list[Second], surge_s: float) -> int | None:
    """Seconds from the end of the surge until all later seconds are healthy; None if the last one is not."""
    after = [each for each in seconds if each.second >= surge_s]
    bad = [each.second for each in after if not is_healthy(each)]
    if not after or (bad and bad[-1] == after[-1].second):
        return None
    return int(bad[-1] + 1 - surge_s) if bad else 0


def is_healthy(second: Second) -> bool:
    return second.refused == second.failed == 0 and second.p95_ms is not None and second.p95_ms < RECOVERED_P95_MS
