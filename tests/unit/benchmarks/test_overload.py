"""Outcome of an overload by second, and the time of recovery."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.load import Load
from benchmarks.overload import (
    LivenessProbe,
    Second,
    count_by_second,
    merge_loads,
    seconds_to_recovery,
    summarize_overload,
)

WELL = {"sent": 10, "good": 10, "refused": 0, "failed": 0, "p95_ms": 50.0}


def load(sent: list[float], status: list[int], latency_s: list[float]) -> Load:
    return Load(np.array(sent), np.array(status), np.array(latency_s), 6.0, client_cpu_s=0.1)


@pytest.mark.parametrize(
    ("bad_seconds", "expected"), [([], 0), ([4], 1), ([4, 7], 4), ([2, 3], 0), ([9], None)], ids=str
)
def test_recovery_counts_from_the_end_of_the_surge_to_the_last_bad_second(
    bad_seconds: list[int], expected: int | None
) -> None:
    seconds = [Second(number, **{**WELL, "refused": int(number in bad_seconds)}) for number in range(10)]

    assert seconds_to_recovery(seconds, surge_s=4) == expected


@pytest.mark.parametrize("bad", [{"failed": 1}, {"p95_ms": 250.0}, {"p95_ms": None}])
def test_a_second_with_failures_or_slow_answers_is_bad(bad: dict[str, float]) -> None:
    seconds = [Second(4, **{**WELL, **bad}), Second(5, **WELL)]  # type: ignore[arg-type]

    assert seconds_to_recovery(seconds, surge_s=4) == 1


def test_a_run_that_ends_with_its_surge_shows_no_recovery() -> None:
    assert seconds_to_recovery([Second(3, **WELL)], surge_s=4) is None  # type: ignore[arg-type]


def test_both_loads_are_counted_by_second() -> None:
    both = merge_loads(load([0.0, 1.2], [200, 503], [0.1, 0.01]), load([0.5, 1.1], [200, 504], [0.3, 9.0]))

    assert count_by_second(both) == [
        Second(0, sent=2, good=2, refused=0, failed=0, p95_ms=pytest.approx(290)),
        Second(1, sent=2, good=0, refused=1, failed=1, p95_ms=None),
    ]


def test_goodput_and_refusals_are_those_of_the_surge_once_it_has_filled_the_queue() -> None:
    times = [number / 10 for number in range(60)]
    statuses = [503 if number % 2 else 200 for number in range(40)] + [200] * 20
    prober = LivenessProbe(port=0)
    prober.latencies_ms = [1.0, 3.0]

    figures = summarize_overload(load(times, statuses, [0.005] * 60), prober, peak=10.0, surge_s=4.0)

    assert figures["offered"] == pytest.approx(10)
    assert figures["share_of_peak"] == pytest.approx(0.5)
    assert figures["refused_p99_ms"] == pytest.approx(5)
    assert (figures["refused"], figures["livez_p50_ms"], figures["recovered_s"]) == (20, 2.0, 0)
