"""Figures of each intent by itself: an average can hide one that is always wrong."""

from __future__ import annotations

import numpy as np

from runners.models.calibration import Calibration
from training.evaluation.guarantees import IntentPredictions
from training.statistics.ece import expected_calibration_error

ROWS_PER_BIN = 20


def compute_intent_metrics(predictions: IntentPredictions, calibration: Calibration) -> dict[str, dict[str, float]]:
    """Of each intent that has rows, over the rows that truly are of it.

    `automated` is the share of its rows that would go out without a person, `automation_error` the share of the rows
    that would go out as this intent and are wrong. Few rows make every figure rough: `rows` is beside them.
    """
    automated, conformal_sets = predictions.automated(calibration), predictions.conformal_sets(calibration)
    metrics = {}
    for column, label in enumerate(predictions.labels):
        rows = np.flatnonzero(predictions.truth == column)
        if not len(rows):
            continue
        automated_as_intent = automated & (predictions.chosen == column)
        errors = predictions.probabilities[rows].copy()
        errors[:, column] -= 1.0
        metrics[label] = {
            "rows": len(rows),
            "accuracy": float(predictions.right[rows].mean()),
            "confidence": float(predictions.confidence[rows].mean()),
            "ece": expected_calibration_error(
                predictions.confidence[rows], predictions.right[rows], bins=max(1, min(15, len(rows) // ROWS_PER_BIN))
            ),
            "brier": float((errors**2).sum(axis=1).mean()),
            "conformal_coverage": float(conformal_sets[rows, column].mean()),
            "conformal_size": float(conformal_sets[rows].sum(axis=1).mean()),
            "automated": float(automated[rows].mean()),
            "automation_error": float((~predictions.right[automated_as_intent]).mean())
            if automated_as_intent.any()
            else 0.0,
        }
    return metrics
