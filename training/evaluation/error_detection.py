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
    prediction: EnsemblePrediction, truth: Targets, rows: NDArray[np.intp], full_dropout: Sequence[DropoutStatistics]
) -> dict[str, Mapping[str, float]]:
    """Figures of each doubt on the rows in scope; none where no answer is wrong.

    Args:
        judgement: of the ensemble, sampled.
        truth: (rows,) the right columns.
        rows: those that `full` is of; it is slow, so there are fewer.
        full: of each encoder, its samples under dropout in all of its layers: what the heads alone stand in for.
    """
    in_scope = truth != MISSING
    wrong = prediction.intent.argmax(axis=1) != truth
    uncertainties = {
        "confidence": 1.0 - prediction.intent.max(axis=1),
        "member_disagreement": ensemble_uncertainty(np.stack([scores.intent for scores in prediction.members]))[1],
    }
    sampled = [scores.sampled for scores in prediction.members if scores.sampled is not None]
    if sampled:
        uncertainties["head_dropout"] = epistemic_uncertainty(sampled)
    results = {
        name: detection_metrics(uncertainty[in_scope], wrong[in_scope]) for name, uncertainty in uncertainties.items()
    }
    if full_dropout:
        uncertainties = {
            "head_dropout_same_rows": uncertainties["head_dropout"][rows],
            "full_dropout": epistemic_uncertainty(full_dropout),
        }
        results |= {name: detection_metrics(uncertainty, wrong[rows]) for name, uncertainty in uncertainties.items()}
    return {name: metrics for name, metrics in results.items() if metrics}


def epistemic_uncertainty(sampled: Sequence[DropoutStatistics]) -> Doubles:
    """(rows,) the mutual information between label and sample, as it is served."""
    return sampled_uncertainty([each.mean for each in sampled], [each.entropy for each in sampled])[1]


def detection_metrics(uncertainty: Doubles, wrong: Mask) -> Mapping[str, float]:
    """Both figures; none where all answers are right or all are wrong."""
    if not wrong.any() or wrong.all():
        return {}
    return {
        "auroc": float(roc_auc_score(wrong, uncertainty)),
        "aurc": area_under_risk_coverage(uncertainty, wrong),
        "rows": len(wrong),
    }


def area_under_risk_coverage(uncertainty: Doubles, wrong: Mask) -> float:
    """The mean over all coverages of the error among the answers with the least doubt."""
    ordered = wrong[np.argsort(uncertainty, kind="stable")]
    return float((np.cumsum(ordered) / np.arange(1, len(ordered) + 1)).mean())
