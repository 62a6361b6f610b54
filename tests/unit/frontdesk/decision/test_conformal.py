"""Split conformal sets: the finite-sample quantile, and the coverage that it guarantees."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frontdesk.decision.conformal import conformal_threshold, prediction_set_sizes


def test_the_quantile_is_the_one_with_the_finite_sample_correction() -> None:
    # ceil((9 + 1) * 0.8) = 8: the 8th largest of nine probabilities.
    assert conformal_threshold([0.9, 0.1, 0.8, 0.2, 0.7, 0.3, 0.6, 0.4, 0.5], coverage=0.8) == 0.2


def test_rounding_of_the_rank_does_not_cost_a_row() -> None:
    # 10 * 0.7 is 7 but 100 * 0.07 is 7.000000000000001 in floating point.
    assert conformal_threshold(np.linspace(0.99, 0.01, 99), coverage=0.07) == pytest.approx(0.93)


@pytest.mark.parametrize(("rows", "enough"), [(0, False), (18, False), (19, True)])
def test_too_few_rows_keep_every_label(rows: int, enough: bool) -> None:
    assert (conformal_threshold(np.full(rows, 0.5), coverage=0.95) > 0.0) is enough


def test_full_coverage_keeps_every_label() -> None:
    assert conformal_threshold(np.full(1000, 0.5), coverage=1.0) == 0.0


@pytest.mark.parametrize("coverage", [0.0, -0.1, 1.1, float("nan")])
def test_a_coverage_outside_0_to_1_is_refused(coverage: float) -> None:
    with pytest.raises(ValueError, match="coverage"):
        conformal_threshold([0.5], coverage)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(rows=st.integers(20, 200), coverage=st.floats(0.5, 0.97), seed=st.integers(0, 2**32 - 1))
def test_the_coverage_of_the_sets_is_within_the_guaranteed_bounds(rows: int, coverage: float, seed: int) -> None:
    """Over many draws of calibration rows the mean coverage lies between c and c + 1 / (n + 1)."""
    generator = np.random.default_rng(seed)
    draws, fresh = 200, 200
    classes = 5
    hits = np.empty(draws)
    for draw in range(draws):
        # Labels are drawn from flatter probabilities than those of the model, so that the model is badly calibrated.
        probabilities = generator.dirichlet(np.full(classes, 0.5), size=rows + fresh)
        flat = (probabilities + 0.1) / (1 + 0.1 * classes)
        labels = (flat.cumsum(axis=1) < generator.random((rows + fresh, 1))).sum(axis=1)
        right = probabilities[np.arange(rows + fresh), labels]
        hits[draw] = (right[rows:] >= conformal_threshold(right[:rows], coverage)).mean()
    tolerance = 4 * hits.std() / math.sqrt(draws)

    assert coverage - tolerance <= hits.mean() <= coverage + 1 / (rows + 1) + tolerance


def test_each_set_contains_the_labels_at_or_above_the_threshold() -> None:
    ranked = np.array([[0.5, 0.25, 0.2, 0.05], [0.9, 0.1, 0.0, 0.0]])
    assert prediction_set_sizes(ranked, threshold=0.2).tolist() == [3, 1]


def test_the_best_label_is_included_even_below_the_threshold() -> None:
    assert prediction_set_sizes(np.array([[0.45, 0.35, 0.2]]), threshold=0.9).tolist() == [1]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.floats(0, 1))
def test_a_set_is_never_empty_and_has_exactly_the_labels_at_or_above_the_threshold(
    scores: list[float], threshold: float
) -> None:
    ranked = sorted(scores, reverse=True)

    (size,) = prediction_set_sizes(np.array([ranked]), threshold).tolist()

    assert size == max(1, sum(score >= threshold for score in scores))
