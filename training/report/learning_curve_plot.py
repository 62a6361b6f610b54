"""Plot of the learning curves of the encoders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from runners.models.calibration import Doubles
from training.models.curves import Curves
from training.report.plot_style import INK, model_colour, open_figure

SMOOTHED_SHARE = 0.05
_LINES = ("-", "--", "-.", ":")


def smoothed(values: Sequence[float], share: float = SMOOTHED_SHARE) -> Doubles:
    """Moving average over a centred window of `share` of all values; the window is shorter at the ends."""
    window = np.ones(max(1, 2 * int(len(values) * share / 2) + 1))
    return np.convolve(values, window, "same") / np.convolve(np.ones(len(values)), window, "same")


def draw_curves(path: Path, curves: Curves) -> None:
    """Plot the training loss per step (thin: raw values, thick: smoothed) and the learning rate below."""
    with open_figure(path, 6.4) as figure:
        upper, lower = figure.subplots(2, 1, height_ratios=(3, 1), sharex=True)
        for number, (name, steps) in enumerate(curves.items()):
            step = [point.step for point in steps]
            loss = [point.loss for point in steps]
            line = {"color": model_colour(number), "linestyle": _LINES[number % len(_LINES)]}
            upper.plot(step, loss, color=model_colour(number), linewidth=0.6, alpha=0.3)
            upper.plot(step, smoothed(loss), linewidth=2.2, label=f"{name}, ends at {smoothed(loss)[-1]:.3f}", **line)
            lower.plot(step, [point.learning_rate for point in steps], linewidth=1.8, **line)
        upper.set_title("Learning curves of the encoders", color=INK)
        upper.set_ylabel("training loss (both tasks)")
        upper.set_ylim(bottom=0)
        upper.legend(loc="best", title=f"smoothed over {SMOOTHED_SHARE:.0%} of the steps")
        lower.set_ylabel("learning rate")
        lower.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
        lower.set_xlabel("optimiser step (batches)")
