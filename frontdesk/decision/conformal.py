"""Sets of labels that contain the right one with a given probability (split conformal prediction).

Vovk, Gammerman & Shafer (2005); Angelopoulos & Bates (2021), section 1. The guarantee is marginal and assumes that
calibration and test rows are exchangeable.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray


def conformal_threshold(true_label_probabilities: ArrayLike, coverage: float) -> float:
    """The minimum probability of a label in the set.

    The score of a row is 1 - p of its true label. The quantile has the finite-sample correction: the
    ceil((n + 1) * coverage)-th smallest of n scores. It is computed from p directly, so that the rounding of a
    subtraction does not separate equal rows.

    Args:
        true_label_probabilities: (rows,), probability of the right label by the calibrated model, on held-out rows.
        coverage: the share of sets that contain the right label, above 0 and at most 1.

    Returns:
        The threshold. 0.0, which includes every label, if there are too few rows for the coverage.

    Raises:
        ValueError: the coverage is not above 0 and at most 1.
    """
    if not 0.0 < coverage <= 1.0:
        raise ValueError(f"coverage must be above 0 and at most 1, not {coverage}")
    descending = np.sort(np.asarray(true_label_probabilities, dtype=np.float64))[::-1]
    # 1e-9 is subtracted because rounding may put (n + 1) * coverage slightly above a whole number.
    rank = math.ceil((len(descending) + 1) * coverage - 1e-9)
    return 0.0 if rank > len(descending) else float(descending[rank - 1])


def prediction_set_sizes(ranked: NDArray[np.float64], threshold: float) -> NDArray[np.intp]:
    """Number of labels in each set, at least 1: the best label is always included.

    Args:
        ranked: (texts, classes) probabilities, each row in descending order.
        threshold: the minimum probability of a label in the set.
    """
    sizes: NDArray[np.intp] = np.maximum((ranked >= threshold).sum(axis=1), 1)
    return sizes
