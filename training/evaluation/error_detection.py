"""How well each kind of doubt finds the wrong answers.

Two figures: the area under the ROC curve of wrong answers (0.5 is chance, 1 the best) and the area under the
risk-coverage curve, the mean error among the answers that are kept when the most doubtful are left out one by one
(Geifman & El-Yaniv 2017; lower is better, and it depends on the accuracy too).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from frontdesk.decision.uncertainty import ensemble_uncertainty, sampled_uncertainty
from frontdesk.scores import DropoutStatistics
from runners.ensemble.prediction import EnsemblePrediction
from runners.models.calibration import Doubles
from training.data.labels import MISSING, Targets

Mask = NDArray[np.bool_]


def error_detection(
    judgement: EnsemblePrediction, truth: Targets, rows: NDArray[np.intp], full: Sequence[DropoutStatistics]
) -> dict[str, Mapping[str, float]]:
    """Figures of each doubt on the rows in scope; none where no answer is wrong.

    Args:
        judgement: of the ensemble, sampled.
        truth: (rows,) the right columns.
        rows: those that `full` is of; it is slow, so there are fewer.
        full: of each encoder, its samples under dropout in all of its layers: what the heads alone stand in for.
    """
    known = truth != MISSING
    wrong = judgement.intent.argmax(axis=1) != truth
    doubts = {
        "confidence": 1.0 - judgement.intent.max(axis=1),
        "member_disagreement": ensemble_uncertainty(np.stack([of.intent for of in judgement.members]))[1],
    }
    sampled = [scores.sampled for scores in judgement.members if scores.sampled is not None]
    if sampled:
        doubts["head_dropout"] = epistemic_uncertainty(sampled)
    figures = {name: detection_metrics(doubt[known], wrong[known]) for name, doubt in doubts.items()}
    if full:
        doubts = {"head_dropout_same_rows": doubts["head_dropout"][rows], "full_dropout": epistemic_uncertainty(full)}
        figures |= {name: detection_metrics(doubt, wrong[rows]) for name, doubt in doubts.items()}
    return {name: found for name, found in figures.items() if found}


def epistemic_uncertainty(sampled: Sequence[DropoutStatistics]) -> Doubles:
    """(rows,) the mutual information between label and sample, as it is served."""
    return sampled_uncertainty([of.mean for of in sampled], [of.entropy for of in sampled])[1]


def detection_metrics(doubt: Doubles, wrong: Mask) -> Mapping[str, float]:
    """Both figures; none where all answers are right or all are wrong."""
    if not wrong.any() or wrong.all():
        return {}
    return {
        "auroc": float(roc_auc_score(wrong, doubt)),
        "aurc": area_under_risk_coverage(doubt, wrong),
        "rows": len(wrong),
    }


def area_under_risk_coverage(doubt: Doubles, wrong: Mask) -> float:
    """The mean over all coverages of the error among the answers with the least doubt."""
    ordered = wrong[np.argsort(doubt, kind="stable")]
    return float((np.cumsum(ordered) / np.arange(1, len(ordered) + 1)).mean())
