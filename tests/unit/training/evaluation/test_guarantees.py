"""Guarantees on synthetic rows whose metrics can be computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from runners.models.calibration import Calibration, Platt
from training.data.labels import MISSING
from training.evaluation.guarantees import (
    IntentPredictions,
    automation_metrics,
    conformal_metrics,
    resplit_conformal_metrics,
    scope_metrics,
)
from training.evaluation.intent_metrics import compute_intent_metrics

CALIBRATION = Calibration(
    intent=Platt(1, 0),
    sentiment=Platt(1, 0),
    out_of_scope_threshold=0.5,
    false_alarm_rate=0.05,
    conformal_threshold=0.2,
    conformal_coverage=0.9,
    automation_threshold=0.8,
    max_error=0.02,
    certificate_confidence=0.95,
    rows=10,
    intent_thresholds={"b": 0.6},
)
JUDGED = IntentPredictions(
    probabilities=np.array(
        [
            [0.9, 0.05],  # right, automated
            [0.7, 0.25],  # right, below the threshold of a, two plausible
            [0.2, 0.65],  # right, above that of b
            [0.1, 0.85],  # wrong, automated
            [0.1, 0.1],  # out of scope and found
            [0.85, 0.1],  # out of scope, automated, so wrong
            [0.2, 0.2],  # withheld and found
        ]
    ),
    truth=np.array([0, 0, 1, 0, MISSING, MISSING, MISSING]),
    out_of_scope=np.array([False] * 4 + [True] * 3),
    near=np.array([False] * 6 + [True]),
    labels=("a", "b"),
)


def test_automated_are_those_above_their_own_intents_threshold_and_in_scope() -> None:
    assert JUDGED.automated(CALIBRATION).tolist() == [True, False, True, True, False, True, False]
    metrics = automation_metrics(JUDGED, CALIBRATION)
    assert metrics["share"] == pytest.approx(4 / 7)
    assert metrics["error"] == pytest.approx(2 / 4)
    assert metrics["upper_bound"] is not None
    assert metrics["upper_bound"] > 0.5


def test_without_a_certificate_nothing_is_automated() -> None:
    import dataclasses

    bare = dataclasses.replace(CALIBRATION, automation_threshold=None, intent_thresholds={})
    assert automation_metrics(JUDGED, bare)["share"] == 0
    assert automation_metrics(JUDGED, bare)["upper_bound"] == 1.0


def test_far_and_near_messages_have_separate_metrics() -> None:
    metrics = scope_metrics(JUDGED, CALIBRATION)
    assert (metrics["rows"], metrics["near_rows"]) == (2, 1)
    assert (metrics["recall"], metrics["near_recall"], metrics["false_alarm_rate"]) == (0.5, 1.0, 0.0)
    assert metrics["near_auroc"] == 1.0
    assert 0 < metrics["auroc"] < 1


def test_in_scope_metrics_use_probabilities_given_scope() -> None:
    metrics = scope_metrics(JUDGED, CALIBRATION)
    rows = JUDGED.probabilities[:4] / JUDGED.probabilities[:4].sum(axis=1, keepdims=True)
    expected = -np.log(rows[np.arange(4), [0, 0, 1, 0]]).mean()
    assert metrics["log_loss_given_scope"] == pytest.approx(expected)


def test_sets_hold_the_right_intent_as_often_as_is_counted() -> None:
    metrics = conformal_metrics(JUDGED, CALIBRATION)
    assert metrics["coverage"] == pytest.approx(3 / 4)
    assert metrics["mean_set_size"] == pytest.approx((1 + 2 + 2 + 1) / 4)


def test_over_many_splits_the_coverage_equals_the_target() -> None:
    generator = np.random.default_rng(1)

    def rows(count: int) -> IntentPredictions:
        probabilities = generator.dirichlet([1.0, 0.5, 0.5], count)
        truth = np.array([generator.choice(3, p=row) for row in probabilities])
        outside = np.zeros(count, dtype=bool)
        return IntentPredictions(probabilities, truth, outside, outside, ("a", "b", "c"))

    metrics = resplit_conformal_metrics(rows(500), rows(500), 0.9, seed=3)
    assert metrics["resplit_coverage"] == pytest.approx(0.9, abs=0.01)
    assert metrics["resplit_deviation"] < 0.03
    assert 1 < metrics["resplit_set_size"] < 3


def test_metrics_of_an_intent_cover_its_rows_and_what_is_automated_as_it() -> None:
    metrics = compute_intent_metrics(JUDGED, CALIBRATION)
    assert metrics["a"]["rows"] == 3
    assert metrics["a"]["accuracy"] == pytest.approx(2 / 3)
    assert metrics["a"]["confidence"] == pytest.approx((0.9 + 0.7 + 0.85) / 3)
    assert metrics["a"]["automated"] == pytest.approx(2 / 3)
    assert metrics["a"]["automation_error"] == pytest.approx(1 / 2)
    assert metrics["b"]["automation_error"] == pytest.approx(1 / 2)
    assert metrics["b"]["conformal_size"] == 2
