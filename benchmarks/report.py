"""Tables, targets and plots of a run of `benchmarks.serving`, from its JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from rich.console import Console

from benchmarks.closed_loop import ALONE, BATCH_CASE, GRPC_CASE, MAIN_CASE, SINGLE_CASE, STORED_CASE, Case
from benchmarks.kernel import COLUMNS as KERNEL_COLUMNS
from benchmarks.overload import BASE_SHARE, RECOVERED_P95_MS, memory_growth_mb
from benchmarks.results import TABLE_WIDTH, Column, print_table

MIN_EFFICIENCY = {MAIN_CASE: 0.80, STORED_CASE: 0.70, BATCH_CASE: 0.90}
MAX_OVERHEAD_MS = 3.0
P95_MS, P99_MS = 200.0, 400.0
OVERLOAD_GOODPUT, REFUSED_MS, LIVEZ_MS, RECOVERED_S = 0.80, 50.0, 100.0, 10.0
GRPC_RATIO, CACHE_GAIN = 1.1, 5.0
RSS_MB, READY_S, GROWTH_MB = 1536.0, 15.0, 32.0
"""Maximum memory, start time and memory growth. Growth may be 2 % of the memory: allocators vary by some megabytes."""

LATENCY_COLUMNS: tuple[Column, ...] = (
    ("p50 ms", "p50_ms", ".1f"),
    ("p95 ms", "p95_ms", ".0f"),
    ("p99 ms", "p99_ms", ".0f"),
    ("503", "refused", "d"),
    ("failed", "failed", "d"),
)
CLOSED_LOOP_COLUMNS: tuple[Column, ...] = (
    ("request", "name", ""),
    ("in flight", "concurrency", "d"),
    ("CPU ms per text", "cpu_ms_per_text", ".2f"),
    ("efficiency", "efficiency", ".2f"),
    ("wall ratio", "wall_ratio", ".2f"),
    ("requests/s", "requests_per_s", ".0f"),
    *LATENCY_COLUMNS,
    ("client CPU", "client_cores", ".2f"),
    ("RSS MB", "rss_mb", ".0f"),
)
OPEN_LOOP_COLUMNS: tuple[Column, ...] = (
    ("share", "share", ".0%"),
    ("offered/s", "offered", ".0f"),
    ("answered/s", "goodput", ".0f"),
    ("CPU ms", "cpu_ms_per_request", ".2f"),
    *LATENCY_COLUMNS,
)
OVERLOAD_COLUMNS: tuple[Column, ...] = (
    ("offered/s", "offered", ".0f"),
    ("answered/s", "goodput", ".0f"),
    ("of the peak", "share_of_peak", ".2f"),
    ("503: p50", "refused_p50_ms", ".0f"),
    ("p99", "refused_p99_ms", ".0f"),
    ("max ms", "refused_most_ms", ".0f"),
    ("/livez: p50", "livez_p50_ms", ".0f"),
    ("p99", "livez_p99_ms", ".0f"),
    ("max ms", "livez_most_ms", ".0f"),
    ("failed", "failed", "d"),
    ("recovered after, s", "recovered_s", "d"),
)
DOTS_PER_INCH = 130
LINE_STYLES = ("-o", "--s", ":^")


class TargetCheck(NamedTuple):
    """One target and its measured value, which is a median if there were rounds."""

    what: str
    target: float
    measured: float | None
    met: bool


def print_report(result: Mapping[str, Any]) -> None:
    machine = result["machine"]
    Console(width=TABLE_WIDTH).print(
        f"{machine['processor']}, {machine['cores']} cores, commit {machine['commit']}, load of the machine before the "
        f"run {machine['load_before']:.1f} (above 0.3 another program uses the machine: only ratios are reliable)",
        highlight=False,
    )
    loops = [{"loop": _loop(name, result), **statistics} for name, statistics in result["kernel"].items()]
    print_table(f"The models alone, bundle {result['bundle']}", [("loop", "loop", ""), *KERNEL_COLUMNS], loops)
    title = (
        f"Closed loop: {result['workers']} workers, {result['placement']}. Efficiency: CPU of the models alone / "
        "CPU of the server; wall ratio: texts/s of the server / texts/s of the models alone"
    )
    print_table(title, CLOSED_LOOP_COLUMNS, result["closed"])
    if "open" in result:
        print_table(
            f"Open loop: shares of the peak of {result['peak_per_s']:.0f} requests/s", OPEN_LOOP_COLUMNS, result["open"]
        )
    if "overload" in result:
        print_table("Overload: 300 % of the peak", OVERLOAD_COLUMNS, [result["overload"]])
    if cache := result.get("cache"):
        rows = [
            {"texts": "new texts", "per_s": cache["cold_per_s"], "cpu_ms": cache["cold_cpu_ms"]},
            {"texts": "repeated texts", "per_s": cache["hot_per_s"], "cpu_ms": cache["hot_cpu_ms"]},
            {"texts": "gain", "gain": cache["gain"]},
        ]
        columns = (("texts", "texts", ""), ("requests/s", "per_s", ".0f"), ("CPU ms", "cpu_ms", ".2f"))
        print_table("Score cache", [*columns, ("gain", "gain", ".1f")], rows)
    if "soak" in result:
        minutes: list[Column] = [("minute", "minute", "d"), ("RSS MB", "rss_mb", ".0f"), ("answered", "good", "d")]
        print_table("Soak at 70 % of the peak", [*minutes, *LATENCY_COLUMNS[1:2], *LATENCY_COLUMNS[3:]], result["soak"])
    rows = [check._asdict() for check in check_targets(result)]
    columns = (("what", "what", ""), ("target", "target", ".2f"), ("measured", "measured", ".2f"))
    print_table("Targets", [*columns, ("met", "met", "")], rows)


def _loop(name: str, result: Mapping[str, Any]) -> str:
    loop = "single texts, one process" if name == ALONE else f"batches of {name}, {result['workers']} processes"
    return loop + (" (the reference)" if name == result["kernel_reference"] else "")


def check_targets(result: Mapping[str, Any]) -> list[TargetCheck]:
    """Check all targets for which this run has results."""
    return [*_closed_loop_targets(result), *_open_loop_targets(result), *_other_targets(result)]


def _closed_loop_targets(result: Mapping[str, Any]) -> Iterator[TargetCheck]:
    rows = {(row["name"], row["concurrency"]): row for row in result["closed"]}

    def median(case: Case, key: str) -> float | None:
        row = rows.get((case.name, case.concurrency))
        return row and row[key]["median"]

    for case, target in MIN_EFFICIENCY.items():
        if (efficiency := median(case, "efficiency")) is not None:
            yield _at_least(f"kernel CPU / server CPU per text, {case.key}", target, efficiency)
    if (p50 := median(SINGLE_CASE, "p50_ms")) is not None:
        limit = result["kernel"][ALONE]["call_p50_ms"]["median"] + MAX_OVERHEAD_MS
        yield _at_most("p50 at concurrency 1, ms (single text + 3)", limit, p50)
    if (rpc := median(GRPC_CASE, "cpu_ms_per_text")) and (http := median(MAIN_CASE, "cpu_ms_per_text")):
        yield _at_most("server CPU per request, gRPC / HTTP", GRPC_RATIO, rpc / http)


def _open_loop_targets(result: Mapping[str, Any]) -> Iterator[TargetCheck]:
    for row in result.get("open", ()):
        if row["share"] == BASE_SHARE:
            yield _at_most("p95 at 70 % of the peak, ms", P95_MS, row["p95_ms"]["median"])
            yield _at_most("p99 at 70 % of the peak, ms", P99_MS, row["p99_ms"]["median"])
    if overload := result.get("overload"):
        yield _at_least("goodput at 300 % of the peak / peak", OVERLOAD_GOODPUT, overload["share_of_peak"])
        yield _at_most("99th percentile of refusals at 300 %, ms", REFUSED_MS, overload["refused_p99_ms"])
        yield _at_most("99th percentile of /livez at 300 %, ms", LIVEZ_MS, overload["livez_p99_ms"])
        yield _at_most("recovered after, s", RECOVERED_S, overload["recovered_s"])


def _other_targets(result: Mapping[str, Any]) -> Iterator[TargetCheck]:
    if cache := result.get("cache"):
        yield _at_least("requests/s, cached / not cached", CACHE_GAIN, cache["gain"]["median"])
    yield _at_most("memory of all processes, maximum, MB", RSS_MB, max(row["rss_mb"] for row in result["closed"]))
    yield _at_most("ready after, s", READY_S, result["ready_s"])
    if len(soak := result.get("soak", ())) > 2:
        yield _at_most(
            "growth of memory in the soak, MB", GROWTH_MB, memory_growth_mb([minute["rss_mb"] for minute in soak])
        )


def _at_least(what: str, target: float, measured: float) -> TargetCheck:
    return TargetCheck(what, target, measured, measured >= target)


def _at_most(what: str, target: float, measured: float | None) -> TargetCheck:
    """Check an upper limit; a missing value (None) does not meet it."""
    return TargetCheck(what, target, measured, measured is not None and measured <= target)


def draw_plots(result: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write one PNG for each part of the run and return the paths."""
    parts = {
        "efficiency": ("closed", _efficiency),
        "latency": ("open", _latency),
        "overload": ("overload", _overload),
        "memory": ("soak", _memory),
    }
    paths = []
    for name, (group, draw_part) in parts.items():
        if result.get(group):
            figure = Figure(figsize=(8, 4.5), layout="constrained")
            FigureCanvasAgg(figure)  # a canvas without a display
            draw_part(figure.add_subplot(), result)
            paths.append(folder / f"{name}.png")
            figure.savefig(paths[-1], dpi=DOTS_PER_INCH)
    return paths


