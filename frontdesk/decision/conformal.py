"""Sets of labels that hold the right one with a stated probability (split conformal prediction).

Vovk, Gammerman & Shafer (2005); Angelopoulos & Bates (2021), section 1. The promise is marginal, over calibration and
test rows that are exchangeable. Knows nothing of models or taxonomies.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray


def conformal_threshold(true_label_probabilities: ArrayLike, coverage: float) -> float:
    """The least probability that a label needs to stay in the set.

    The score of a row is 1 - p of its true label, and the quantile has the finite-sample correction: of n scores the
    ceil((n + 1) * coverage)-th smallest. It is taken on p itself, so that no subtraction moves a row that ties.

    Args:
        true_label_probabilities: (rows,), what the calibrated model gave the right label on rows that it never saw.
        coverage: the share of sets that shall hold the right label, above 0 and at most 1.

    Returns:
        The threshold; 0.0, which keeps every label, where there are too few rows to promise the coverage.

    Raises:
        ValueError: the coverage is no share.
    """
    if not 0.0 < coverage <= 1.0:
        raise ValueError(f"coverage must be above 0 and at most 1, not {coverage}")
    descending = np.sort(np.asarray(true_label_probabilities, dtype=np.float64))[::-1]
    # The small step back keeps (n + 1) * coverage at a whole number where only its rounding lies above it.
    rank = math.ceil((len(descending) + 1) * coverage - 1e-9)
    return 0.0 if rank > len(descending) else float(descending[rank - 1])


def set_sizes(ranked: NDArray[np.float64], threshold: float) -> NDArray[np.intp]:
    """How many labels are in each set; the best one always is, so that there is never none.

    Args:
        ranked: (texts, classes) probabilities, each row in descending order.
        threshold: the least probability that keeps a label in the set.
    """
    sizes: NDArray[np.intp] = np.maximum((ranked >= threshold).sum(axis=1), 1)
    return sizes
