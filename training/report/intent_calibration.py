"""Calibration per intent: when the ensemble says that a message is X with so much confidence, how often is it X?

Grouped by the intent that was chosen, because that is what a reader of an answer sees (top-label calibration, Gupta &
Ramdas 2022). By the right intent even a perfectly calibrated model would show gaps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from training.report.predictions import Predictions
from training.statistics.paired_tests import adjust_holm

SIGNIFICANCE_LEVEL = 0.05
MAX_INTENTS_SHOWN = 20
"""That are shown, of as many as there are intents."""


@dataclass(frozen=True, slots=True)
class IntentCalibration:
    """One intent on the rows in scope for which it was chosen.

    Attributes:
        intent: its column.
        adjusted: exact binomial p-value of so many right answers at that mean confidence, corrected for the number of
            intents (Holm). Confidences that differ from row to row scatter less than a binomial: it errs to caution.
    """

    intent: int
    rows: int
    confidence: float
    accuracy: float
    adjusted: float

    @property
    def gap(self) -> float:
        """Above 0 where the ensemble is surer than it may be."""
        return self.confidence - self.accuracy

    @property
    def beyond_chance(self) -> bool:
        return self.adjusted < SIGNIFICANCE_LEVEL


def measure_intent_calibration(predictions: Predictions) -> tuple[IntentCalibration, ...]:
    """Every intent that is chosen at least once; first those beyond chance, then by how many rows the gap concerns."""
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
