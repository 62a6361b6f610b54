"""Pictures of single intents: how often each is right, how far its confidence holds, which are taken for each other.

Beyond `MAX_LABELS` intents a picture shows those that go wrong most, and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray
from scipy.stats import binomtest

from training.report.intent_calibration import MAX_INTENTS_SHOWN, IntentCalibration
from training.report.plot_style import ALARM, ENSEMBLE, LINE, MAX_LABELS, SOFT, name_rows, open_figure
from training.report.predictions import Predictions


def confusion_counts(predictions: Predictions) -> NDArray[np.intp]:
    """(intents, intents) rows in scope: the right intent down, the ensemble's first choice across."""
    in_scope = predictions.in_scope
    intents = predictions.ensemble.shape[1]
    counts = np.zeros((intents, intents), dtype=np.intp)
    np.add.at(counts, (predictions.truth[in_scope], predictions.ensemble[in_scope].argmax(axis=1)), 1)
    return counts


def draw_accuracy(path: Path, intents: Sequence[str], predictions: Predictions) -> None:
    """The share of right answers per intent that has rows, the worst on top, with the number of rows."""
    counts = confusion_counts(predictions)
    rows, right = counts.sum(axis=1), counts.diagonal()
    accuracy = right / np.maximum(rows, 1)
    with_rows = np.flatnonzero(rows)
    selected = with_rows[np.lexsort((with_rows, accuracy[with_rows]))][:MAX_LABELS]
    suffix = "" if len(selected) == len(with_rows) else f", the {len(selected)} worst of {len(with_rows)}"
    with open_figure(path, 1.3 + 0.27 * len(selected)) as figure:
        axes = figure.subplots()
        bars = axes.barh(range(len(selected)), accuracy[selected], height=0.72, color=ENSEMBLE)
        labels = [f"{accuracy[intent]:.0%}  ({right[intent]} of {rows[intent]})" for intent in selected]
        axes.bar_label(bars, labels, padding=4, fontsize=10)
        name_rows(axes, [intents[intent] for intent in selected])
        axes.set_title(f"Which intents are hard? {rows.sum()} held-out messages in scope{suffix}")
        axes.set_xlabel("accuracy of the ensemble")
        axes.set_xlim(0, 1.2)
        axes.set_xticks(np.linspace(0, 1, 6))
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))


def draw_intent_calibration(path: Path, intents: Sequence[str], calibrations: Sequence[IntentCalibration]) -> None:
    """Confidence and accuracy of the intents that differ most, a row each: the farther apart, the less it holds.

    A grey band is the exact 95 % interval of the accuracy (Clopper & Pearson 1934).
    """
    selected = sorted(calibrations[:MAX_INTENTS_SHOWN], key=lambda calibration: -calibration.gap)
    suffix = "" if len(selected) == len(calibrations) else f" {len(selected)} of {len(calibrations)} chosen intents"
    with open_figure(path, 1.4 + 0.29 * len(selected)) as figure:
        axes = figure.subplots()
        for row, calibration in enumerate(selected):
            low, high = binomtest(round(calibration.accuracy * calibration.rows), calibration.rows).proportion_ci()
            shade = SOFT if not calibration.beyond_chance else ALARM if calibration.gap > 0 else ENSEMBLE
            axes.plot([low, high], [row, row], color=LINE, linewidth=8, solid_capstyle="butt", zorder=1)
            axes.plot([calibration.accuracy, calibration.confidence], [row, row], color=shade, linewidth=2, zorder=2)
            axes.plot([calibration.accuracy], [row], "o", color=shade, markersize=7, zorder=3)
            axes.plot([calibration.confidence], [row], "|", color=shade, markersize=14, markeredgewidth=2.5, zorder=3)
            beyond = (", too sure" if calibration.gap > 0 else ", too shy") if calibration.beyond_chance else ""
            text = f"{calibration.rows} messages{beyond}"
            axes.text(1.02, row, text, va="center", fontsize=9.5, color=shade, weight="bold" if beyond else "normal")
        axes.plot([], [], "o", color=SOFT, markersize=7, label="is right")
        axes.plot([], [], "|", color=SOFT, markersize=14, markeredgewidth=2.5, linestyle="none", label="says")
        axes.plot([], [], color=LINE, linewidth=8, label="95 % interval")
        figure.legend(loc="outside lower center", ncols=3)
        name_rows(axes, [intents[calibration.intent] for calibration in selected])
        axes.set_title(f"Does the confidence hold for each intent?{suffix}")
        axes.set_xlim(-0.01, 1.36)
        axes.set_xticks(np.linspace(0, 1, 6))
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))


def draw_confusion(path: Path, intents: Sequence[str], predictions: Predictions) -> None:
    """A matrix of the wrong answers alone; how many were right stands grey on the diagonal."""
    counts = confusion_counts(predictions)
    wrong = counts * ~np.eye(len(counts), dtype=np.bool_)
    most = np.argsort(-(wrong.sum(axis=0) + wrong.sum(axis=1)), kind="stable")[:MAX_LABELS]
    selected = np.sort(most)
    suffix = "" if len(selected) == len(counts) else f"; the {len(selected)} most confused of {len(counts)}"
    mistaken = wrong.sum()
    wrong, right = wrong[np.ix_(selected, selected)], counts.diagonal()[selected]
    names = [intents[intent] for intent in selected]
    side = 0.225 * len(selected)
    with open_figure(path, 2.6 + side) as figure:
        axes = figure.subplots()
        mistakes = np.ma.masked_equal(wrong, 0)  # cells without one stay white
        axes.imshow(mistakes, cmap="Oranges", vmin=0, vmax=max(3, wrong.max()) * 1.3, aspect="auto")
        for row, column in zip(*np.nonzero(wrong), strict=True):
            axes.text(column, row, str(wrong[row, column]), ha="center", va="center", fontsize=10, weight="bold")
        for place, count in enumerate(right):
            axes.text(place, place, str(count), ha="center", va="center", fontsize=8, color="#6b6e76")
        name_rows(axes, names)
        axes.set_xticks(range(len(names)), names, rotation=90)
        axes.set_xticks(np.arange(-0.5, len(names)), minor=True)
        axes.set_yticks(np.arange(-0.5, len(names)), minor=True)
        axes.grid(visible=False)
        axes.grid(visible=True, which="minor", color=LINE, linewidth=0.6)
        axes.tick_params(which="both", length=0)
        axes.tick_params(axis="both", labelsize=9)
        axes.set_title(f"What is taken for what? {mistaken} of {counts.sum()} wrong{suffix}")
        axes.set_xlabel("chosen by the ensemble")
        axes.set_ylabel("right intent")
