"""Common size, fonts and colours of the plots of a report.

The colours are those of Okabe & Ito (2008), which are distinguishable with any kind of colour blindness. pyplot is not
used, because it holds all figures in global state.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

WIDTH_INCHES = 9.0
DOTS_PER_INCH = 150
INK, SOFT, LINE = "#23252b", "#5c5f68", "#d9d7d0"
ENSEMBLE, ALARM, NEAR = "#0072b2", "#b3400b", "#8a6d00"
MODEL_COLOURS = ("#e69f00", "#56b4e9", "#009e73", "#cc79a7", "#d55e00")
MARKERS = ("s", "^", "D", "v", "P")
MAX_LABELS = 40

_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # part of matplotlib, so plots look the same on all machines
    "font.size": 11.0,
    "text.color": INK,
    "text.parse_math": False,  # a label may contain a dollar sign
    "axes.labelcolor": INK,
    "axes.edgecolor": SOFT,
    "axes.titlelocation": "left",
    "axes.titlesize": 12.0,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.7,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.edgecolor": "none",
    "legend.framealpha": 0.85,
    "legend.fontsize": 10.0,
}


@contextmanager
def open_figure(path: Path, height_inches: float) -> Iterator[Figure]:
    """Open a white figure, 1350 pixels wide; it is written to `path` at the end of the context."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(WIDTH_INCHES, height_inches), layout="constrained", facecolor="white")
        yield figure
        # The version of matplotlib is left out of the metadata, so that the same numbers give the same bytes.
        figure.savefig(path, dpi=DOTS_PER_INCH, metadata={"Software": None})


def model_colour(member: int) -> str:
    return MODEL_COLOURS[member % len(MODEL_COLOURS)]


def model_marker(member: int) -> str:
    return MARKERS[member % len(MARKERS)]


def label_chart_rows(axes: Axes, names: Sequence[str]) -> None:
    """Label the rows of a chart with names, the first on top, without lines between rows."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