def error_bars(rows: Sequence[Mapping[str, Any]], name: str) -> tuple[list[float], list[list[float]]]:
    """Return medians and their distances to minimum and maximum, as matplotlib expects error bars."""
    medians = [row[name]["median"] for row in rows]
    below = [median - row[name]["least"] for median, row in zip(medians, rows, strict=True)]
    above = [row[name]["most"] - median for median, row in zip(medians, rows, strict=True)]
    return medians, [below, above]


def _efficiency(axes: Axes, result: Mapping[str, Any]) -> None:
    rows = result["closed"]
    places = range(len(rows))
    medians, errors = error_bars(rows, "efficiency")
    axes.barh(places, medians, xerr=errors, color="0.75", capsize=3)
    axes.set_yticks(places, [f"{row['name']}\n{row['concurrency']} in flight" for row in rows], fontsize=8)
    axes.invert_yaxis()
    for target in MIN_EFFICIENCY.values():
        axes.axvline(target, color="0.3", linestyle=":", linewidth=1)
        axes.text(target, -0.6, f"{target:.2f}", ha="center", fontsize=7)
    axes.set_xlabel("CPU of the models alone / CPU of the server, per text (bars: minimum and maximum of the rounds)")
    axes.set_title(f"Share of the models in the CPU of the server ({result['placement']})", loc="left", pad=14)


