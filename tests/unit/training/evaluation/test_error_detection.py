from __future__ import annotations

import numpy as np
import pytest

from frontdesk.scores import DropoutStatistics, Scores
from runners.ensemble.prediction import EnsemblePrediction
from training.data.labels import MISSING
from training.evaluation.error_detection import area_under_risk_coverage, detection_metrics, error_detection


def test_the_curve_of_perfect_uncertainty_and_of_its_opposite() -> None:
    wrong = np.array([False, False, False, True])
    perfect = area_under_risk_coverage(np.array([0.1, 0.2, 0.3, 0.9]), wrong)
    assert perfect == pytest.approx((0 + 0 + 0 + 1 / 4) / 4)
    opposite = area_under_risk_coverage(np.array([0.9, 0.8, 0.7, 0.1]), wrong)
    assert opposite == pytest.approx((1 + 1 / 2 + 1 / 3 + 1 / 4) / 4)


def test_nothing_wrong_leaves_nothing_to_find() -> None:
    assert detection_metrics(np.array([0.1, 0.2]), np.array([False, False])) == {}


def test_each_measure_is_evaluated_on_rows_in_scope_and_full_dropout_on_its_own_rows() -> None:
    """Row 3 is out of scope; row 2 is wrong, and only full dropout is uncertain about it."""
    intent = np.array([[0.9, 0.1], [0.8, 0.2], [0.9, 0.1], [0.5, 0.5]])
    truth = np.array([0, 0, 1, MISSING])
    doubtful, certain = np.log(2), 0.1
    sampled = DropoutStatistics(
        intent.astype(np.float32), np.array([certain, certain, certain, certain], dtype=np.float32)
    )
    unsure = DropoutStatistics(
        np.array([[1, 0], [1, 0], [0.5, 0.5]], dtype=np.float32), np.array([0, 0, 0.2], dtype=np.float32)
    )
    members = (Scores(intent.astype(np.float32), intent[:, :1].astype(np.float32), sampled),)
    prediction = EnsemblePrediction(members, intent, intent)
    result = error_detection(prediction, truth, np.array([0, 1, 2]), [unsure])
    assert result["full_dropout"]["auroc"] == 1.0
    assert result["full_dropout"]["rows"] == result["confidence"]["rows"] == 3
    assert result["confidence"]["auroc"] < 1.0
    assert doubtful > certain
    assert set(result) == {
        "confidence", "member_disagreement", "head_dropout", "head_dropout_same_rows", "full_dropout"
    }  # fmt: skip
