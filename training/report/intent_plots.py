"""Plots by intent: accuracy, calibration, confusion matrix.

With more than `MAX_LABELS` intents, a plot shows those with the most errors, and its title says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray
from scipy.stats import binomtest

from training.report.intent_calibration import MAX_INTENTS_SHOWN, IntentCalibration
from training.report.plot_style import ALARM, ENSEMBLE, LINE, MAX_LABELS, SOFT, label_chart_rows, open_figure
from training.report.predictions import Predictions


def confusion_counts(predictions: Predictions) -> NDArray[np.intp]:
    """(intents, intents) number of rows in scope by true intent (rows) and predicted intent (columns)."""
    in_scope = predictions.in_scope
    intents = predictions.ensemble.shape[1]
    counts = np.zeros((intents, intents), dtype=np.intp)
    np.add.at(counts, (predictions.truth[in_scope], predictions.ensemble[in_scope].argmax(axis=1)), 1)
    return counts


def draw_accuracy(path: Path, intents: Sequence[str], predictions: Predictions) -> None:
    """Bar chart of the accuracy of each intent that has rows, lowest first, with the number of rows."""
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
        label_chart_rows(axes, [intents[intent] for intent in selected])
        axes.set_title(f"Accuracy by intent: {rows.sum()} held-out messages in scope{suffix}")
        axes.set_xlabel("accuracy of the ensemble")
        axes.set_xlim(0, 1.2)
        axes.set_xticks(np.linspace(0, 1, 6))
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))


def draw_intent_calibration(path: Path, intents: Sequence[str], calibrations: Sequence[IntentCalibration]) -> None:
    """Plot confidence and accuracy of the intents with the largest gaps.

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
            beyond = (
                (", overconfident" if calibration.gap > 0 else ", underconfident") if calibration.beyond_chance else ""
            )
            text = f"{calibration.rows} messages{beyond}"
            axes.text(1.02, row, text, va="center", fontsize=9.5, color=shade, weight="bold" if beyond else "normal")
        axes.plot([], [], "o", color=SOFT, markersize=7, label="accuracy")
        axes.plot([], [], "|", color=SOFT, markersize=14, markeredgewidth=2.5, linestyle="none", label="confidence")
        axes.plot([], [], color=LINE, linewidth=8, label="95 % interval")
        figure.legend(loc="outside lower center", ncols=3)
        label_chart_rows(axes, [intents[calibration.intent] for calibration in selected])
        axes.set_title(f"Confidence and accuracy by intent{suffix}")
        axes.set_xlim(-0.01, 1.36)
        axes.set_xticks(np.linspace(0, 1, 6))
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))


def draw_confusion(path: Path, intents: Sequence[str], predictions: Predictions) -> None:
    """Confusion matrix of wrong predictions; the number of right ones is grey on the diagonal."""
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
        label_chart_rows(axes, names)
        axes.set_xticks(range(len(names)), names, rotation=90)
        axes.set_xticks(np.arange(-0.5, len(names)), minor=True)
        axes.set_yticks(np.arange(-0.5, len(names)), minor=True)
        axes.grid(visible=False)
        axes.grid(visible=True, which="minor", color=LINE, linewidth=0.6)
        axes.tick_params(which="both", length=0)
        axes.tick_params(axis="both", labelsize=9)
        axes.set_title(f"Confusion matrix: {mistaken} of {counts.sum()} predictions wrong{suffix}")
        axes.set_xlabel("predicted intent")
        axes.set_ylabel("true intent")
