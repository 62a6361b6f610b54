"""What the product promises about speed (DESIGN: numbers to reach), and whether a run of `benchmarks.serving` keeps it.

Works on the run's JSON, so that a stored result can be judged again. A promise whose group was not run is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.closed_loop import ALONE, BATCH_CASE, GRPC_CASE, MAIN_CASE, SINGLE_CASE, STORED_CASE, Case
from benchmarks.overload import BASE_SHARE
from benchmarks.soak import growth_mb

EFFICIENCY, STORED_EFFICIENCY, BATCH_EFFICIENCY = 0.80, 0.70, 0.90
PLUMBING_MS = 3.0
P95_MS, P99_MS = 200.0, 400.0
OVERLOAD_GOODPUT, REFUSED_MS, LIVEZ_MS, RECOVERED_S = 0.80, 50.0, 100.0, 10.0
GRPC_RATIO, CACHE_GAIN = 1.1, 5.0
RSS_MB, READY_S, GROWTH_MB = 1536.0, 15.0, 32.0
"""No growth means: less than 2 % of what the server may hold. Allocators move by some megabytes without a leak."""


@dataclass(frozen=True, slots=True)
class Promise:
    """`measured` is a median where there were rounds."""

    what: str
    target: float
    measured: float | None
    kept: bool


def promises(found: Mapping[str, Any]) -> list[Promise]:
    """Every promise that this run can judge."""
    return [*_closed(found), *_open(found), *_others(found)]


def _closed(found: Mapping[str, Any]) -> Iterator[Promise]:
    for case, target in ((MAIN_CASE, EFFICIENCY), (STORED_CASE, STORED_EFFICIENCY), (BATCH_CASE, BATCH_EFFICIENCY)):
        if row := _row(found, case):
            yield _at_least(f"kernel CPU / server CPU per text, {case.key}", target, row["efficiency"]["median"])
    if row := _row(found, SINGLE_CASE):
        most = found["kernel"][ALONE]["call_p50_ms"]["median"] + PLUMBING_MS
        yield _at_most("p50 at concurrency 1, ms (single text + 3)", most, row["p50_ms"]["median"])
    if (row := _row(found, GRPC_CASE)) and (http := _row(found, MAIN_CASE)):
        ratio = row["cpu_ms_per_text"]["median"] / http["cpu_ms_per_text"]["median"]
        yield _at_most("server CPU per request, gRPC / HTTP", GRPC_RATIO, ratio)


def _open(found: Mapping[str, Any]) -> Iterator[Promise]:
    for row in found.get("open", ()):
        if row["share"] == BASE_SHARE:
            yield _at_most("p95 at 70 % of the peak, ms", P95_MS, row["p95_ms"]["median"])
            yield _at_most("p99 at 70 % of the peak, ms", P99_MS, row["p99_ms"]["median"])
    if overload := found.get("overload"):
        yield _at_least("goodput at 300 % of the peak / peak", OVERLOAD_GOODPUT, overload["share_of_peak"])
        yield _at_most("99th percentile of refusals at 300 %, ms", REFUSED_MS, overload["refused_p99_ms"])
        yield _at_most("99th percentile of /livez at 300 %, ms", LIVEZ_MS, overload["livez_p99_ms"])
        yield _at_most("recovered after, s", RECOVERED_S, overload["recovered_s"])


def _others(found: Mapping[str, Any]) -> Iterator[Promise]:
    if cache := found.get("cache"):
        yield _at_least("requests/s, cached / not cached", CACHE_GAIN, cache["gain"]["median"])
    yield _at_most("most memory of all processes, MB", RSS_MB, max(row["rss_mb"] for row in found["closed"]))
    yield _at_most("ready after, s", READY_S, found["ready_s"])
    if len(soak := found.get("soak", ())) > 2:
        yield _at_most("growth of memory in the soak, MB", GROWTH_MB, growth_mb([minute["rss_mb"] for minute in soak]))


def _row(found: Mapping[str, Any], case: Case) -> Mapping[str, Any] | None:
    rows: Iterator[Mapping[str, Any]] = iter(found["closed"])
    return next((row for row in rows if (row["name"], row["concurrency"]) == (case.name, case.concurrency)), None)


def _at_least(what: str, target: float, measured: float) -> Promise:
    return Promise(what, target, measured, measured >= target)


def _at_most(what: str, target: float, measured: float | None) -> Promise:
    """Something that never came about (None), or of which there was none (NaN), keeps no promise."""
    return Promise(what, target, measured, measured is not None and measured <= target)
