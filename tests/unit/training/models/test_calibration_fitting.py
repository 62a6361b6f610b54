from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from training.evaluation.prediction_metrics import classification_metrics
from training.models.calibration_fitting import (
    adjusted_error_probabilities,
    automation_thresholds,
    false_alarm_threshold,
    fit_platt,
    match_traffic_share,
    traffic_weights,
)
from training.profiles.profile import CalibrationTargets
from training.statistics.ece import expected_calibration_error
from training.statistics.risk_control import certified_threshold, error_free_rows_needed, errors_allowed, upper_bound

TARGETS = CalibrationTargets(
    conformal_coverage=0.95, false_alarm_rate=0.05, max_error=0.02, certificate_confidence=0.95
)


def test_false_alarms_stay_under_their_rate_in_nearly_every_experiment() -> None:
    generator = np.random.default_rng(8)
    rates = []
    for _ in range(300):
        threshold = false_alarm_threshold(generator.uniform(size=400), TARGETS)
        rates.append(1 - threshold)  # the share of a uniform population above it
    assert np.mean(np.array(rates) > 0.05) <= binom.ppf(0.999, 300, 0.05) / 300
    assert np.mean(rates) > 0.02


def test_too_few_rows_for_a_certificate_get_the_rate_itself() -> None:
    assert false_alarm_threshold(np.linspace(0, 1, 41), TARGETS) == pytest.approx(0.95)


def test_rows_out_of_scope_weigh_as_much_as_they_usually_come() -> None:
    out_of_scope = np.arange(100) < 40
    evaluable = np.arange(100) < 90
    weights = traffic_weights(evaluable, out_of_scope, 0.05)
    assert weights[:40].sum() / weights[:90].sum() == pytest.approx(0.05)
    assert (weights[40:] == 1).all()
    assert (traffic_weights(evaluable, np.zeros(100, dtype=bool), 0.05) == 1).all()


def test_more_traffic_out_of_scope_makes_errors_likelier() -> None:
    """The best intent has 0.45 of a total of 0.5 in scope, at 5 % of traffic out of scope."""
    probabilities = np.array([[0.45, 0.05]])
    (as_it_is,) = adjusted_error_probabilities(probabilities, 0.05, usual=0.05)
    (more,) = adjusted_error_probabilities(probabilities, 0.2, usual=0.05)
    odds = (0.2 / 0.8) / (0.05 / 0.95)
    assert as_it_is == pytest.approx(0.55)
    assert more == pytest.approx(1 - 0.9 * (1 / (1 + odds)))
    assert adjusted_error_probabilities(probabilities, 0.0, usual=0.05) == pytest.approx(0.55)


def test_rows_are_thinned_to_the_share_of_traffic_out_of_scope() -> None:
    out_of_scope = np.arange(1000) < 20
    evaluable = np.arange(1000) < 900
    selected = match_traffic_share(evaluable, out_of_scope, 0.1)
    assert selected[:20].all()
    assert selected[20:900].sum() == 180
    assert not selected[900:].any()
    assert (match_traffic_share(evaluable, out_of_scope, 0.01) == evaluable).all()
    assert (match_traffic_share(evaluable, np.zeros(1000, dtype=bool), 0.1) == evaluable).all()


def test_149_rows_without_an_error_certify_two_percent_and_148_do_not() -> None:
    confidence = np.full(149, 0.9)
    right = np.ones(149, dtype=bool)
    assert error_free_rows_needed(0.02, 0.05) == 149
    assert certified_threshold(confidence, right, 0.02, 0.95) == pytest.approx(0.9)
    assert certified_threshold(confidence[1:], right[1:], 0.02, 0.95) is None


def test_one_wrong_label_among_the_surest_rows_does_not_end_everything() -> None:
    """Confidences above 0.99 mean at most 1 % of errors: the search starts where the bound is most likely to hold."""
    confidence = np.concatenate([np.full(900, 0.995), np.linspace(0.99, 0.3, 600)])
    right = np.ones(1500, dtype=bool)
    right[5] = False
    right[900:] = np.random.default_rng(0).uniform(size=600) < confidence[900:]
    threshold = certified_threshold(confidence, right, 0.02, 0.95)
    assert threshold is not None
    assert 0.85 < threshold < 0.996


@pytest.mark.parametrize(("rows", "errors"), [(148, -1), (149, 0), (235, 0), (236, 1), (2000, 29)])
def test_so_many_errors_are_allowed_as_the_bound_permits(rows: int, errors: int) -> None:
    assert errors_allowed(np.array([rows]), 0.02, 0.95).tolist() == [errors]
    if errors >= 0:
        assert upper_bound(errors, rows, 0.95) <= 0.02 < upper_bound(errors + 1, rows, 0.95)