def _latency(axes: Axes, result: Mapping[str, Any]) -> None:
    rows = result["open"]
    shares = [row["share"] * 100 for row in rows]
    for line, name in zip(LINE_STYLES, ("p50", "p95", "p99"), strict=True):
        medians, errors = error_bars(rows, f"{name}_ms")
        axes.errorbar(shares, medians, yerr=errors, fmt=line, color="0.15", capsize=3, label=name)
    axes.axhline(RECOVERED_P95_MS, color="0.5", linewidth=1)
    axes.text(shares[0], RECOVERED_P95_MS, "target p95 at 70 %", fontsize=8, va="bottom")
    axes.set_yscale("log")
    axes.set_xticks(shares, [f"{share:.0f} %" for share in shares])
    axes.set_xlabel(f"requests offered, share of the peak of {result['peak_per_s']:.0f}/s")
    axes.set_ylabel("ms")
    axes.set_title("Latency with an open loop", loc="left")
    axes.legend(frameon=False)


def _overload(axes: Axes, result: Mapping[str, Any]) -> None:
    seconds = result["overload"]["seconds"]
    seconds_axis = [each["second"] for each in seconds]
    for line, name, label in zip(
        LINE_STYLES, ("sent", "good", "refused"), ("sent", "answered", "refused"), strict=True
    ):
        axes.plot(seconds_axis, [each[name] for each in seconds], line, color="0.15", markersize=4, label=label)
    axes.axhline(result["peak_per_s"], color="0.5", linewidth=1)
    axes.text(seconds_axis[-1], result["peak_per_s"], "peak", fontsize=8, va="bottom", ha="right")
    axes.axvline(result["overload"]["surge_s"], color="0.5", linestyle=":")
    axes.set_xlabel("second in which the request was sent (dotted: end of the surge)")
    axes.set_ylabel("requests")
    axes.set_title("Three times the peak, then 70 %", loc="left")
    axes.legend(frameon=False)


def _memory(axes: Axes, result: Mapping[str, Any]) -> None:
    minutes = result["soak"]
    axes.plot([each["minute"] for each in minutes], [each["rss_mb"] for each in minutes], LINE_STYLES[0], color="0.15")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("minutes at 70 % of the peak")
    axes.set_ylabel("resident memory of all processes, MB")
    axes.set_title("Memory under load", loc="left")
