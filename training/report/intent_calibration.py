"""Calibration by intent: mean confidence and accuracy of the predictions of each intent.

Rows are grouped by the predicted intent, which is the one in an answer (top-label calibration, Gupta & Ramdas 2022).
Grouped by the true intent, even a perfectly calibrated model would have gaps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from training.report.predictions import Predictions
from training.statistics.paired_tests import adjust_holm

SIGNIFICANCE_LEVEL = 0.05
MAX_INTENTS_SHOWN = 20
"""Maximum number of intents in the table and in the plot."""


@dataclass(frozen=True, slots=True)
class IntentCalibration:
    """Calibration of one intent on the rows in scope for which it was predicted.

    Attributes:
        intent: column of the intent.
        rows: number of rows.
        confidence: mean confidence.
        accuracy: share of right predictions.
        adjusted: exact binomial p-value of the number of right predictions at the mean confidence, with Holm's
            correction. Conservative, because the variance is lower if the confidence differs between rows.
    """

    intent: int
    rows: int
    confidence: float
    accuracy: float
    adjusted: float

    @property
    def gap(self) -> float:
        """Confidence minus accuracy; above 0 the ensemble is overconfident."""
        return self.confidence - self.accuracy

    @property
    def beyond_chance(self) -> bool:
        return self.adjusted < SIGNIFICANCE_LEVEL


def measure_intent_calibration(predictions: Predictions) -> tuple[IntentCalibration, ...]:
    """Measure all intents with predictions; significant gaps first, then by gap times number of rows."""
    in_scope = predictions.in_scope
    predicted = predictions.ensemble[in_scope].argmax(axis=1)
    confidence, right = predictions.ensemble[in_scope].max(axis=1), predictions.right[in_scope]
    measured = []
    for intent in np.unique(predicted).tolist():
        mask = predicted == intent
        rows, mean = int(mask.sum()), min(1.0, float(confidence[mask].mean()))
        p_value = float(binomtest(int(right[mask].sum()), rows, mean).pvalue)
        measured.append((intent, rows, mean, float(right[mask].mean()), p_value))
    adjusted = adjust_holm([values[-1] for values in measured])
    results = [
        IntentCalibration(*values[:-1], adjusted_p) for values, adjusted_p in zip(measured, adjusted, strict=True)
    ]
    return tuple(sorted(results, key=lambda result: (not result.beyond_chance, -result.rows * abs(result.gap))))
