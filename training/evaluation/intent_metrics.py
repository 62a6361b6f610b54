"""Figures of each intent by itself: an average can hide one that is always wrong."""

from __future__ import annotations

import numpy as np

from runners.models.calibration import Calibration
from training.evaluation.guarantees import IntentPredictions
from training.statistics.ece import expected_calibration_error

ROWS_PER_BIN = 20


def compute_intent_metrics(evaluable: IntentPredictions, calibration: Calibration) -> dict[str, dict[str, float]]:
    """Of each intent that has rows, over the rows that truly are of it.

    `automated` is the share of its rows that would go out without a person, `automation_error` the share of the rows
    that would go out as this intent and are wrong. Few rows make every figure rough: `rows` is beside them.
    """
    automated, conformal_sets = evaluable.automated(calibration), evaluable.conformal_sets(calibration)
    figures = {}
    for column, label in enumerate(evaluable.labels):
        rows = np.flatnonzero(evaluable.truth == column)
        if not len(rows):
            continue
        sent = automated & (evaluable.chosen == column)
        off = evaluable.probabilities[rows].copy()
        off[:, column] -= 1.0
        figures[label] = {
            "rows": len(rows),
            "accuracy": float(evaluable.right[rows].mean()),
            "confidence": float(evaluable.confidence[rows].mean()),
            "ece": expected_calibration_error(
                evaluable.confidence[rows], evaluable.right[rows], bins=max(1, min(15, len(rows) // ROWS_PER_BIN))
            ),
            "brier": float((off**2).sum(axis=1).mean()),
            "conformal_coverage": float(conformal_sets[rows, column].mean()),
            "conformal_size": float(conformal_sets[rows].sum(axis=1).mean()),
            "automated": float(automated[rows].mean()),
            "automation_error": float((~evaluable.right[sent]).mean()) if sent.any() else 0.0,
        }
    return figures
