"""Statistics of two sides on the same rows: a bootstrap interval of a difference, and p-values of many tests at once.

The exact test of McNemar, which the gate uses too, is in `model_store/promotion_gate.py`. Arrays in, figures out: knows nothing
of bundles or labels. Needs none of the training libraries.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from runners.models.calibration import Doubles

RESAMPLES = 2000
CONFIDENCE = 0.95
SEED = 13
_RESAMPLES_PER_BATCH = 100  # resamples: enough to be fast, and some megabytes for 5,000 groups


def paired_intervals(
    differences: Doubles,
    groups: NDArray[np.intp],
    *,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Doubles:
    """Percentile bootstrap intervals of mean differences (Efron & Tibshirani 1993, chapter 13).

    Both sides of a row are drawn together, and so are all rows of a group: paraphrases of one message are no
    independent evidence (cluster bootstrap, Field & Welsh 2007).

    Args:
        differences: (rows, figures), second side minus first; all figures see the same resamples.
        groups: (rows,) the number of each row's group, from 0 without gaps.

    Returns:
        (figures, 2) the lower and upper end.
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
    """P-values adjusted for the number of tests, in the order given (Holm 1979, Scand. J. Statist. 6:65-70).

    Below 0.05 a test is beyond chance with at most a 5 % risk that any of all those found is not.
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted
