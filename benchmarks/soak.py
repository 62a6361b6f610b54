"""Does memory grow? Minutes at 70 % of the peak, and what all processes of the server hold after each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from benchmarks.load import Phase, connections_for, open_loop
from benchmarks.overload import BASE_SHARE
from benchmarks.server import Server

MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Minute:
    """After so many minutes; requests are those of this minute."""

    minute: int
    rss_mb: float
    good: int
    refused: int
    failed: int
    p95_ms: float | None


def run_soak(server: Server, bodies: Path, peak: float, minutes: int) -> Iterator[Minute]:
    """One entry a minute, printed as it passes; minute 0 is before the load."""
    console = Console(stderr=True)
    yield Minute(0, server.rss_mb(), 0, 0, 0, None)
    for minute in range(1, minutes + 1):
        rate = peak * BASE_SHARE
        load = open_loop(server, bodies, [Phase(MINUTE_S, rate)], connections_for(rate))
        p95_ms = load.latency_ms(0.95)
        passed = Minute(minute, server.rss_mb(), load.good, load.refused, load.failed, p95_ms)
        console.print(
            f"minute {minute}: {passed.rss_mb:.0f} MB, {passed.good} answered, {passed.refused} refused, "
            f"{passed.failed} failed, p95 {p95_ms:.0f} ms"
        )
        yield passed


def growth_mb(rss_mb: list[float]) -> float:
    """From after the first minute, in which queues and pools fill for the first time, to the end."""
    return rss_mb[-1] - rss_mb[1]
