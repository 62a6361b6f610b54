"""Statistics of paired comparisons: bootstrap intervals of differences, and Holm's correction of p-values.

McNemar's exact test is in `model_store/promotion_gate.py`, because the gate uses it too. Needs none of the training
libraries.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from runners.models.calibration import Doubles

RESAMPLES = 2000
CONFIDENCE = 0.95
SEED = 13
_RESAMPLES_PER_BATCH = 100  # large enough to be fast; a few megabytes for 5,000 groups


def paired_intervals(
    differences: Doubles,
    groups: NDArray[np.intp],
    *,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Doubles:
    """Percentile bootstrap intervals of mean differences (Efron & Tibshirani 1993, chapter 13).

    Both sides of a row are sampled together, and so are all rows of a group, because paraphrases of one message are not
    independent (cluster bootstrap, Field & Welsh 2007).

    Args:
        differences: (rows, metrics), second side minus first; all metrics use the same resamples.
        groups: (rows,) the group number of each row, from 0 without gaps.
        confidence: of the intervals.
        resamples: number of bootstrap samples.
        seed: of the random generator.

    Returns:
        (metrics, 2) the lower and upper ends.
    """
    rows_of = np.bincount(groups).astype(np.float64)
    sums = np.stack([np.bincount(groups, weights=column) for column in differences.T], axis=1)
    generator = np.random.default_rng(seed)
    means: list[Doubles] = []
    for start in range(0, resamples, _RESAMPLES_PER_BATCH):
        sampled = generator.integers(0, len(rows_of), (min(_RESAMPLES_PER_BATCH, resamples - start), len(rows_of)))
        means.append(sums[sampled].sum(axis=1) / rows_of[sampled].sum(axis=1)[:, None])
    tail = (1 - confidence) / 2
    intervals: Doubles = np.quantile(np.concatenate(means), [tail, 1 - tail], axis=0).T
    return intervals


def adjust_holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for the number of tests, in the given order (Holm 1979, Scand. J. Statist. 6:65-70).

    If all tests with an adjusted value below 0.05 count as significant, the risk of any false positive is at most 5 %.
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted
