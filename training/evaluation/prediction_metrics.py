"""Metrics of probabilities against the true labels, and of all parts of an ensemble on the same rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from runners.ensemble.ensemble import Ensemble
from runners.ensemble.prediction import EnsemblePrediction
from runners.models.calibration import Doubles
from training.data.labels import MISSING, EncodedLabels
from training.evaluation.guarantees import IntentPredictions, automation_metrics, conformal_metrics, scope_metrics
from training.evaluation.intent_metrics import compute_intent_metrics
from training.statistics.ece import expected_calibration_error

Mask = NDArray[np.bool_]


def evaluate_predictions(
    ensemble: Ensemble,
    prediction: EnsemblePrediction,
    labels: EncodedLabels,
    out_of_scope: Mask,
    near: Mask | None = None,
) -> dict[str, Any]:
    """Evaluate the ensemble, each base model and the soft vote; scope, automation and intents for the ensemble only.

    A task for which no row has a label has no metrics. The share of an empty set of rows is 0.

    Args:
        ensemble: the ensemble that made the prediction.
        prediction: prediction for the rows.
        labels: columns of the true labels.
        out_of_scope: (rows,) mask of the rows that fit no intent.
        near: (rows,) mask of the out-of-scope rows whose intent was withheld from training; by default none.
    """
    metrics: dict[str, Any] = {"rows": len(labels.intent)}
    for task, truth in (("intent", labels.intent), ("sentiment", labels.sentiment)):
        labelled_rows = np.flatnonzero(truth != MISSING)
        members = [getattr(scores, task)[labelled_rows].astype(np.float64) for scores in prediction.members]
        by_model = {member.name: probabilities for member, probabilities in zip(ensemble.members, members, strict=True)}
        by_model["soft_vote"] = np.mean(members, axis=0)
        by_model["ensemble"] = getattr(prediction, task)[labelled_rows]
        metrics[task] = {
            name: classification_metrics(probabilities, truth[labelled_rows])
            for name, probabilities in by_model.items()
            if len(labelled_rows)
        }
    predictions = to_intent_predictions(ensemble, prediction, labels, out_of_scope, near)
    if predictions.evaluable.any():
        metrics["scope"] = scope_metrics(predictions, ensemble.calibration)
        metrics["automation"] = automation_metrics(predictions, ensemble.calibration)
        metrics["per_intent"] = compute_intent_metrics(predictions, ensemble.calibration)
        metrics["conformal"] = conformal_metrics(predictions, ensemble.calibration)
    return metrics


def to_intent_predictions(
    ensemble: Ensemble,
    prediction: EnsemblePrediction,
    labels: EncodedLabels,
    out_of_scope: Mask,
    near: Mask | None = None,
) -> IntentPredictions:
    """Combine the intents of a prediction with the true ones."""
    no_rows = np.zeros(len(out_of_scope), dtype=np.bool_)
    return IntentPredictions(
        prediction.intent, labels.intent, out_of_scope, no_rows if near is None else near, ensemble.taxonomy.labels
    )


def compute_task_metrics(prediction: EnsemblePrediction, labels: EncodedLabels) -> dict[str, dict[str, float]]:
    """Metrics of a prediction by task, without base models. Tasks without labels are left out."""
    metrics = {}
    for task, truth in (("intent", labels.intent), ("sentiment", labels.sentiment)):
        labelled_rows = np.flatnonzero(truth != MISSING)
        if len(labelled_rows):
            metrics[task] = classification_metrics(getattr(prediction, task)[labelled_rows], truth[labelled_rows])
    return metrics


def classification_metrics(probabilities: Doubles, truth: NDArray[np.intp]) -> dict[str, float]:
    """Accuracy, macro-F1, log loss, Brier score and expected calibration error of (rows, labels) probabilities."""
    predicted = probabilities.argmax(axis=1)
    rows = np.arange(len(truth))
    one_hot = np.zeros_like(probabilities)
    one_hot[rows, truth] = 1.0
    return {
        "accuracy": float((predicted == truth).mean()),
        "macro_f1": float(f1_score(truth, predicted, average="macro", zero_division=0)),
        "log_loss": float(-np.log(np.clip(probabilities[rows, truth], 1e-6, 1.0)).mean()),
        "brier": float(((probabilities - one_hot) ** 2).sum(axis=1).mean()),
        "ece": expected_calibration_error(probabilities.max(axis=1), predicted == truth),
    }
