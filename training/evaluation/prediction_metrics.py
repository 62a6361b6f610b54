"""Figures of a set of probabilities against the truth, and of a whole bundle on held-out rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from runners.ensemble.ensemble import Ensemble
from runners.ensemble.prediction import EnsemblePrediction
from runners.models.calibration import Doubles
from training.data.labels import MISSING, Labels
from training.evaluation.guarantees import IntentPredictions, automation_metrics, conformal_metrics, scope_metrics
from training.evaluation.intent_metrics import compute_intent_metrics
from training.statistics.ece import expected_calibration_error

Mask = NDArray[np.bool_]


def evaluate_predictions(
    ensemble: Ensemble, judgement: EnsemblePrediction, labels: Labels, out_of_scope: Mask, near: Mask | None = None
) -> dict[str, Any]:
    """The ensemble, each member and the soft vote on the same rows; scope, automation and each intent beside them.

    A task that no row has a label for has no figures; a share of no rows is 0.

    Args:
        ensemble: whose judgement it is.
        judgement: of the rows.
        labels: the right columns.
        out_of_scope: (rows,) rows that fit no intent.
        near: (rows,) those of them whose intent was withheld from training; None for none.
    """
    figures: dict[str, Any] = {"rows": len(labels.intent)}
    for task, truth in (("intent", labels.intent), ("sentiment", labels.sentiment)):
        known = np.flatnonzero(truth != MISSING)
        members = [getattr(scores, task)[known].astype(np.float64) for scores in judgement.members]
        named = {member.name: probabilities for member, probabilities in zip(ensemble.members, members, strict=True)}
        named["soft_vote"] = np.mean(members, axis=0)
        named["ensemble"] = getattr(judgement, task)[known]
        figures[task] = {
            name: classification_metrics(probabilities, truth[known])
            for name, probabilities in named.items()
            if len(known)
        }
    evaluable = to_intent_predictions(ensemble, judgement, labels, out_of_scope, near)
    if evaluable.evaluable.any():
        figures["scope"] = scope_metrics(evaluable, ensemble.calibration)
        figures["automation"] = automation_metrics(evaluable, ensemble.calibration)
        figures["per_intent"] = compute_intent_metrics(evaluable, ensemble.calibration)
        figures["conformal"] = conformal_metrics(evaluable, ensemble.calibration)
    return figures


def to_intent_predictions(
    ensemble: Ensemble, judgement: EnsemblePrediction, labels: Labels, out_of_scope: Mask, near: Mask | None = None
) -> IntentPredictions:
    """The ensemble's intents beside the truth."""
    nowhere = np.zeros(len(out_of_scope), dtype=np.bool_)
    return IntentPredictions(
        judgement.intent, labels.intent, out_of_scope, nowhere if near is None else near, ensemble.taxonomy.labels
    )


def compute_task_metrics(judgement: EnsemblePrediction, labels: Labels) -> dict[str, dict[str, float]]:
    """The figures of a judgement alone, by task; a task that no row has a label for has none."""
    figures = {}
    for task, truth in (("intent", labels.intent), ("sentiment", labels.sentiment)):
        known = np.flatnonzero(truth != MISSING)
        if len(known):
            figures[task] = classification_metrics(getattr(judgement, task)[known], truth[known])
    return figures


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
