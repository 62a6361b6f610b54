"""Limitations of a version, derived from its metrics.

Each limitation has a metric as its reason; the last ones apply to every model of this kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from training.data.labels import MISSING
from training.report.intent_calibration import IntentCalibration
from training.report.report_data import ReportData
from training.report.table import percent

MIN_ROWS = 10
"""Minimum number of held-out rows for the accuracy of an intent: with 10 of 10 right, up to 26 % may be wrong."""
LOW_ACCURACY = 0.8
LOW_RECALL = 0.8
HIGH_ECE = 0.03
MIN_OUT_OF_SCOPE_ROWS = 30
MAX_NAMED = 8


class Limitation(NamedTuple):
    """A limitation and the metrics that show it."""

    topic: str
    sentence: str


def list_limitations(report_data: ReportData, calibrations: Sequence[IntentCalibration]) -> tuple[Limitation, ...]:
    """The limitations of this version; those that affect customers come first."""
    return (
        *_automation(report_data),
        *_intents(report_data),
        *_confidence(report_data, calibrations),
        *_scope(report_data),
        *_sentiment(report_data),
        *_general_limitations(report_data),
    )


def _automation(report_data: ReportData) -> Iterator[Limitation]:
    calibration, metrics = report_data.calibration, report_data.metrics["automation"]
    if calibration.automation_threshold is None and not calibration.intent_thresholds:
        yield Limitation(
            "Automation", "Nothing is automated: there were too few calibration rows to certify a threshold."
        )
        return
    upper = metrics.get("upper_bound")
    if metrics["error"] > calibration.max_error:
        broken = f"{percent(metrics['error'])} of the automated answers are wrong on the held-out messages"
        yield Limitation("Automation", f"{broken}; the guarantee is at most {percent(calibration.max_error)}.")
    elif upper is not None and upper > calibration.max_error:
        yield Limitation(
            "Automation",
            f"The guarantee of at most {percent(calibration.max_error)} was certified on calibration rows. The "
            f"held-out rows are too few to confirm it (their bound is {percent(upper)}).",
        )


def _intents(report_data: ReportData) -> Iterator[Limitation]:
    labels, predictions = report_data.manifest.intents, report_data.predictions
    labels_of_rows = predictions.truth[predictions.truth != MISSING]
    rows = np.bincount(labels_of_rows, minlength=len(labels))
    right = np.bincount(predictions.truth[predictions.right & predictions.in_scope], minlength=len(labels))
    accuracy = right / np.maximum(rows, 1)
    order = np.lexsort((np.arange(len(labels)), accuracy))
    low = [intent for intent in order if rows[intent] >= MIN_ROWS and accuracy[intent] < LOW_ACCURACY]
    if low:
        listed = _join_names([f"{labels[intent]} ({accuracy[intent]:.0%} of {rows[intent]})" for intent in low])
        text = f"{listed} ({len(low)} of {len(labels)} intents)"
        yield Limitation("Weak intents", f"Recognised in fewer than {LOW_ACCURACY:.0%} of their messages: {text}.")
    few = [intent for intent in np.argsort(rows, kind="stable") if rows[intent] < MIN_ROWS]
    if few:
        listed = _join_names([f"{labels[intent]} ({rows[intent]})" for intent in few])
        text = f"{listed} ({len(few)} of {len(labels)} intents)"
        reason = f"With fewer than {MIN_ROWS} held-out messages, the metrics of an intent are not reliable"
        yield Limitation("Too few rows", f"{reason}: {text}.")


def _confidence(report_data: ReportData, calibrations: Sequence[IntentCalibration]) -> Iterator[Limitation]:
    labels, ece = report_data.manifest.intents, report_data.metrics["intent"]["ensemble"]["ece"]
    if ece > HIGH_ECE:
        yield Limitation("Confidence", f"The confidence in an intent is {ece * 100:.1f} points off on average.")
    overconfident = [calibration for calibration in calibrations if calibration.beyond_chance and calibration.gap > 0]
    if overconfident:
        listed = _join_names(
            [
                f"{labels[calibration.intent]} (confidence {calibration.confidence:.0%}, "
                f"accuracy {calibration.accuracy:.0%})"
                for calibration in overconfident
            ]
        )
        yield Limitation("Confidence", f"Significantly overconfident for {listed}.")


def _scope(report_data: ReportData) -> Iterator[Limitation]:
    scope, far = report_data.metrics["scope"], report_data.far_out_of_scope_rows
    near = scope.get("near_rows", 0)
    if far + near < MIN_OUT_OF_SCOPE_ROWS:
        yield Limitation(
            "Out of scope",
            f"The detection of out-of-scope messages is not reliably measured: {far + near or 'none'} were held out.",
        )
    elif far and scope["recall"] < LOW_RECALL:
        yield Limitation(
            "Out of scope", f"{percent(1 - scope['recall'])} of the messages that fit no intent are not detected."
        )
    if near and scope["near_recall"] < LOW_RECALL:
        missed = percent(1 - scope["near_recall"])
        text = f"{missed} of the messages that are close to the intents but fit none are not detected"
        yield Limitation("Near out of scope", f"{text} (measured with intents withheld from training).")
    if scope["false_alarm_rate"] > 1.5 * report_data.calibration.false_alarm_rate:
        alarms = f"{percent(scope['false_alarm_rate'])} of the messages in scope are predicted as out of scope"
        yield Limitation(
            "False alarms", f"{alarms}; the target is {percent(report_data.calibration.false_alarm_rate)}."
        )


def _sentiment(report_data: ReportData) -> Iterator[Limitation]:
    if "borrowed_sentiment" in report_data.metrics:
        sentence = (
            "The data has no sentiment. Sentiment was learned from the starter corpus and not evaluated on this data."
        )
        yield Limitation("Sentiment", sentence)
    elif "sentiment" not in report_data.tasks:
        yield Limitation("Sentiment", "No held-out message has a sentiment, so its quality is not known.")
    elif (accuracy := report_data.metrics["sentiment"]["ensemble"]["accuracy"]) < LOW_ACCURACY:
        text = f"{percent(1 - accuracy)} of sentiments are wrong"
        yield Limitation("Sentiment", f"{text}: use them for trends, not for single cases.")


def _general_limitations(report_data: ReportData) -> Iterator[Limitation]:
    if report_data.manifest.data["source"] == "starter corpus":
        yield Limitation(
            "Other writers",
            "The starter corpus was written for this project. Real customers write differently, so the accuracy will "
            "be lower: train on your own messages before you rely on a threshold.",
        )
    else:
        yield Limitation(
            "Other writers",
            "Held-out messages come from the same source as the training messages. The accuracy will be lower for "
            "other customers, channels or months.",
        )
    yield Limitation(
        "Not for",
        "Decisions about a person (credit, employment, health, law), languages other than that of the data, or "
        "messages that are not from customers.",
    )


def _join_names(names: Sequence[str]) -> str:
    more = len(names) - MAX_NAMED
    return ", ".join(names[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
