"""Figures of each intent by itself: an average can hide one that is always wrong."""

from __future__ import annotations

import numpy as np

from runners.models.calibration import Calibration
from training.evaluation.guarantees import Judged
from training.statistics.ece import expected_calibration_error

ROWS_PER_BIN = 20


def per_intent(judged: Judged, calibration: Calibration) -> dict[str, dict[str, float]]:
    """Of each intent that has rows, over the rows that truly are of it.

    `automated` is the share of its rows that would go out without a person, `automation_error` the share of the rows
    that would go out as this intent and are wrong. Few rows make every figure rough: `rows` is beside them.
    """
    automated, plausible = judged.automated(calibration), judged.plausible(calibration)
    figures = {}
    for column, label in enumerate(judged.labels):
        rows = np.flatnonzero(judged.truth == column)
        if not len(rows):
            continue
        sent = automated & (judged.chosen == column)
        off = judged.probabilities[rows].copy()
        off[:, column] -= 1.0
        figures[label] = {
            "rows": len(rows),
            "accuracy": float(judged.right[rows].mean()),
            "confidence": float(judged.confidence[rows].mean()),
            "ece": expected_calibration_error(
                judged.confidence[rows], judged.right[rows], bins=max(1, min(15, len(rows) // ROWS_PER_BIN))
            ),
            "brier": float((off**2).sum(axis=1).mean()),
            "conformal_coverage": float(plausible[rows, column].mean()),
            "conformal_size": float(plausible[rows].sum(axis=1).mean()),
            "automated": float(automated[rows].mean()),
            "automation_error": float((~judged.right[sent]).mean()) if sent.any() else 0.0,
        }
    return figures
