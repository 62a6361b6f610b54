"""Pictures of one run of `benchmarks.serving`, from its JSON: readable without colour, each figure with its spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.overload import RECOVERED_P95_MS
from benchmarks.promises import BATCH_EFFICIENCY, EFFICIENCY, STORED_EFFICIENCY

DOTS_PER_INCH = 130
LINES = ("-o", "--s", ":^")


def draw(found: Mapping[str, Any], folder: Path) -> list[Path]:
    """One PNG for each part of the run that there is; their paths."""
    parts = {"efficiency": _efficiency, "latency": _latency, "overload": _overload, "memory": _memory}
    there = {"efficiency": "closed", "latency": "open", "overload": "overload", "memory": "soak"}
    drawn = []
    for name, draw_part in parts.items():
        if found.get(there[name]):
            figure = Figure(figsize=(8, 4.5), layout="constrained")
            FigureCanvasAgg(figure)  # needs no screen
            draw_part(figure.add_subplot(), found)
            drawn.append(folder / f"{name}.png")
            figure.savefig(drawn[-1], dpi=DOTS_PER_INCH)
    return drawn


def _efficiency(axes: Axes, found: Mapping[str, Any]) -> None:
    rows = found["closed"]
    places = range(len(rows))
    axes.barh(
        places, [row["efficiency"]["median"] for row in rows], xerr=_errors(rows, "efficiency"), color="0.75", capsize=3
    )
    axes.set_yticks(places, [f"{row['name']}\n{row['concurrency']} in flight" for row in rows], fontsize=8)
    axes.invert_yaxis()
    for target in (EFFICIENCY, STORED_EFFICIENCY, BATCH_EFFICIENCY):
        axes.axvline(target, color="0.3", linestyle=":", linewidth=1)
        axes.text(target, -0.6, f"{target:.2f}", ha="center", fontsize=7)
    axes.set_xlabel("CPU of the models alone / CPU of the server, per text (bars: least and most of the rounds)")
    axes.set_title(f"How much of the server's work is the models' ({found['placement']})", loc="left", pad=14)


def _latency(axes: Axes, found: Mapping[str, Any]) -> None:
    rows = found["open"]
    shares = [row["share"] * 100 for row in rows]
    for line, name, label in zip(LINES, ("p50_ms", "p95_ms", "p99_ms"), ("p50", "p95", "p99"), strict=True):
        medians = [row[name]["median"] for row in rows]
        axes.errorbar(shares, medians, yerr=_errors(rows, name), fmt=line, color="0.15", capsize=3, label=label)
    axes.axhline(RECOVERED_P95_MS, color="0.5", linewidth=1)
    axes.text(shares[0], RECOVERED_P95_MS, "promised p95 at 70 %", fontsize=8, va="bottom")
    axes.set_yscale("log")
    axes.set_xticks(shares, [f"{share:.0f} %" for share in shares])
    axes.set_xlabel(f"requests offered, share of the peak of {found['peak_per_s']:.0f}/s")
    axes.set_ylabel("ms")
    axes.set_title("Latency when requests come whatever the answers do", loc="left")
    axes.legend(frameon=False)


def _overload(axes: Axes, found: Mapping[str, Any]) -> None:
    seconds = found["overload"]["seconds"]
    at = [each["second"] for each in seconds]
    for line, name, label in zip(LINES, ("sent", "good", "refused"), ("sent", "answered", "refused"), strict=True):
        axes.plot(at, [each[name] for each in seconds], line, color="0.15", markersize=4, label=label)
    axes.axhline(found["peak_per_s"], color="0.5", linewidth=1)
    axes.text(at[-1], found["peak_per_s"], "peak", fontsize=8, va="bottom", ha="right")
    axes.axvline(found["overload"]["surge_s"], color="0.5", linestyle=":")
    axes.set_xlabel("second in which the request was sent (dotted: the surge ends)")
    axes.set_ylabel("requests")
    axes.set_title("Three times the peak, then 70 %", loc="left")
    axes.legend(frameon=False)


def _memory(axes: Axes, found: Mapping[str, Any]) -> None:
    minutes = found["soak"]
    axes.plot([each["minute"] for each in minutes], [each["rss_mb"] for each in minutes], LINES[0], color="0.15")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("minutes at 70 % of the peak")
    axes.set_ylabel("resident memory of all processes, MB")
    axes.set_title("Memory under load", loc="left")


def _errors(rows: Sequence[Mapping[str, Any]], name: str) -> list[list[float]]:
    """How far least and most lie from the median, as matplotlib asks for them."""
    return [
        [row[name]["median"] - row[name]["least"] for row in rows],
        [row[name]["most"] - row[name]["median"] for row in rows],
    ]
