"""Expected calibration error, apart from the other figures because it needs none of the training libraries."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from runners.models.calibration import Doubles

BINS = 15


def expected_calibration_error(confidence: Doubles, right: NDArray[np.bool_], bins: int = BINS) -> float:
    """Mean gap between confidence and accuracy over equally filled bins (Nguyen & O'Connor 2015)."""
    order = np.argsort(confidence, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return float(sum(len(part) * abs(confidence[part].mean() - right[part].mean()) for part in parts) / len(confidence))
