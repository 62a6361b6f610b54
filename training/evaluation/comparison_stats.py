"""What differs between two versions on the same rows, and which of it is more than chance.

Figures of each task with intervals and exact tests, intents that lose or gain, calibration, cost, what the thresholds
do. Decides nothing: `model_store/promotion_gate.py` does. Pure: from the `MeasuredBundle`s that `comparison.py` measures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model_store.promotion_gate import mcnemar_p_value
from training.evaluation.comparison import MeasuredBundle, TaskOutcome
from training.statistics.paired_tests import adjust_holm, paired_intervals

SIGNIFICANCE_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure of both sides; `low` to `high` is the 95 % interval of challenger minus champion."""

    champion: float
    challenger: float
    low: float
    high: float

    @property
    def change(self) -> float:
        return self.challenger - self.champion


@dataclass(frozen=True, slots=True)
class TaskDifference:
    """One task. The exact test is McNemar's, on the rows that one side alone is right on."""

    task: str
    rows: int
    accuracy: Difference
    log_loss: Difference
    champion_alone: int
    challenger_alone: int
    p_value: float


@dataclass(frozen=True, slots=True)
class IntentDifference:
    """Accuracy on the rows of one intent; `adjusted` is the exact p-value after Holm's correction over all intents."""

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
    """A figure without a test: calibration, cost or thresholds. None where a side has none."""

    name: str
    unit: str
    champion: float | None
    challenger: float | None


@dataclass(frozen=True, slots=True)
class BundleComparison:
    """`intents` go from the largest loss to the largest gain, those without a change in between."""

    tasks: tuple[TaskDifference, ...]
    figures: tuple[MetricPair, ...]
    intents: tuple[IntentDifference, ...]


def compare_bundles(champion: MeasuredBundle, challenger: MeasuredBundle) -> BundleComparison:
    """Everything that differs.

    Raises:
        ValueError: when the two were not measured on the same rows.
    """
    if champion.candidate.truth != challenger.candidate.truth:
        raise ValueError("champion and challenger were measured on different rows")
    tasks = [_task("intent", champion.intent, challenger.intent)]
    if champion.sentiment is not None and challenger.sentiment is not None:
        tasks.append(_task("sentiment", champion.sentiment, challenger.sentiment))
    return BundleComparison(tuple(tasks), _figures(champion, challenger), _intents(champion, challenger))


def _task(name: str, champion: TaskOutcome, challenger: TaskOutcome) -> TaskDifference:
    right, loss = (
        np.stack([first.astype(np.float64), second.astype(np.float64)])
        for first, second in ((champion.right, challenger.right), (champion.loss, challenger.loss))
    )
    ends = paired_intervals(np.column_stack([right[1] - right[0], loss[1] - loss[0]]), challenger.groups)
    accuracy, log_loss = (
        Difference(*(float(value) for value in (*both.mean(axis=1), *interval)))
        for both, interval in zip((right, loss), ends, strict=True)
    )
    alone = int((champion.right & ~challenger.right).sum()), int((challenger.right & ~champion.right).sum())
    return TaskDifference(name, len(champion.right), accuracy, log_loss, *alone, mcnemar_p_value(*alone))


def _intents(champion: MeasuredBundle, challenger: MeasuredBundle) -> tuple[IntentDifference, ...]:
    truth = np.array(challenger.candidate.truth)
    before, after = champion.intent.right, challenger.intent.right
    intents, tested = sorted(set(challenger.candidate.truth)), []
    for intent in intents:
        rows = truth == intent
        alone = int((before & ~after & rows).sum()), int((after & ~before & rows).sum())
        tested.append(
            (int(rows.sum()), float(before[rows].mean()), float(after[rows].mean()), *alone, mcnemar_p_value(*alone))
        )
    adjusted = adjust_holm([test[-1] for test in tested])
    found = [
        IntentDifference(intent, *test, of_all) for intent, test, of_all in zip(intents, tested, adjusted, strict=True)
    ]
    return tuple(sorted(found, key=lambda difference: (difference.change, difference.intent)))


def _figures(champion: MeasuredBundle, challenger: MeasuredBundle) -> tuple[MetricPair, ...]:
    def figure(name: str, unit: str, *values: float | None) -> MetricPair:
        return MetricPair(name, unit, *values)

    sides = (champion, challenger)
    operations = [side.threshold_effects for side in sides]
    figures = [
        figure("calibration error (ECE), intent", "", *(side.intent.ece for side in sides)),
        figure("Brier score, intent", "", *(side.intent.brier for side in sides)),
    ]
    if champion.sentiment is not None and challenger.sentiment is not None:
        rated = (champion.sentiment, challenger.sentiment)
        figures.append(figure("calibration error (ECE), sentiment", "", *(rows.ece for rows in rated)))
        figures.append(figure("Brier score, sentiment", "", *(rows.brier for rows in rated)))
    return (
        *figures,
        figure("automation threshold", "", *(threshold_effects.threshold for threshold_effects in operations)),
        figure("automated", "%", *(threshold_effects.automated for threshold_effects in operations)),
        figure("wrong among automated", "%", *(threshold_effects.error for threshold_effects in operations)),
        figure("called out of scope", "%", *(threshold_effects.flagged for threshold_effects in operations)),
        figure("plausible intents per message", "", *(threshold_effects.set_size for threshold_effects in operations)),
        figure("one text, median", "ms", *(side.candidate.latency_ms for side in sides)),
        figure("size", "MB", *(side.candidate.size_bytes / 1e6 for side in sides)),
    )
