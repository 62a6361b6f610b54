"""Evaluation of a sealed bundle on any labelled rows: metrics, most frequent errors, latency.

The metrics are those of `prediction_metrics.py`. Rows with labels that the bundle does not know are counted by label,
and either left out or counted as out of scope. The texts of examples are masked.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from runners.ensemble.ensemble import Ensemble
from runners.ensemble.prediction import EnsemblePrediction
from training.data.examples import Example
from training.data.labels import MISSING, Targets, encode_labels
from training.evaluation.batch_scoring import predict_all
from training.evaluation.prediction_metrics import evaluate_predictions

TIMED_TEXTS = 200
MAX_CONFUSIONS = 10


@dataclass(frozen=True, slots=True)
class IntentConfusion:
    """An intent that was predicted as another one: number of rows, and the error with the highest confidence."""

    intent: str
    taken_for: str
    rows: int
    example: str
    confidence: float


@dataclass(frozen=True, slots=True)
class IntentAccuracy:
    """Accuracy (recall) of one intent: the share of its labelled rows for which it is the most probable intent."""

    intent: str
    rows: int
    accuracy: float


@dataclass(frozen=True, slots=True)
class LatencyStats:
    """Milliseconds per text without masking: one text at a time (median, 95th percentile) and in full batches."""

    texts: int
    p50_ms: float
    p95_ms: float
    batched_ms: float


@dataclass(frozen=True, slots=True)
class BundleEvaluation:
    """Result of an evaluation.

    Attributes:
        rows: number of rows.
        figures: the metrics of `evaluate_predictions`.
        unknown: number of rows by label, for labels that the bundle does not know.
        confused: the most frequent confusions.
        intents: accuracy by intent, lowest first.
        latency: of the ensemble on this machine.
    """

    rows: int
    figures: dict[str, Any]
    unknown: dict[str, int]
    confused: tuple[IntentConfusion, ...]
    intents: tuple[IntentAccuracy, ...]
    latency: LatencyStats


def evaluate_bundle(
    ensemble: Ensemble, examples: Sequence[Example], *, unknown_is_out_of_scope: bool = False
) -> BundleEvaluation:
    """Predict every row and compare the predictions with the labels.

    Args:
        ensemble: the ensemble to evaluate.
        examples: labelled rows.
        unknown_is_out_of_scope: count rows with an unknown intent as out of scope. By default they are used only for
            the metrics of sentiment.
    """
    known_labels = set(ensemble.taxonomy.labels)
    unknown = Counter(row.intent for row in examples if row.intent is not None and row.intent not in known_labels)
    rows = [
        replace(row, intent=None, out_of_scope=unknown_is_out_of_scope) if row.intent in unknown else row
        for row in examples
    ]
    labels = encode_labels(rows, ensemble.taxonomy.labels, ensemble.sentiments)
    out_of_scope = np.array([row.out_of_scope for row in rows])
    texts = [row.text for row in rows]
    prediction, latency = predict_timed(ensemble, texts)
    return BundleEvaluation(
        rows=len(rows),
        figures=evaluate_predictions(ensemble, prediction, labels, out_of_scope),
        unknown={str(label): count for label, count in unknown.most_common()},
        confused=list_confusions(prediction, labels.intent, ensemble.taxonomy.labels, texts),
        intents=measure_intent_accuracy(prediction, labels.intent, ensemble.taxonomy.labels),
        latency=latency,
    )


def predict_timed(ensemble: Ensemble, texts: Sequence[str]) -> tuple[EnsemblePrediction, LatencyStats]:
    """Predict all texts, and measure the latency of one text."""
    started = time.perf_counter()
    prediction = predict_all(ensemble, texts)
    batched_ms = (time.perf_counter() - started) * 1000 / len(texts)
    return prediction, _measure_latency(ensemble, texts, batched_ms)


def list_confusions(
    prediction: EnsemblePrediction,
    truth: Targets,
    labels: Sequence[str],
    texts: Sequence[str],
    most: int = MAX_CONFUSIONS,
) -> tuple[IntentConfusion, ...]:
    """List the most frequent confusions, the most frequent first; ties by the highest confidence."""
    predicted, confidence = prediction.intent.argmax(axis=1), prediction.intent.max(axis=1)
    wrong = np.flatnonzero((truth != MISSING) & (predicted != truth))
    pairs = Counter((labels[truth[row]], labels[predicted[row]]) for row in wrong)
    most_confident: dict[tuple[str, str], int] = {}
    for row in sorted(wrong, key=lambda row: confidence[row]):
        most_confident[labels[truth[row]], labels[predicted[row]]] = int(row)
    ordered = sorted(pairs.items(), key=lambda item: (-item[1], -confidence[most_confident[item[0]]], item[0]))[:most]
    return tuple(
        IntentConfusion(*pair, count, texts[most_confident[pair]], round(float(confidence[most_confident[pair]]), 4))
        for pair, count in ordered
    )


def measure_intent_accuracy(
    prediction: EnsemblePrediction, truth: Targets, labels: Sequence[str]
) -> tuple[IntentAccuracy, ...]:
    """Measure the accuracy of each intent that has rows, lowest first; ties by name."""
    right = prediction.intent.argmax(axis=1) == truth
    accuracies = [
        IntentAccuracy(label, int((truth == column).sum()), float(right[truth == column].mean()))
        for column, label in enumerate(labels)
        if (truth == column).any()
    ]
    return tuple(sorted(accuracies, key=lambda row: (row.accuracy, row.intent)))


def _measure_latency(ensemble: Ensemble, texts: Sequence[str], batched_ms: float) -> LatencyStats:
    """Measure evenly spaced texts, one at a time. The ensemble is warm after `predict_all`."""
    sampled_rows = np.linspace(0, len(texts) - 1, min(TIMED_TEXTS, len(texts))).astype(int)
    milliseconds = []
    for number in sampled_rows:
        started = time.perf_counter()
        ensemble.predict([texts[number]])
        milliseconds.append((time.perf_counter() - started) * 1000)
    p50, p95 = np.percentile(milliseconds, [50, 95])
    return LatencyStats(len(sampled_rows), round(float(p50), 3), round(float(p95), 3), round(batched_ms, 3))
