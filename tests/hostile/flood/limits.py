"""Limits of an attack's effect on ordinary clients and the server."""

from __future__ import annotations

from collections.abc import Iterator

from tests.hostile.flood.measure import Outcome

MAX_P95_RATIO = 2.0
P95_NOISE_MS = 20.0
"""Below this p95 the ratio is noise: one scheduling delay on a busy machine is as long."""
MAX_MEMORY_GROWTH_MB = 100.0
STOP_MARGIN_S = 3.0
"""Time for the processes to end after the grace time."""


def find_exceeded_limits(outcome: Outcome, grace_s: float, noise_ms: float = P95_NOISE_MS) -> Iterator[str]:
    """A line for each limit that was exceeded. A p95 below `noise_ms` never counts as exceeded."""
    if outcome.during.failures:
        yield f"{len(outcome.during.failures)} requests of ordinary clients failed"
    if outcome.ratio > MAX_P95_RATIO and outcome.during.p95_ms > noise_ms:
        yield f"p95 is {outcome.ratio:.1f} times that before the attack"
    if outcome.memory_growth_mb > MAX_MEMORY_GROWTH_MB:
        yield f"memory grew by {outcome.memory_growth_mb:.0f} MB"
    if outcome.stop_s > grace_s + STOP_MARGIN_S:
        yield f"the server took {outcome.stop_s:.1f} s to stop, with a grace time of {grace_s} s"
