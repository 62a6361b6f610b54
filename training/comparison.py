"""Two bundles on the same rows: the challenger's own held-out rows, through the serving code, latency in turn.

Measures and decides nothing: `model_store/gate.py` judges. Needs none of the training libraries, so that a machine that
only serves can promote.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from frontdesk.errors import BundleError
from frontdesk.taxonomy import OUT_OF_SCOPE
from model_store.bundle import Bundle
from model_store.gate import Candidate
from runners.ensemble import Ensemble
from training.data import Example
from training.held_out import read_held_out
from training.reliability import expected_calibration_error

LATENCY_TEXTS = 64
WARM_UP_TEXTS = 4
SMALLEST_PROBABILITY = 1e-6


def measure(champion: Bundle | None, challenger: Bundle) -> tuple[Candidate | None, Candidate]:
    """The gate's inputs, both sides on the challenger's held-out rows.

    Raises:
        BundleError: when a bundle cannot be loaded by this code, or the challenger has no held-out rows.
    """
    examples = read_held_out(challenger)
    texts = [example.text for example in examples]
    bundles = [challenger] if champion is None else [champion, challenger]
    ensembles = [Ensemble.load(bundle) for bundle in bundles]
    latencies = latencies_ms(ensembles, texts)
    *before, after = (
        _candidate(bundle, ensemble, examples, latency, _maybe_trained_on(bundle, texts))
        for bundle, ensemble, latency in zip(bundles, ensembles, latencies, strict=True)
    )
    return (before[0] if before else None), after


def latencies_ms(ensembles: Sequence[Ensemble], texts: Sequence[str]) -> list[float]:
    """Median milliseconds for one text alone, the ensembles in turn: what else the machine does hits all alike."""
    for ensemble in ensembles:
        for text in texts[:WARM_UP_TEXTS]:
            ensemble.judge([text])
    taken: list[list[float]] = [[] for _ in ensembles]
    for text in texts[:LATENCY_TEXTS]:
        for ensemble, times in zip(ensembles, taken, strict=True):
            start = time.perf_counter()
            ensemble.judge([text])
            times.append((time.perf_counter() - start) * 1e3)
    return [float(np.median(times)) for times in taken]


def _candidate(
    bundle: Bundle, ensemble: Ensemble, examples: Sequence[Example], latency_ms: float, maybe_trained_on: int
) -> Candidate:
    judgement = ensemble.judge([example.text for example in examples])
    judged = [row for row, example in enumerate(examples) if example.out_of_scope or example.intent is not None]
    rated = [row for row, example in enumerate(examples) if example.sentiment is not None]
    truth = tuple(examples[row].intent or OUT_OF_SCOPE for row in judged)
    labels = ensemble.taxonomy.labels
    intent = judgement.intent[judged]
    outside = 1.0 - intent.sum(axis=1)
    best = np.array(labels)[intent.argmax(axis=1)]
    understood = np.where(outside > ensemble.calibration.out_of_scope_threshold, OUT_OF_SCOPE, best)
    columns = {label: intent[:, column] for column, label in enumerate(labels)} | {OUT_OF_SCOPE: outside}
    nothing = np.zeros(len(judged))
    of_truth = np.array([columns.get(label, nothing)[row] for row, label in enumerate(truth)])
    sentiments = np.array(ensemble.sentiments)[judgement.sentiment[rated].argmax(axis=1)]
    return Candidate(
        version=bundle.version,
        intents=labels,
        truth=truth,
        right=tuple((understood == np.array(truth)).tolist()),
        sentiment_right=tuple((sentiments == np.array([examples[row].sentiment for row in rated])).tolist()),
        log_loss=float(-np.log(np.clip(of_truth, SMALLEST_PROBABILITY, 1.0)).mean()),
        ece=expected_calibration_error(intent.max(axis=1), best == np.array(truth)),
        latency_ms=latency_ms,
        size_bytes=sum((bundle.path / name).stat().st_size for name in bundle.manifest.files),
        maybe_trained_on=maybe_trained_on,
    )


def _maybe_trained_on(bundle: Bundle, texts: Sequence[str]) -> int:
    """Rows that are not among the bundle's own held-out rows. The same data, profile and seed give none."""
    try:
        held_out = {example.text for example in read_held_out(bundle)}
    except BundleError:
        return len(texts)
    return sum(text not in held_out for text in texts)
