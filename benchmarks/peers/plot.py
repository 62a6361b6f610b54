"""The comparison as one picture: requests a second and 95th percentile of every server, by concurrency."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes

from benchmarks.peers.line_up import LINE_UP
from benchmarks.peers.summary import Row
from training.report.plot_style import ENSEMBLE, INK, MEMBERS, SOFT, picture

_COLOURS = (ENSEMBLE, *MEMBERS, SOFT)
_BAR = 0.8  # of the room of a concurrency, all servers together


def draw(rows: Sequence[Row], path: Path) -> None:
    """Write the PNG; whiskers run from the least to the most of the rounds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with picture(path, height_inches=8.0) as figure:
        above, below = figure.subplots(2, 1)
        _bars(above, rows, "per_s", "Requests a second, more is better")
        _bars(below, rows, "p95_ms", "95th percentile of latency in ms, logarithmic, less is better")
        below.set_yscale("log")
        below.set_ylim(bottom=1)
        below.yaxis.set_major_formatter("{x:g}")
        figure.legend(*above.get_legend_handles_labels(), loc="outside lower center", ncols=2)


def _bars(axes: Axes, rows: Sequence[Row], figure: str, title: str) -> None:
    peers = [peer for peer in LINE_UP if any(row.peer == peer.name for row in rows)]
    levels = sorted({row.concurrency for row in rows})
    width = _BAR / len(peers)
    for place, peer in enumerate(peers):
        own = sorted((row for row in rows if row.peer == peer.name), key=lambda row: row.concurrency)
        spreads = [getattr(row, figure) for row in own]
        whiskers = [[of.median - of.least for of in spreads], [of.most - of.median for of in spreads]]
        where = [levels.index(row.concurrency) + (place - (len(peers) - 1) / 2) * width for row in own]
        axes.bar(
            where,
            [of.median for of in spreads],
            width,
            yerr=whiskers,
            color=_COLOURS[LINE_UP.index(peer)],
            ecolor=INK,
            capsize=2,
            label=peer.title,
        )
    axes.set_xticks(range(len(levels)), [f"{level} in flight" for level in levels])
    axes.set_title(title)
