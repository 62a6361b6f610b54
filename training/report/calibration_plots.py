"""Plots of calibration: reliability diagram, risk-coverage curve, distribution of the out-of-scope score."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter, PercentFormatter, StrMethodFormatter
from numpy.typing import NDArray

from runners.models.calibration import Calibration, Doubles
from training.report.plot_style import ALARM, ENSEMBLE, INK, NEAR, SOFT, model_colour, model_marker, open_figure
from training.report.predictions import Predictions
from training.statistics.ece import BINS, equal_bins, expected_calibration_error

HISTOGRAM = np.linspace(0.0, 1.0, 26)
MIN_ANSWERED = 20


def reliability_points(confidence: Doubles, right: NDArray[np.bool_]) -> tuple[Doubles, Doubles]:
    """Mean confidence and accuracy of equally filled bins, the same bins as for the expected calibration error."""
    bins = equal_bins(confidence, right)
    return np.array([sure.mean() for sure, _ in bins]), np.array([hit.mean() for _, hit in bins])


def risk_coverage(confidence: Doubles, right: NDArray[np.bool_]) -> tuple[Doubles, Doubles]:
    """Risk-coverage curve (El-Yaniv & Wiener 2010): share of answered rows, most confident first, and their error rate.

    Both arrays are (rows,).
    """
    surest = np.argsort(-confidence, kind="stable")
    answered = np.arange(1, len(surest) + 1)
    return answered / len(surest), np.cumsum(~right[surest]) / answered


def draw_reliability(path: Path, names: Sequence[str], predictions: Predictions) -> None:
    """Reliability diagram of all base models and the ensemble on rows in scope, above a histogram of confidences."""
    in_scope = predictions.in_scope
    truth = predictions.truth[in_scope]
    with open_figure(path, 7.2) as figure:
        upper, lower = figure.subplots(2, 1, height_ratios=(3, 1), sharex=True)
        upper.plot([0, 1], [0, 1], color=SOFT, linestyle=":", linewidth=1.2, label="confidence = accuracy")
        for number, (name, member) in enumerate(zip(names, predictions.members, strict=True)):
            style = {"color": model_colour(number), "marker": model_marker(number), "markersize": 4, "alpha": 0.55}
            _reliability_line(upper, name, member[in_scope], truth, {**style, "linewidth": 1.0})
        strong = {"color": ENSEMBLE, "marker": "o", "markersize": 7, "linewidth": 2.6}
        _reliability_line(upper, "ensemble", predictions.ensemble[in_scope], truth, strong)
        upper.set_title(f"Reliability of the confidence in the intent: {len(truth)} held-out messages in scope")
        upper.set_ylabel("accuracy of the bin")
        upper.legend(loc="lower right")
        _histogram(lower, predictions.ensemble[in_scope].max(axis=1), ENSEMBLE)
        lower.set_xlabel(
            f"confidence in the predicted intent (above: {BINS} bins of equal size; below: the ensemble's)"
        )
        for axes in (upper, lower):
            axes.xaxis.set_major_formatter(PercentFormatter(1.0))
        upper.yaxis.set_major_formatter(PercentFormatter(1.0))
        upper.set(xlim=(-0.01, 1.01), ylim=(-0.02, 1.02))


def _reliability_line(
    axes: Axes, name: str, probabilities: Doubles, truth: NDArray[np.intp], style: dict[str, Any]
) -> None:
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    error = expected_calibration_error(confidence, right)
    axes.plot(*reliability_points(confidence, right), label=f"{name}, ECE {error:.3f}", **style)


def draw_risk_coverage(
    path: Path, names: Sequence[str], intents: Sequence[str], predictions: Predictions, calibration: Calibration
) -> None:
    """Risk-coverage curves of the ensemble and the best base model, with the certified threshold.

    Answered out-of-scope messages count as errors. The first `MIN_ANSWERED` rows are not drawn, because their error
    rate is not meaningful.
    """
    evaluable = predictions.evaluable
    best = predictions.best_base_model()
    member = predictions.members[best][evaluable]
    curves = (
        (
            names[best],
            member.max(axis=1),
            member.argmax(axis=1) == predictions.truth[evaluable],
            model_colour(best),
            1.6,
        ),
        ("ensemble", predictions.ensemble[evaluable].max(axis=1), predictions.right[evaluable], ENSEMBLE, 2.6),
    )
    with open_figure(path, 5.2) as figure:
        axes = figure.subplots()
        for name, confidence, right, shade, width in curves:
            share, error = risk_coverage(confidence, right)
            axes.plot(
                share[MIN_ANSWERED:],
                error[MIN_ANSWERED:],
                color=shade,
                linewidth=width,
                label=f"{name}, all answered: {error[-1]:.1%} wrong",
            )
        bound = f"bound of the certificate: {calibration.max_error:.1%} at {calibration.certificate_confidence:.0%}"
        axes.axhline(calibration.max_error, color=ALARM, linestyle="--", linewidth=1.2, label=bound)
        _mark_automation(axes, intents, predictions, calibration)
        axes.set_title(f"Error rate by share of messages answered: {evaluable.sum()} held-out messages")
        axes.set_xlabel("share of messages answered, the most confident first")
        axes.set_ylabel("error rate of the answers")
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.set_xlim(0, 1.01)
        axes.set_ylim(bottom=-0.002)
        axes.legend(loc="upper left")


def _mark_automation(axes: Axes, intents: Sequence[str], predictions: Predictions, calibration: Calibration) -> None:
    """Mark the automated share with a ring; without a certified threshold, add a line to the legend."""
    certified = [calibration.automation_threshold_of(intent) for intent in intents]
    if not any(threshold is not None for threshold in certified):
        axes.plot([], [], linestyle="none", label="no automation threshold could be certified")
        return
    evaluable = predictions.evaluable
    in_scope = predictions.out_of_scope_probability[evaluable] <= calibration.out_of_scope_threshold
    thresholds = np.array([np.inf if threshold is None else threshold for threshold in certified])
    probabilities = predictions.ensemble[evaluable]
    automated = in_scope & (probabilities.max(axis=1) >= thresholds[probabilities.argmax(axis=1)])
    error = float((~predictions.right[evaluable][automated]).mean()) if automated.any() else 0.0
    label = f"automated at the certified thresholds: {automated.mean():.1%} of messages, {error:.1%} wrong"
    ring: dict[str, Any] = {"markerfacecolor": "none", "markeredgecolor": INK, "markeredgewidth": 2.0}
    axes.plot([automated.mean()], [error], linestyle="none", marker="o", markersize=12, label=label, **ring)


def draw_out_of_scope_scores(path: Path, predictions: Predictions, calibration: Calibration) -> None:
    """Histograms of the out-of-scope score for messages in scope, far and near out of scope, with the threshold."""
    threshold = calibration.out_of_scope_threshold
    groups = [
        ("in scope", predictions.out_of_scope_probability[predictions.in_scope], ENSEMBLE, "false alarms"),
        (
            "out of scope",
            predictions.out_of_scope_probability[predictions.out_of_scope & ~predictions.near],
            ALARM,
            "found",
        ),
        ("near: intents withheld from training", predictions.out_of_scope_probability[predictions.near], NEAR, "found"),
    ]
    groups = [group for group in groups if len(group[1])]
    with open_figure(path, 0.8 + 2.2 * len(groups)) as figure:
        panels = figure.subplots(len(groups), 1, sharex=True, squeeze=False)[:, 0]
        figure.suptitle("Detection of messages that fit no intent", x=0.012, ha="left", weight="bold", size=12)
        for axes, (name, score, shade, flagged) in zip(panels, groups, strict=True):
            _histogram(axes, np.clip(score, 0.0, 1.0), shade)
            axes.axvline(threshold, color=INK, linestyle="--", linewidth=1.4)
            above = f"{np.mean(score > threshold):.1%} {flagged}"
            axes.set_title(f"{name}: {len(score)} messages, {above}", weight="normal", color=shade)
        panels[0].text(threshold + 0.006, 0.87, f"threshold {threshold:.3f}", transform=panels[0].get_xaxis_transform())
        panels[-1].set_xlabel("out-of-scope score: 1 - sum of the probabilities of all intents")
        panels[-1].set_xlim(-0.01, 1.01)


def _histogram(axes: Axes, values: Doubles, shade: str) -> None:
    """Draw a histogram with a logarithmic scale, because nearly all messages are at one end."""
    axes.hist(values, bins=HISTOGRAM.tolist(), color=shade, edgecolor="white", linewidth=0.5, log=True)
    axes.set_ylim(bottom=0.7)
    axes.set_ylabel("messages (log)")
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
