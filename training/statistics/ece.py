"""Expected calibration error. A module of its own, because it needs none of the training libraries."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from runners.models.calibration import Doubles

BINS = 15


def equal_bins(
    confidence: Doubles, right: NDArray[np.bool_], bins: int = BINS
) -> list[tuple[Doubles, NDArray[np.bool_]]]:
    """Split confidences and correctness into bins of (almost) equal size by rising confidence, without empty bins."""
    order = np.argsort(confidence, kind="stable")
    return [(confidence[part], right[part]) for part in np.array_split(order, bins) if len(part)]


def expected_calibration_error(confidence: Doubles, right: NDArray[np.bool_], bins: int = BINS) -> float:
    """Mean gap between confidence and accuracy over equally filled bins (Nguyen & O'Connor 2015)."""
    gaps = (
        len(confidences) * abs(confidences.mean() - correct.mean())
        for confidences, correct in equal_bins(confidence, right, bins)
    )
    return float(sum(gaps) / len(confidence))
