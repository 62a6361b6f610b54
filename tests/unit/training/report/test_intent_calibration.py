"""Significance of gaps between confidence and accuracy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from tests.support.reports import predictions
from training.data.labels import MISSING
from training.report.intent_calibration import measure_intent_calibration
from training.report.predictions import Predictions


def said(*intents: tuple[int, int, float]) -> Predictions:
    """Predictions with `times` rows per intent, `right` of them right, all with this confidence."""
    columns = len(intents) + 1  # the last one is right wherever another was chosen in error
    rows, truth = [], []
    for intent, (times, right, confidence) in enumerate(intents):
        row = np.full(columns, (1 - confidence) / columns)
        row[intent] = confidence
        rows += [row] * times
        truth += [intent] * right + [columns - 1] * (times - right)
    ensemble, outside = np.array(rows), np.zeros(len(rows), dtype=np.bool_)
    return Predictions(ensemble[None], ensemble, np.array(truth), outside, outside, rows_with_sentiment=0)


def test_an_intent_is_counted_where_it_is_chosen_and_its_p_value_is_exact() -> None:
    first, second = measure_intent_calibration(said((100, 60, 0.9), (10, 9, 0.85)))
    assert (first.intent, first.rows, first.accuracy, second.intent) == (0, 100, 0.6, 1)
    assert first.confidence == pytest.approx(0.9)
    assert first.gap == pytest.approx(0.3)
    assert first.adjusted == pytest.approx(2 * binomtest(60, 100, 0.9).pvalue)
    assert (first.beyond_chance, second.beyond_chance) == (True, False)


def test_a_wide_gap_on_three_rows_is_no_finding_and_comes_after_a_narrower_one_that_is() -> None:
    result = measure_intent_calibration(said((3, 2, 0.9), (400, 340, 0.95)))
    assert [claim.intent for claim in result] == [1, 0]
    assert abs(result[1].gap) > abs(result[0].gap)
    assert [claim.beyond_chance for claim in result] == [True, False]


def test_messages_out_of_scope_take_no_part() -> None:
    data = predictions(3, rows=60, out_of_scope=20)
    assert sum(claim.rows for claim in measure_intent_calibration(data)) == int((data.truth != MISSING).sum()) == 40
