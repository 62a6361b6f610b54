"""The tables that `benchmarks.serving` prints, from its JSON: medians of the rounds, least and most below them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.spread import Spread

WIDTH = 170
CLOSED = (
    ("CPU ms a text", "cpu_ms_per_text", ".2f"),
    ("efficiency", "efficiency", ".2f"),
    ("wall ratio", "wall_ratio", ".2f"),
    ("requests/s", "requests_per_s", ".0f"),
    ("p50 ms", "p50_ms", ".1f"),
    ("p95 ms", "p95_ms", ".0f"),
    ("p99 ms", "p99_ms", ".0f"),
)
OPEN = (
    ("offered/s", "offered", ".0f"),
    ("answered/s", "goodput", ".0f"),
    ("CPU ms", "cpu_ms_per_request", ".2f"),
    ("p50 ms", "p50_ms", ".1f"),
    ("p95 ms", "p95_ms", ".0f"),
    ("p99 ms", "p99_ms", ".0f"),
)


def print_report(found: Mapping[str, Any]) -> None:
    console = Console(width=WIDTH)
    where = found["machine"]
    console.print(
        f"{where['processor']}, {where['cores']} cores, commit {where['commit']}, load of the machine before the run "
        f"{where['load_before']:.1f} (above 0.3 somebody else is working here: believe ratios at most)",
        highlight=False,
    )
    console.print(_kernel(found))
    console.print(_closed(found))
    if "open" in found:
        console.print(_open(found))
    if "overload" in found:
        console.print(_overload(found["overload"]))
    if "cache" in found:
        console.print(_cache(found["cache"]))
    console.print(_promises(found["promises"]))


def last_line(found: Any) -> str:
    """The run as one line of JSON, which knows no NaN: a figure of nothing is null."""
    return json.dumps(_without_nan(found), allow_nan=False)


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_nan(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _kernel(found: Mapping[str, Any]) -> Table:
    table = _table(
        f"The models alone, bundle {found['bundle']}", "loop", "CPU ms a text", "texts/s", "p50 of a call, ms"
    )
    for name, figures in found["kernel"].items():
        loop = "single texts, one process" if name == "alone" else f"batches of {name}, {found['workers']} processes"
        loop += " (the reference)" if name == found["kernel_reference"] else ""
        wanted = (("cpu_ms_per_text", ".2f"), ("texts_per_s", ".0f"), ("call_p50_ms", ".1f"))
        table.add_row(loop, *_cells(figures, wanted))
    return table


def _closed(found: Mapping[str, Any]) -> Table:
    title = (
        f"Closed loop: {found['workers']} workers, {found['placement']}. Efficiency: CPU of the models alone by the "
        "server's; wall ratio: the server's texts/s by theirs"
    )
    headings = [heading for heading, _, _ in CLOSED]
    table = _table(title, "request", "in flight", *headings, "503", "failed", "client CPU", "RSS MB")
    for row in found["closed"]:
        cells = _cells(row, [(name, form) for _, name, form in CLOSED])
        counts = (str(row["refused"]), str(row["failed"]), f"{row['client_cores']:.2f}", f"{row['rss_mb']:.0f}")
        table.add_row(row["name"], str(row["concurrency"]), *cells, *counts)
    return table


def _open(found: Mapping[str, Any]) -> Table:
    title = f"Open loop: shares of the peak of {found['peak_per_s']:.0f} requests/s"
    table = _table(title, "share", *(heading for heading, _, _ in OPEN), "503", "failed")
    for row in found["open"]:
        cells = _cells(row, [(name, form) for _, name, form in OPEN])
        table.add_row(f"{row['share']:.0%}", *cells, str(row["refused"]), str(row["failed"]))
    return table


def _overload(row: Mapping[str, Any]) -> Table:
    headings = ("offered/s", "answered/s", "of the peak", "503: p50", "p99", "most ms", "/livez: p50", "p99", "most ms")
    table = _table("Overload: 300 % of the peak", *headings, "failed", "recovered after, s")
    names = ("offered", "goodput", "share_of_peak", "refused_p50_ms", "refused_p99_ms", "refused_most_ms")
    probes = ("livez_p50_ms", "livez_p99_ms", "livez_most_ms")
    cells = [f"{row[name]:.2f}" if name == "share_of_peak" else f"{row[name]:.0f}" for name in (*names, *probes)]
    recovered = "not" if row["recovered_s"] is None else str(row["recovered_s"])
    table.add_row(*cells, str(row["failed"]), recovered)
    return table


def _cache(row: Mapping[str, Any]) -> Table:
    table = _table("Score cache", "", "requests/s", "CPU ms a request")
    table.add_row("texts never seen", f"{Spread(**row['cold_per_s']):.0f}", f"{Spread(**row['cold_cpu_ms']):.2f}")
    table.add_row("the same texts again", f"{Spread(**row['hot_per_s']):.0f}", f"{Spread(**row['hot_cpu_ms']):.2f}")
    table.add_row("gain", f"{Spread(**row['gain']):.1f}", "")
    return table


def _promises(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("Promises", "what", "target", "measured", "kept")
    for row in rows:
        measured = "never" if row["measured"] is None else f"{row['measured']:.2f}"
        kept = "[green]yes[/]" if row["kept"] else "[red]no[/]"
        table.add_row(row["what"], f"{row['target']:.2f}", measured, kept)
    return table


def _table(title: str, first: str, *headings: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column(first, no_wrap=True)
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


def _cells(row: Mapping[str, Any], wanted: Sequence[tuple[str, str]]) -> list[str]:
    """Each figure as `median` with `least-most` below it."""
    cells = []
    for name, form in wanted:
        figure = Spread(**row[name])
        cells.append(f"{figure.median:{form}}\n[dim]{figure.least:{form}}-{figure.most:{form}}[/]")
    return cells
