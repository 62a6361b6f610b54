"""Measurements on rows of a real bundle, some of them with labels that it does not know."""

from __future__ import annotations

import numpy as np
import pytest

from model_store.bundle import Bundle
from runners.ensemble.ensemble import Ensemble
from training.data.examples import Example
from training.data.held_out import read_held_out
from training.evaluation.comparison import measure_bundles


def test_a_measured_bundle_has_the_stored_metrics(tiny_bundle: Bundle) -> None:
    (result,) = measure_bundles([tiny_bundle], read_held_out(tiny_bundle))
    assert result.sentiment is not None
    sealed = tiny_bundle.manifest.metrics["sentiment"]["ensemble"]
    assert result.sentiment.right.mean() == pytest.approx(sealed["accuracy"])
    assert result.sentiment.loss.mean() == pytest.approx(sealed["log_loss"])
    assert (result.sentiment.brier, result.sentiment.ece) == pytest.approx((sealed["brier"], sealed["ece"]))
    assert result.intent.loss.mean() == result.candidate.log_loss


def test_thresholds_do_on_rows_in_scope_what_was_sealed(tiny_bundle: Bundle) -> None:
    in_scope = [example for example in read_held_out(tiny_bundle) if example.intent is not None]
    (result,) = measure_bundles([tiny_bundle], in_scope)
    metrics = tiny_bundle.manifest.metrics
    assert result.threshold_effects.set_size == pytest.approx(metrics["conformal"]["mean_set_size"])
    assert result.threshold_effects.flagged == pytest.approx(metrics["scope"]["false_alarm_rate"])


def test_a_label_that_a_bundle_does_not_know_is_as_wrong_as_can_be(tiny_bundle: Bundle) -> None:
    rows = [Example("where is my parcel", "card_swallowed", None, str(number)) for number in range(3)]
    (result,) = measure_bundles([tiny_bundle], rows)
    assert not result.intent.right.any()
    assert result.intent.loss == pytest.approx(-np.log(1e-6))
    probabilities = Ensemble.load(tiny_bundle).predict(["where is my parcel"]).intent[0]
    outside = 1 - probabilities.sum()
    assert result.intent.brier == pytest.approx((probabilities**2).sum() + outside**2 + 1)


def test_rows_without_a_sentiment_leave_that_task_out(tiny_bundle: Bundle) -> None:
    (result,) = measure_bundles([tiny_bundle], [Example("where is my parcel", "track_order", None, "1")])
    assert result.sentiment is None
    assert result.candidate.sentiment_right == ()


def test_rows_of_one_group_have_one_number(tiny_bundle: Bundle) -> None:
    rows = [Example(text, "track_order", "neutral", group) for text, group in (("a", "x"), ("b", "y"), ("c", "x"))]
    (result,) = measure_bundles([tiny_bundle], rows)
    assert result.intent.groups.tolist() == [0, 1, 0]