def test_the_certificate_holds_where_the_confidence_is_honest() -> None:
    """The start depends only on confidences, so the guarantee fails in at most 5 % of calibration sets."""
    generator = np.random.default_rng(6)
    population = np.clip(generator.beta(8, 0.6, 200_000), 0, 1)
    true = generator.uniform(size=len(population)) < population
    broken = trials = 0
    for _ in range(300):
        rows = generator.integers(0, len(population), 900)
        threshold = certified_threshold(population[rows], true[rows], 0.02, 0.95)
        if threshold is not None:
            trials += 1
            broken += (~true[population >= threshold]).mean() > 0.02
    assert trials > 150
    assert broken <= binom.ppf(0.999, trials, 0.05)


def test_rows_of_the_same_confidence_are_above_a_threshold_together() -> None:
    confidence = np.repeat([0.9, 0.5], 300)
    right = np.repeat([True, True, False, True], 150)
    threshold = certified_threshold(confidence, right, 0.02, 0.95)
    assert threshold == 0.9


def test_an_intent_with_rows_enough_has_a_threshold_of_its_own_and_the_others_share_one() -> None:
    generator = np.random.default_rng(3)
    predicted = np.array([0] * 400 + [1] * 30 + [2] * 400)
    probabilities = np.full((830, 3), 0.01)
    probabilities[np.arange(830), predicted] = generator.uniform(0.5, 0.98, 830)
    right = np.ones(830, dtype=bool)
    right[probabilities[:, 2] > 0.9] = False  # sure of itself and wrong
    pooled, own = automation_thresholds(
        probabilities, right, 1 - probabilities.max(axis=1), ("good", "rare", "bad"), TARGETS
    )
    assert set(own) == {"good"}
    assert own["good"] < 0.51
    assert pooled is None


def test_the_threshold_goes_down_only_as_far_as_it_is_certified() -> None:
    confidence = np.linspace(1, 0, 1000)
    right = confidence > 0.5
    threshold = certified_threshold(confidence, right, 0.02, 0.95)
    assert threshold is not None
    above = confidence >= threshold
    assert upper_bound(int((~right[above]).sum()), int(above.sum()), 0.95) <= 0.02
    assert 0.48 < threshold < 0.51


def test_errors_at_the_top_certify_nothing() -> None:
    confidence = np.linspace(1, 0, 400)
    right = np.ones(400, dtype=bool)
    right[:10] = False
    assert certified_threshold(confidence, right, 0.02, 0.95) is None


def test_the_certificate_holds_in_repeated_experiments() -> None:
    """Over many calibration sets, the true error above the threshold exceeds the bound in at most 5 % (and noise)."""
    generator = np.random.default_rng(5)
    broken = trials = 0
    for _ in range(400):
        confidence = generator.uniform(size=800)
        error_rate = np.clip(0.2 * (1 - confidence) ** 2, 0, 1)
        right = generator.uniform(size=800) > error_rate
        threshold = certified_threshold(confidence, right, 0.02, 0.95)
        if threshold is None:
            continue
        trials += 1
        true_error = 0.2 * (1 - threshold) ** 2 / 3
        broken += true_error > 0.02
    assert trials > 200
    assert broken <= binom.ppf(0.999, trials, 0.05)


@pytest.mark.parametrize(("errors", "rows"), [(0, 149), (1, 236), (5, 100)])
def test_the_upper_bound_is_that_of_clopper_and_pearson(errors: int, rows: int) -> None:
    bound = upper_bound(errors, rows, 0.95)
    assert binom.cdf(errors, rows, bound) == pytest.approx(0.05, abs=1e-9)


def test_all_errors_leave_no_bound_below_one() -> None:
    assert upper_bound(3, 3, 0.95) == 1.0


def test_platt_repairs_scores_that_are_too_sure() -> None:
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 1.5, size=(4000, 2))
    chances = 1 / (1 + np.exp(-logits))
    right = generator.uniform(size=(4000, 2)) < chances
    truth = np.where(right[:, 0], 0, np.where(right[:, 1], 1, -1))
    too_sure = 1 / (1 + np.exp(-3 * logits))
    too_sure[:, 1] = 0
    calibrator = fit_platt(too_sure, np.where(truth == 0, 0, -1))
    assert calibrator.slope == pytest.approx(1 / 3, abs=0.05)
    assert (calibrator(too_sure)[:, 1] == 0).all()


def test_calibration_error_is_zero_for_honest_and_large_for_boastful_confidence() -> None:
    confidence = np.repeat([0.25, 0.75], 100)
    honest = np.tile([1, 0, 0, 0], 25).tolist() + np.tile([1, 1, 1, 0], 25).tolist()
    assert expected_calibration_error(confidence, np.array(honest, dtype=bool), bins=2) == pytest.approx(0)
    assert expected_calibration_error(np.ones(200), np.array(honest, dtype=bool)) == pytest.approx(0.5, abs=0.01)


def test_classification_metrics_of_a_small_example() -> None:
    metrics = classification_metrics(np.array([[0.8, 0.2], [0.4, 0.6], [0.9, 0.1]]), np.array([0, 1, 1]))
    assert metrics["accuracy"] == pytest.approx(2 / 3)
    assert metrics["log_loss"] == pytest.approx(-np.log([0.8, 0.6, 0.1]).mean())
    assert metrics["brier"] == pytest.approx((0.08 + 0.32 + 1.62) / 3)
