"""Pictures of the base models: each beside the soft vote and the ensemble, and how the encoders learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ticker import FormatStrFormatter

from runners.models.calibration import Doubles
from training.curves import Curves
from training.report.canvas import ENSEMBLE, INK, SOFT_VOTE, colour, name_rows, picture

SMOOTHED_SHARE = 0.05
FIGURES = (("accuracy", "accuracy (higher is better)"), ("log_loss", "log loss in nats (lower is better)"))
_LINES = ("-", "--", "-.", ":")


def smoothed(values: Sequence[float], share: float = SMOOTHED_SHARE) -> Doubles:
    """The mean over a centred window of `share` of all values; at the ends over what there is of it."""
    window = np.ones(max(1, 2 * int(len(values) * share / 2) + 1))
    return np.convolve(values, window, "same") / np.convolve(np.ones(len(values)), window, "same")


def draw_members(
    path: Path, names: Sequence[str], figures: Mapping[str, Mapping[str, Any]], rows: Mapping[str, int]
) -> None:
    """Accuracy and log loss of everybody, a row of panels per task.

    Args:
        names: who is shown, from top to bottom.
        figures: by task (intent, sentiment), by name, as `evaluation.evaluate` gives them.
        rows: by task, how many held-out messages have its label.
    """
    with picture(path, 0.6 + len(figures) * (1.0 + 0.33 * len(names))) as figure:
        panels = figure.subplots(len(figures), len(FIGURES), squeeze=False, sharey=True)
        figure.suptitle("Is the ensemble worth its members?", x=0.012, ha="left", weight="bold", size=12)
        for line, (task, of_task) in zip(panels, figures.items(), strict=True):
            for axes, (key, label) in zip(line, FIGURES, strict=True):
                values = [of_task[name][key] for name in names]
                bars = axes.barh(range(len(names)), values, height=0.7, color=[_shade(name) for name in names])
                axes.bar_label(bars, [f"{value:.3f}" for value in values], padding=4, fontsize=10)
                name_rows(axes, names)
                axes.set_xlabel(label)
                axes.set_xlim(0, max([*values, 1.0 if key == "accuracy" else 0.0]) * 1.15)
                axes.xaxis.set_major_formatter(FormatStrFormatter("%.1f"))
            line[0].set_title(f"{task}: {rows[task]} held-out messages", weight="normal")


def _shade(name: str) -> str:
    return {"ensemble": ENSEMBLE, "soft_vote": SOFT_VOTE}.get(name, "#b9b7b0")


def draw_curves(path: Path, curves: Curves) -> None:
    """Training loss per step, every value faint and the smoothed line strong, and the learning rate below."""
    with picture(path, 6.4) as figure:
        upper, lower = figure.subplots(2, 1, height_ratios=(3, 1), sharex=True)
        for number, (name, steps) in enumerate(curves.items()):
            step = [at.step for at in steps]
            loss = [at.loss for at in steps]
            line = {"color": colour(number), "linestyle": _LINES[number % len(_LINES)]}
            upper.plot(step, loss, color=colour(number), linewidth=0.6, alpha=0.3)
            upper.plot(step, smoothed(loss), linewidth=2.2, label=f"{name}, ends at {smoothed(loss)[-1]:.3f}", **line)
            lower.plot(step, [at.learning_rate for at in steps], linewidth=1.8, **line)
        upper.set_title("How did the encoders learn?", color=INK)
        upper.set_ylabel("training loss (both tasks)")
        upper.set_ylim(bottom=0)
        upper.legend(loc="best", title=f"smoothed over {SMOOTHED_SHARE:.0%} of the steps")
        lower.set_ylabel("learning rate")
        lower.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
        lower.set_xlabel("optimiser step (batches)")
