"""Figures of a set of probabilities against the truth, and of a whole bundle on held-out rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score, roc_auc_score

from frontdesk.decision.uncertainty import ensemble_uncertainty
from frontdesk.scores import Floats
from runners.ensemble import Ensemble, Judgement
from runners.models.calibration import Doubles
from training.members import MISSING, Labels
from training.reliability import expected_calibration_error


def evaluate(
    ensemble: Ensemble, judgement: Judgement, labels: Labels, out_of_scope: NDArray[np.bool_]
) -> dict[str, Any]:
    """The ensemble, each member and the soft vote on the same rows; scope, conformal sets, automation beside them.

    A task that no row has a label for has no figures; a share of no rows is 0.
    """
    figures: dict[str, Any] = {"rows": len(labels.intent)}
    for task, truth in (("intent", labels.intent), ("sentiment", labels.sentiment)):
        known = np.flatnonzero(truth != MISSING)
        members = [getattr(scores, task)[known].astype(np.float64) for scores in judgement.members]
        named = {member.name: probabilities for member, probabilities in zip(ensemble.members, members, strict=True)}
        named["soft_vote"] = np.mean(members, axis=0)
        named["ensemble"] = getattr(judgement, task)[known]
        figures[task] = {
            name: classification(probabilities, truth[known]) for name, probabilities in named.items() if len(known)
        }
    figures["scope"] = _scope(ensemble, judgement, labels, out_of_scope)
    figures["conformal"] = _conformal(ensemble, judgement, labels)
    figures["automation"] = _automation(ensemble, judgement, labels, out_of_scope)
    return figures


def classification(probabilities: Doubles, truth: NDArray[np.intp]) -> dict[str, float]:
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


def error_detection(judgement: Judgement, labels: Labels, samples: Sequence[Floats]) -> dict[str, float]:
    """How well each kind of doubt finds the wrong answers among rows in scope: area under the ROC curve, 0.5 is chance.

    Args:
        judgement: of the ensemble.
        labels: the right columns.
        samples: of each encoder, (rows, samples, intents) under dropout of the head; none without encoders.
    """
    known = np.flatnonzero(labels.intent != MISSING)
    wrong = judgement.intent[known].argmax(axis=1) != labels.intent[known]
    if not wrong.any() or wrong.all():
        return {}
    doubts = {
        "confidence": 1.0 - judgement.intent[known].max(axis=1),
        "member_disagreement": ensemble_uncertainty(np.stack([of.intent[known] for of in judgement.members]))[1],
    }
    if samples:
        sampled = [ensemble_uncertainty(of[known].transpose(1, 0, 2))[1] for of in samples]
        doubts["head_dropout"] = np.mean(sampled, axis=0)
    return {name: float(roc_auc_score(wrong, doubt)) for name, doubt in doubts.items()}


def table(figures: dict[str, Any], task: str) -> Sequence[tuple[str, float, float, float, float]]:
    """(name, accuracy, macro-F1, log loss, ECE) for each member, the soft vote and the ensemble, for people to read."""
    return [
        (name, row["accuracy"], row["macro_f1"], row["log_loss"], row["ece"]) for name, row in figures[task].items()
    ]


def _scope(
    ensemble: Ensemble, judgement: Judgement, labels: Labels, out_of_scope: NDArray[np.bool_]
) -> dict[str, float]:
    flagged = 1.0 - judgement.intent.sum(axis=1) > ensemble.calibration.out_of_scope_threshold
    in_scope = labels.intent != MISSING
    judged = out_of_scope | in_scope
    confidence = judgement.intent.max(axis=1)[judged]
    right = (judgement.intent.argmax(axis=1) == labels.intent)[judged]
    return {
        "ece_with_out_of_scope": expected_calibration_error(confidence, right) if judged.any() else 0.0,
        "recall": float(flagged[out_of_scope].mean()) if out_of_scope.any() else 0.0,
        "false_alarm_rate": float(flagged[in_scope].mean()) if in_scope.any() else 0.0,
    }


def _conformal(ensemble: Ensemble, judgement: Judgement, labels: Labels) -> dict[str, float]:
    known = np.flatnonzero(labels.intent != MISSING)
    if not len(known):
        return {"coverage": 0.0, "mean_set_size": 0.0}
    inside = judgement.intent[known] >= ensemble.calibration.conformal_threshold
    return {
        "coverage": float(inside[np.arange(len(known)), labels.intent[known]].mean()),
        "mean_set_size": float(np.maximum(inside.sum(axis=1), 1).mean()),
    }


def _automation(
    ensemble: Ensemble, judgement: Judgement, labels: Labels, out_of_scope: NDArray[np.bool_]
) -> dict[str, float]:
    threshold = ensemble.calibration.automation_threshold
    judged = out_of_scope | (labels.intent != MISSING)
    if threshold is None or not judged.any():
        return {"share": 0.0, "error": 0.0}
    in_scope = 1.0 - judgement.intent.sum(axis=1) <= ensemble.calibration.out_of_scope_threshold
    automated = judged & in_scope & (judgement.intent.max(axis=1) >= threshold)
    wrong = judgement.intent.argmax(axis=1)[automated] != labels.intent[automated]
    return {
        "share": float(automated.sum() / judged.sum()),
        "error": float(wrong.mean()) if automated.any() else 0.0,
    }
