"""Each limitation has a metric as its reason."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support.reports import calibration, manifest, metrics, predictions, report_data
from training.report.intent_calibration import measure_intent_calibration
from training.report.limitations import list_limitations
from training.report.predictions import Predictions
from training.report.report_data import ReportData

INTENTS = ("refund", "invoice", "order")
SOUND: dict[str, dict[str, Any]] = {
    "scope": {"near_recall": 0.9, "rows": 40},
    "automation": {"upper_bound": 0.015},
    "intent": {"ensemble": {"ece": 0.01, "log_loss": 0.2, "accuracy": 0.97}},
}


def sound(**changed: Any) -> ReportData:
    """A version that only has the general limitations."""
    figures = metrics(INTENTS)
    for part, values in SOUND.items():
        figures[part] = {**figures[part], **values}
    for part, values in changed.pop("figures", {}).items():
        figures[part] = {**figures.get(part, {}), **values} if values else {}
    data = {"predictions": certain(), "manifest": manifest(INTENTS, figures), **changed}
    return report_data(INTENTS, **data)


def certain(wrong_refunds: int = 0, rows: int = 300) -> Predictions:
    """Right predictions with a confidence of 0.99, except for `wrong_refunds` refunds predicted as invoices."""
    truth = np.arange(rows) % 3
    outside = np.arange(rows) < 60
    selected = truth.copy()
    selected[np.flatnonzero((truth == 0) & ~outside)[:wrong_refunds]] = 1
    ensemble = np.full((rows, 3), 0.005)
    ensemble[np.arange(rows), selected] = 0.99
    return Predictions(ensemble[None], ensemble, np.where(outside, -1, truth), outside, np.zeros_like(outside), rows)


def topics(given: ReportData) -> list[str]:
    return [limit.topic for limit in list_limitations(given, measure_intent_calibration(given.predictions))]


def sentences(given: ReportData) -> str:
    return " ".join(limit.sentence for limit in list_limitations(given, measure_intent_calibration(given.predictions)))


def test_a_good_version_only_has_the_general_limitations() -> None:
    assert topics(sound()) == ["Other writers", "Not for"]


@pytest.mark.parametrize(
    ("changed", "topic", "told"),
    [
        ({"calibration": calibration(None)}, "Automation", "Nothing is automated"),
        ({"figures": {"automation": {"error": 0.035}}}, "Automation", "3.5% of the automated answers are wrong"),
        (
            {"figures": {"automation": {"upper_bound": 0.04}}},
            "Automation",
            "too few to confirm it (their bound is 4.0%)",
        ),
        ({"predictions": certain(rows=85)}, "Too few rows", "(3 of 3 intents)"),
        ({"figures": {"intent": {"ensemble": {"ece": 0.08}}}}, "Confidence", "8.0 points off"),
        ({"figures": {"scope": {"rows": 5}}}, "Out of scope", "not reliably measured: 9 were held out"),
        (
            {"figures": {"scope": {"rows": 0, "near_rows": 0}}},
            "Out of scope",
            "not reliably measured: none were held out",
        ),
        ({"figures": {"scope": {"recall": 0.6}}}, "Out of scope", "40.0% of the messages that fit no intent"),
        ({"figures": {"scope": {"near_recall": 0.3}}}, "Near out of scope", "70.0% of the messages"),
        ({"figures": {"scope": {"false_alarm_rate": 0.09}}}, "False alarms", "9.0% of the messages in scope"),
        ({"figures": {"borrowed_sentiment": {"rows": 900}}}, "Sentiment", "learned from the starter corpus"),
        ({"figures": {"sentiment": {}}}, "Sentiment", "its quality is not known"),
        ({"figures": {"sentiment": {"ensemble": {"accuracy": 0.7}}}}, "Sentiment", "30.0% of sentiments are wrong"),
    ],
)
def test_a_poor_metric_is_a_limitation(changed: dict[str, Any], topic: str, told: str) -> None:
    data = sound(**changed)
    assert topic in topics(data)
    assert told in sentences(data)


def test_an_intent_that_is_rarely_recognised_and_one_that_is_too_sure_are_named() -> None:
    data = sound(predictions=certain(wrong_refunds=40))
    assert "fewer than 80% of their messages: refund (50% of 80) (1 of 3 intents)" in sentences(data)
    assert "invoice (confidence 99%, accuracy 67%)" in sentences(data)


def test_of_many_intents_the_first_are_named_and_the_others_counted() -> None:
    names = tuple(f"intent_{number}" for number in range(30))
    message = sentences(report_data(names, predictions=predictions(30, rows=60)))
    assert "With fewer than 10 held-out messages" in message
    assert "and 22 more (30 of 30 intents)" in message
