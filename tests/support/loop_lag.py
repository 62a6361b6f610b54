"""Event loop lag of a running server, from its own metric.

with watched(server) as lag:
    ...
assert lag.longest_s <= 0.05
"""

from __future__ import annotations

import math
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from prometheus_client.parser import text_string_to_metric_families

FAMILY = "frontdesk_event_loop_lag_seconds"
SETTLING_S = 0.1
"""The last stall is recorded when the loop wakes again."""


class RunningServer(Protocol):
    @property
    def url(self) -> str: ...


@dataclass
class Lag:
    """Cumulative histogram of wake-up delays over all workers: counts by upper bound in seconds."""

    counts: Mapping[float, float] = field(default_factory=dict)

    @property
    def longest_s(self) -> float:
        """The upper end of the bucket of the longest stall, in seconds; infinite above the largest bucket."""
        return max((bound for bound in self.counts if self._within(bound)), default=0.0)

    def since(self, before: Lag) -> Lag:
        """The wake-ups counted after `before` was read."""
        return Lag({bound: count - before.counts.get(bound, 0.0) for bound, count in self.counts.items()})

    def above(self, bound_s: float) -> int:
        """Number of stalls longer than `bound_s`, which must be the bound of a bucket."""
        return int(self.counts[math.inf] - self.counts[bound_s])

    def _within(self, bound: float) -> bool:
        """Whether the bucket with this upper bound has a stall."""
        below = [count for other, count in self.counts.items() if other < bound]
        return self.counts[bound] > max(below, default=0.0)


@contextmanager
def measure_lag(server: RunningServer) -> Iterator[Lag]:
    """Yields a `Lag` that has its counts after the context."""
    before, lag = lag_counts(server), Lag()
    yield lag
    time.sleep(SETTLING_S)
    lag.counts = lag_counts(server).since(before).counts


def lag_counts(server: RunningServer) -> Lag:
    """The wake-ups since the server started."""
    return Lag(_counts(server))


def _counts(server: RunningServer) -> dict[float, float]:
    """Cumulative counts of the histogram by the upper bound of each bucket."""
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=30) as response:
        text = response.read().decode()
    return {
        float(sample.labels["le"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == f"{FAMILY}_bucket"
    }
