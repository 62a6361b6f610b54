"""Comparison of two bundles on the same rows: differences and their statistical significance.

Metrics of each task with intervals and exact tests, accuracy by intent, calibration, cost, effects of the thresholds.
Pure functions of the `MeasuredBundle`s from `comparison.py`; `model_store/promotion_gate.py` decides about promotion.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model_store.promotion_gate import mcnemar_p_value
from training.evaluation.comparison import MeasuredBundle, TaskOutcome
from training.statistics.paired_tests import adjust_holm, paired_intervals

SIGNIFICANCE_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class MetricDifference:
    """A metric of both bundles; `low` to `high` is the 95 % interval of challenger minus champion."""

    champion: float
    challenger: float
    low: float
    high: float

    @property
    def change(self) -> float:
        return self.challenger - self.champion


@dataclass(frozen=True, slots=True)
class TaskDifference:
    """Comparison of one task. `p_value` is from McNemar's exact test on the rows where only one bundle is right."""

    task: str
    rows: int
    accuracy: MetricDifference
    log_loss: MetricDifference
    champion_alone: int
    challenger_alone: int
    p_value: float


@dataclass(frozen=True, slots=True)
class IntentDifference:
    """Accuracy on the rows of one intent. `adjusted` is the exact p-value with Holm's correction for all intents."""

    intent: str
    rows: int
    champion: float
    challenger: float
    champion_alone: int
    challenger_alone: int
    p_value: float
    adjusted: float

    @property
    def change(self) -> float:
        return self.challenger - self.champion

    @property
    def beyond_chance(self) -> bool:
        return self.adjusted < SIGNIFICANCE_LEVEL


@dataclass(frozen=True, slots=True)
class MetricPair:
    """A metric without a significance test: calibration, cost or thresholds. None if a bundle has no such value."""

    name: str
    unit: str
    champion: float | None
    challenger: float | None


@dataclass(frozen=True, slots=True)
class BundleComparison:
    """All differences of two bundles. `intents` are sorted by change, the largest loss first."""

    tasks: tuple[TaskDifference, ...]
    figures: tuple[MetricPair, ...]
    intents: tuple[IntentDifference, ...]


def compare_bundles(champion: MeasuredBundle, challenger: MeasuredBundle) -> BundleComparison:
    """Compare two bundles.

    Raises:
        ValueError: the bundles were not measured on the same rows.
    """
    if champion.candidate.truth != challenger.candidate.truth:
        raise ValueError("champion and challenger were measured on different rows")
    tasks = [_compare_task("intent", champion.intent, challenger.intent)]
    if champion.sentiment is not None and challenger.sentiment is not None:
        tasks.append(_compare_task("sentiment", champion.sentiment, challenger.sentiment))
    return BundleComparison(
        tuple(tasks), _compare_metrics(champion, challenger), _compare_intents(champion, challenger)
    )


def _compare_task(name: str, champion: TaskOutcome, challenger: TaskOutcome) -> TaskDifference:
    right, loss = (
        np.stack([first.astype(np.float64), second.astype(np.float64)])
        for first, second in ((champion.right, challenger.right), (champion.loss, challenger.loss))
    )
    intervals = paired_intervals(np.column_stack([right[1] - right[0], loss[1] - loss[0]]), challenger.groups)
    accuracy, log_loss = (
        MetricDifference(*(float(value) for value in (*both.mean(axis=1), *interval)))
        for both, interval in zip((right, loss), intervals, strict=True)
    )
    only_one_right = int((champion.right & ~challenger.right).sum()), int((challenger.right & ~champion.right).sum())
    return TaskDifference(
        name, len(champion.right), accuracy, log_loss, *only_one_right, mcnemar_p_value(*only_one_right)
    )


def _compare_intents(champion: MeasuredBundle, challenger: MeasuredBundle) -> tuple[IntentDifference, ...]:
    truth = np.array(challenger.candidate.truth)
    before, after = champion.intent.right, challenger.intent.right
    intents, tests = sorted(set(challenger.candidate.truth)), []
    for intent in intents:
        rows = truth == intent
        only_one_right = int((before & ~after & rows).sum()), int((after & ~before & rows).sum())
        tests.append(
            (
                int(rows.sum()),
                float(before[rows].mean()),
                float(after[rows].mean()),
                *only_one_right,
                mcnemar_p_value(*only_one_right),
            )
        )
    adjusted = adjust_holm([test[-1] for test in tests])
    differences = [
        IntentDifference(intent, *test, adjusted_p)
        for intent, test, adjusted_p in zip(intents, tests, adjusted, strict=True)
    ]
    return tuple(sorted(differences, key=lambda difference: (difference.change, difference.intent)))


def _compare_metrics(champion: MeasuredBundle, challenger: MeasuredBundle) -> tuple[MetricPair, ...]:
    def metric_pair(name: str, unit: str, *values: float | None) -> MetricPair:
        return MetricPair(name, unit, *values)

    sides = (champion, challenger)
    operations = [side.threshold_effects for side in sides]
    pairs = [
        metric_pair("calibration error (ECE), intent", "", *(side.intent.ece for side in sides)),
        metric_pair("Brier score, intent", "", *(side.intent.brier for side in sides)),
    ]
    if champion.sentiment is not None and challenger.sentiment is not None:
        sentiments = (champion.sentiment, challenger.sentiment)
        pairs.append(metric_pair("calibration error (ECE), sentiment", "", *(rows.ece for rows in sentiments)))
        pairs.append(metric_pair("Brier score, sentiment", "", *(rows.brier for rows in sentiments)))
    return (
        *pairs,
        metric_pair("automation threshold", "", *(threshold_effects.threshold for threshold_effects in operations)),
        metric_pair("automated", "%", *(threshold_effects.automated for threshold_effects in operations)),
        metric_pair("wrong among automated", "%", *(threshold_effects.error for threshold_effects in operations)),
        metric_pair("called out of scope", "%", *(threshold_effects.flagged for threshold_effects in operations)),
        metric_pair(
            "plausible intents per message", "", *(threshold_effects.set_size for threshold_effects in operations)
        ),
        metric_pair("one text, median", "ms", *(side.candidate.latency_ms for side in sides)),
        metric_pair("size", "MB", *(side.candidate.size_bytes / 1e6 for side in sides)),
    )
