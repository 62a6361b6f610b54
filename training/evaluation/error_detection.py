"""How well each uncertainty measure detects wrong predictions.

Two metrics: AUROC, the area under the ROC curve for detecting wrong predictions (0.5 is chance, 1 is best), and AURC,
the area under the risk-coverage curve: the mean error rate when the most uncertain predictions are removed one by one
(Geifman & El-Yaniv 2017; lower is better; also depends on the accuracy).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from frontdesk.decision.uncertainty import dropout_uncertainty, ensemble_uncertainty
from frontdesk.scores import DropoutStatistics
from runners.ensemble.prediction import EnsemblePrediction
from runners.models.calibration import Doubles
from training.data.labels import MISSING, Targets

Mask = NDArray[np.bool_]


def error_detection(
    prediction: EnsemblePrediction, truth: Targets, rows: NDArray[np.intp], full_dropout: Sequence[DropoutStatistics]
) -> dict[str, Mapping[str, float]]:
    """Metrics of each uncertainty measure on the rows in scope; empty if no prediction is wrong.

    Args:
        prediction: prediction of the ensemble with samples.
        truth: (rows,) columns of the true intents.
        rows: positions of the rows of `full_dropout`, which is slow and therefore has fewer rows.
        full_dropout: for each encoder, samples with dropout in all layers: the reference for dropout in the heads only.
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
    """(rows,) mutual information of label and sample, computed as in serving."""
    return dropout_uncertainty([each.mean for each in sampled], [each.entropy for each in sampled])[1]


def detection_metrics(uncertainty: Doubles, wrong: Mask) -> Mapping[str, float]:
    """AUROC and AURC; empty if all predictions are right or all are wrong."""
    if not wrong.any() or wrong.all():
        return {}
    return {
        "auroc": float(roc_auc_score(wrong, uncertainty)),
        "aurc": area_under_risk_coverage(uncertainty, wrong),
        "rows": len(wrong),
    }


def area_under_risk_coverage(uncertainty: Doubles, wrong: Mask) -> float:
    """Mean over all coverages of the error rate among the most certain predictions."""
    ordered = wrong[np.argsort(uncertainty, kind="stable")]
    return float((np.cumsum(ordered) / np.arange(1, len(ordered) + 1)).mean())
