"""Intervals and corrections agree with other implementations."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap

from training.statistics.paired_tests import adjust_holm, paired_intervals


def test_an_interval_is_that_of_scipys_percentile_bootstrap() -> None:
    generator = np.random.default_rng(0)
    differences = generator.normal(0.1, 1.0, (400, 2))
    result = paired_intervals(differences, np.arange(400))
    for column, ends in zip(differences.T, result, strict=True):
        other = bootstrap((column,), np.mean, n_resamples=5000, method="percentile", rng=1).confidence_interval
        assert ends == pytest.approx([other.low, other.high], abs=0.01)


def test_an_interval_is_about_two_standard_errors_to_each_side() -> None:
    differences = np.random.default_rng(2).normal(0.0, 1.0, 2000)
    low, high = paired_intervals(differences[:, None], np.arange(2000))[0]
    error = 1.96 * differences.std() / np.sqrt(2000)
    assert (low, high) == pytest.approx((differences.mean() - error, differences.mean() + error), abs=0.006)


def test_sides_that_never_differ_have_an_interval_of_nothing() -> None:
    assert paired_intervals(np.zeros((30, 1)), np.arange(30)).tolist() == [[0.0, 0.0]]


def test_rows_of_a_group_are_no_independent_evidence() -> None:
    """With each message repeated four times in one group, the interval stays the same."""
    messages = np.random.default_rng(3).normal(size=(100, 1))
    alone = paired_intervals(messages, np.arange(100))
    repeated = paired_intervals(np.repeat(messages, 4, axis=0), np.repeat(np.arange(100), 4))
    taken_for_independent = paired_intervals(np.repeat(messages, 4, axis=0), np.arange(400))
    assert repeated == pytest.approx(alone)
    assert np.ptp(taken_for_independent) < 0.6 * np.ptp(alone)


def test_the_same_seed_gives_the_same_interval() -> None:
    differences = np.random.default_rng(4).normal(size=(50, 1))
    first, again, other = (paired_intervals(differences, np.arange(50), seed=seed) for seed in (1, 1, 2))
    assert first.tolist() == again.tolist() != other.tolist()


@pytest.mark.parametrize(
    ("p_values", "adjusted"),
    [
        ([0.01, 0.02, 0.03, 0.04], [0.04, 0.06, 0.06, 0.06]),  # R: p.adjust(c(.01, .02, .03, .04), "holm")
        ([0.04, 0.005, 0.9, 0.01], [0.08, 0.02, 0.9, 0.03]),
        ([0.6, 0.7], [1.0, 1.0]),
        ([], []),
    ],
)
def test_holms_correction_keeps_the_order_that_was_given(p_values: list[float], adjusted: list[float]) -> None:
    assert adjust_holm(p_values) == pytest.approx(adjusted)
