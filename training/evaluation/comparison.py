"""Measurement of two bundles on the same rows: the challenger's held-out rows, with the serving code.

`comparison_stats.py` compares the measurements and `model_store/promotion_gate.py` decides. Needs no training library,
so that a machine that only serves can promote.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frontdesk.errors import BundleError
from frontdesk.taxonomy import OUT_OF_SCOPE
from model_store.bundle import Bundle
from model_store.promotion_gate import BundleMetrics
from runners.ensemble.ensemble import Ensemble
from runners.models.calibration import Doubles
from training.data.examples import Example
from training.data.held_out import read_held_out
from training.evaluation.batch_scoring import predict_all
from training.statistics.ece import expected_calibration_error

LATENCY_TEXTS = 64
WARM_UP_TEXTS = 4
MIN_PROBABILITY = 1e-6


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """Results of one task on the rows that have a label for it.

    Attributes:
        groups: (rows,) group numbers from 0; rows of one group are paraphrases.
        right: (rows,) whether the prediction is right.
        loss: (rows,) negative logarithm of the probability of the true label, in nats.
        brier: mean squared distance of the probabilities from the truth, 0 to 2 (Brier 1950).
        ece: expected calibration error of the highest probability.
    """

    groups: NDArray[np.intp]
    right: NDArray[np.bool_]
    loss: Doubles
    brier: float
    ece: float


@dataclass(frozen=True, slots=True)
class ThresholdEffects:
    """Effects of a bundle's thresholds on the rows that have an intent or are out of scope.

    Attributes:
        threshold: the certified automation threshold, None without a certificate.
        automated: share of the rows that reach their automation threshold.
        error: share of wrong predictions among the automated rows, None if no row is automated.
        flagged: share of the rows that are predicted as out of scope.
        set_size: mean number of plausible intents.
    """

    threshold: float | None
    automated: float
    error: float | None
    flagged: float
    set_size: float


@dataclass(frozen=True, slots=True)
class MeasuredBundle:
    """Measurements of one bundle: metrics for the promotion gate, results by row, effects of the thresholds.

    In `intent`, out of scope is one of the labels. `sentiment`: None if no row has a sentiment.
    """

    candidate: BundleMetrics
    intent: TaskOutcome
    sentiment: TaskOutcome | None
    threshold_effects: ThresholdEffects


def measure_for_promotion_gate(
    champion: Bundle | None, challenger: Bundle
) -> tuple[BundleMetrics | None, BundleMetrics]:
    """Measure the inputs of the promotion gate, for both bundles on the challenger's held-out rows.

    Raises:
        BundleError: a bundle cannot be loaded by this code, or the challenger has no held-out rows.
    """
    bundles = [challenger] if champion is None else [champion, challenger]
    *before, after = measure_bundles(bundles, load_comparison_rows(challenger))
    return (before[0].candidate if before else None), after.candidate


def load_comparison_rows(bundle: Bundle) -> list[Example]:
    """Load the bundle's held-out rows without those of withheld intents, which are harder than real traffic."""
    return [example for example in read_held_out(bundle) if not example.near]


def measure_bundles(bundles: Sequence[Bundle], examples: Sequence[Example]) -> list[MeasuredBundle]:
    """Measure bundles on the same rows.

    Raises:
        BundleError: a bundle cannot be loaded by this code.
    """
    texts = [example.text for example in examples]
    ensembles = [Ensemble.load(bundle) for bundle in bundles]
    latencies = measure_latencies_ms(ensembles, texts)
    return [
        _measure_bundle(bundle, ensemble, examples, latency)
        for bundle, ensemble, latency in zip(bundles, ensembles, latencies, strict=True)
    ]


def measure_latencies_ms(ensembles: Sequence[Ensemble], texts: Sequence[str]) -> list[float]:
    """Median milliseconds for one text. The ensembles take turns, so that other load on the machine affects all."""
    for ensemble in ensembles:
        for text in texts[:WARM_UP_TEXTS]:
            ensemble.predict([text])
    measured: list[list[float]] = [[] for _ in ensembles]
    for text in texts[:LATENCY_TEXTS]:
        for ensemble, times in zip(ensembles, measured, strict=True):
            start = time.perf_counter()
            ensemble.predict([text])
            times.append((time.perf_counter() - start) * 1e3)
    return [float(np.median(times)) for times in measured]


