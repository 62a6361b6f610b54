"""Comparison of two bundles whose rows can be counted by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from model_store.promotion_gate import BundleMetrics
from training.evaluation.comparison import MeasuredBundle, TaskOutcome, ThresholdEffects
from training.evaluation.comparison_stats import compare_bundles

TRUTH = ("refund",) * 60 + ("invoice",) * 40
OPERATION = ThresholdEffects(threshold=0.9, automated=0.5, error=0.01, flagged=0.04, set_size=1.3)


def outcome(right: np.ndarray) -> TaskOutcome:
    return TaskOutcome(np.arange(len(right)), right, np.where(right, 0.1, 2.0), brier=0.2, ece=0.03)


def side(version: str, *wrong: int, rated: bool = True) -> MeasuredBundle:
    right = ~np.isin(np.arange(len(TRUTH)), wrong)
    candidate = BundleMetrics(
        version, ("refund", "invoice"), TRUTH, tuple(right.tolist()), (), float(np.where(right, 0.1, 2.0).mean()),
        ece=0.03, latency_ms=2.0, size_bytes=5_000_000,
    )  # fmt: skip
    return MeasuredBundle(candidate, outcome(right), outcome(right) if rated else None, OPERATION)


def test_a_version_does_not_differ_from_itself() -> None:
    result = compare_bundles(side("a", 1, 2, 3), side("b", 1, 2, 3))
    for task in result.tasks:
        assert (task.accuracy.change, task.accuracy.low, task.accuracy.high) == (0, 0, 0)
        assert (task.champion_alone, task.challenger_alone, task.p_value) == (0, 0, 1)
    assert not any(intent.change or intent.beyond_chance for intent in result.intents)


def test_an_intent_that_loses_many_rows_comes_first_and_is_beyond_chance() -> None:
    result = compare_bundles(side("a", 70), side("b", *range(20)))
    refund, invoice = result.intents
    assert (refund.intent, refund.rows, refund.champion_alone, refund.challenger_alone) == ("refund", 60, 20, 0)
    assert refund.change == pytest.approx(-1 / 3)
    assert refund.p_value == pytest.approx(2 / 2**20)
    assert refund.adjusted == pytest.approx(4 / 2**20)
    assert refund.beyond_chance
    assert (invoice.intent, invoice.p_value, invoice.beyond_chance) == ("invoice", 1.0, False)


def test_the_interval_of_a_clear_loss_lies_below_nothing_and_holds_the_change() -> None:
    intent = compare_bundles(side("a"), side("b", *range(20))).tasks[0]
    assert intent.accuracy.low < intent.accuracy.change == pytest.approx(-0.2)
    assert intent.accuracy.change < intent.accuracy.high < 0
    assert 0 < intent.log_loss.low < intent.log_loss.change < intent.log_loss.high


def test_without_a_sentiment_there_is_one_task_and_no_metric_of_the_other() -> None:
    result = compare_bundles(side("a", rated=False), side("b", rated=False))
    assert [task.task for task in result.tasks] == ["intent"]
    assert not [figure for figure in result.figures if "sentiment" in figure.name]


def test_what_cannot_be_measured_is_none_and_not_nothing() -> None:
    uncertified = replace(side("b"), threshold_effects=replace(OPERATION, threshold=None, automated=0.0, error=None))
    metrics = {figure.name: figure for figure in compare_bundles(side("a"), uncertified).figures}
    assert (metrics["automation threshold"].champion, metrics["automation threshold"].challenger) == (0.9, None)
    assert metrics["wrong among automated"].challenger is None
    assert metrics["automated"].challenger == 0.0


def test_sides_of_different_rows_are_refused() -> None:
    other = side("b")
    with pytest.raises(ValueError, match="different rows"):
        compare_bundles(side("a"), replace(other, candidate=replace(other.candidate, truth=TRUTH[1:])))
