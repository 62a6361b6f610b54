"""Rounds to figures: every server at every concurrency, and how many times its throughput Frontdesk's is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.peers.harness import Measured
from benchmarks.peers.line_up import FRONTDESK
from benchmarks.spread import Spread, ratios


@dataclass(frozen=True, slots=True)
class Row:
    """A server at one concurrency over all rounds; `errors` is their sum.

    `frontdesk` is Frontdesk's requests a second by this server's, formed round by round; None when it did not run.
    """

    peer: str
    concurrency: int
    per_s: Spread
    p50_ms: Spread
    p95_ms: Spread
    cpu_ms: Spread
    rss_mb: Spread
    client_cpu_ms: Spread
    errors: int
    frontdesk: Spread | None


def summarise(measured: Sequence[Measured]) -> list[Row]:
    """One row for each server and concurrency: by concurrency, the one with the most requests a second first."""
    together: dict[tuple[str, int], list[Measured]] = {}
    for one in sorted(measured, key=lambda one: one.turn):
        together.setdefault((one.peer, one.concurrency), []).append(one)
    rows = [_row(rounds, together.get((FRONTDESK, rounds[0].concurrency))) for rounds in together.values()]
    return sorted(rows, key=lambda row: (row.concurrency, -row.per_s.median))


def _row(rounds: Sequence[Measured], ours: Sequence[Measured] | None) -> Row:
    throughput = [one.per_s for one in rounds]
    return Row(
        peer=rounds[0].peer,
        concurrency=rounds[0].concurrency,
        per_s=Spread.of(throughput),
        p50_ms=Spread.of([one.p50_ms for one in rounds]),
        p95_ms=Spread.of([one.p95_ms for one in rounds]),
        cpu_ms=Spread.of([one.cpu_ms for one in rounds]),
        rss_mb=Spread.of([one.rss_mb for one in rounds]),
        client_cpu_ms=Spread.of([one.client_cpu_ms for one in rounds]),
        errors=sum(one.errors for one in rounds),
        frontdesk=ratios([one.per_s for one in ours], throughput) if ours and all(throughput) else None,
    )