def _measure_bundle(
    bundle: Bundle, ensemble: Ensemble, examples: Sequence[Example], latency_ms: float
) -> MeasuredBundle:
    texts = [example.text for example in examples]
    prediction = predict_all(ensemble, texts, sampling=False)
    evaluable = [row for row, example in enumerate(examples) if example.out_of_scope or example.intent is not None]
    truth = [examples[row].intent or OUT_OF_SCOPE for row in evaluable]
    probabilities = prediction.intent[evaluable]
    intent = _intent_outcome(ensemble, probabilities, truth, _group_numbers(examples, evaluable))
    rated_rows = [row for row, example in enumerate(examples) if example.sentiment is not None]
    sentiment = (
        _sentiment_outcome(ensemble, prediction.sentiment[rated_rows], examples, rated_rows) if rated_rows else None
    )
    candidate = BundleMetrics(
        version=bundle.version,
        intents=ensemble.taxonomy.labels,
        truth=tuple(truth),
        right=tuple(intent.right.tolist()),
        sentiment_right=tuple(sentiment.right.tolist()) if sentiment else (),
        log_loss=float(intent.loss.mean()),
        ece=intent.ece,
        latency_ms=latency_ms,
        size_bytes=sum((bundle.path / name).stat().st_size for name in bundle.manifest.files),
        maybe_trained_on=_count_texts_maybe_trained_on(bundle, texts),
    )
    return MeasuredBundle(candidate, intent, sentiment, _threshold_effects(ensemble, probabilities, np.array(truth)))


def _intent_outcome(
    ensemble: Ensemble, probabilities: Doubles, truth: Sequence[str], groups: NDArray[np.intp]
) -> TaskOutcome:
    """Results for intents, with out of scope as one of the labels. `ece` uses the confidence of the best intent."""
    labels = ensemble.taxonomy.labels
    out_of_scope = 1.0 - probabilities.sum(axis=1)
    best = np.array(labels)[probabilities.argmax(axis=1)]
    predicted = np.where(out_of_scope > ensemble.calibration.out_of_scope_threshold, OUT_OF_SCOPE, best)
    loss, brier = _losses((*labels, OUT_OF_SCOPE), np.column_stack([probabilities, out_of_scope]), truth)
    ece = expected_calibration_error(probabilities.max(axis=1), best == np.array(truth))
    return TaskOutcome(groups, predicted == np.array(truth), loss, brier, ece)


def _sentiment_outcome(
    ensemble: Ensemble, probabilities: Doubles, examples: Sequence[Example], rows: Sequence[int]
) -> TaskOutcome:
    truth = [examples[row].sentiment or "" for row in rows]
    right = np.array(ensemble.sentiments)[probabilities.argmax(axis=1)] == np.array(truth)
    loss, brier = _losses(ensemble.sentiments, probabilities, truth)
    ece = expected_calibration_error(probabilities.max(axis=1), right)
    return TaskOutcome(_group_numbers(examples, rows), right, loss, brier, ece)


def _losses(labels: Sequence[str], probabilities: Doubles, truth: Sequence[str]) -> tuple[Doubles, float]:
    """Log loss of each row and mean Brier score. A label that the bundle does not know has probability 0."""
    columns = {label: column for column, label in enumerate(labels)}
    truth_probability = np.array(
        [probabilities[row, columns[label]] if label in columns else 0.0 for row, label in enumerate(truth)]
    )
    loss: Doubles = -np.log(np.clip(truth_probability, MIN_PROBABILITY, 1.0))
    return loss, float(((probabilities**2).sum(axis=1) - 2 * truth_probability + 1).mean())


def _threshold_effects(ensemble: Ensemble, probabilities: Doubles, truth: NDArray[np.str_]) -> ThresholdEffects:
    calibration, labels = ensemble.calibration, ensemble.taxonomy.labels
    predicted = probabilities.argmax(axis=1)
    flagged = 1.0 - probabilities.sum(axis=1) > calibration.out_of_scope_threshold
    certified = [calibration.automation_threshold_of(label) for label in labels]
    thresholds = np.array([np.inf if threshold is None else threshold for threshold in certified])
    automated = ~flagged & (probabilities.max(axis=1) >= thresholds[predicted])
    wrong = np.array(labels)[predicted] != truth
    return ThresholdEffects(
        threshold=calibration.automation_threshold,
        automated=float(automated.mean()),
        error=float(wrong[automated].mean()) if automated.any() else None,
        flagged=float(flagged.mean()),
        set_size=float(np.maximum((probabilities >= calibration.conformal_threshold).sum(axis=1), 1).mean()),
    )


def _group_numbers(examples: Sequence[Example], rows: Sequence[int]) -> NDArray[np.intp]:
    return np.unique([examples[row].group for row in rows], return_inverse=True)[1].astype(np.intp)


def _count_texts_maybe_trained_on(bundle: Bundle, texts: Sequence[str]) -> int:
    """Number of rows that the bundle may have been trained on: those not among its held-out rows.

    It is 0 for bundles from the same data, profile and seed.
    """
    try:
        held_out = {example.text for example in read_held_out(bundle)}
    except BundleError:
        return len(texts)
    return sum(text not in held_out for text in texts)
