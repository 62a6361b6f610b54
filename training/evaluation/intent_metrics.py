"""Metrics by intent: an average can hide an intent that is always wrong."""

from __future__ import annotations

import numpy as np

from runners.models.calibration import Calibration
from training.evaluation.guarantees import IntentPredictions
from training.statistics.ece import expected_calibration_error

ROWS_PER_BIN = 20


def compute_intent_metrics(predictions: IntentPredictions, calibration: Calibration) -> dict[str, dict[str, float]]:
    """Compute the metrics of each intent that has rows, over the rows with this true intent.

    `automated` is the share of these rows that would be answered without a person. `automation_error` is the share of
    wrong predictions among all rows that would be automated as this intent. With few rows all values are inaccurate;
    `rows` has their number.
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
