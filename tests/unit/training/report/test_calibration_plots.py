"""The data of the plots, on rows that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from training.data.labels import MISSING
from training.report.calibration_plots import reliability_points, risk_coverage
from training.report.intent_plots import confusion_counts
from training.report.learning_curve_plot import smoothed
from training.report.predictions import Predictions
from training.statistics.ece import expected_calibration_error


def test_the_surest_rows_are_answered_first() -> None:
    share, error = risk_coverage(np.array([0.2, 0.9, 0.5, 0.7]), np.array([False, True, False, True]))
    assert share.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert error.tolist() == pytest.approx([0, 0, 1 / 3, 1 / 2])


def test_the_points_of_the_diagram_give_the_calibration_error_that_its_legend_names() -> None:
    generator = np.random.default_rng(3)
    confidence = generator.uniform(size=300)  # a multiple of the bins, so that all weigh the same
    right = generator.uniform(size=300) < confidence**2
    points = reliability_points(confidence, right)
    assert np.abs(points[0] - points[1]).mean() == pytest.approx(expected_calibration_error(confidence, right))


def test_confusion_counts_hold_rows_in_scope_alone() -> None:
    ensemble = np.array([[0.9, 0.0], [0.2, 0.7], [0.6, 0.1], [0.5, 0.1]])
    truth = np.array([0, 1, 1, MISSING])
    outside = np.array([False, False, False, True])
    result = Predictions(ensemble[None], ensemble, truth, outside, outside, rows_with_sentiment=4)
    assert confusion_counts(result).tolist() == [[1, 0], [1, 1]]


def test_the_best_member_is_the_one_that_is_right_most_often() -> None:
    truth = np.array([0, 1, MISSING])
    wrong_once = np.array([[0.9, 0.1], [0.9, 0.1], [0.5, 0.5]])
    never_wrong = np.array([[0.6, 0.4], [0.4, 0.6], [0.5, 0.5]])
    members = np.stack([wrong_once, never_wrong])
    outside = np.array([False, False, True])
    result = Predictions(members, never_wrong, truth, outside, outside, rows_with_sentiment=3)
    assert result.best_base_model() == 1


def test_smoothing_keeps_length_and_level_up_to_the_ends() -> None:
    assert smoothed([2.0] * 50).tolist() == pytest.approx([2.0] * 50)
    assert smoothed([5.0]).tolist() == [5.0]
    assert smoothed([0.0, 3.0, 0.0, 3.0, 0.0, 3.0], share=0.5)[1:-1].tolist() == pytest.approx([1, 2, 1, 2])
