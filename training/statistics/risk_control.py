"""Confidence thresholds above which the error is certified, and the bounds that they rest on.

A threshold is certified by a one-sided Clopper-Pearson bound on the error among the rows above it. Thresholds are tried
in a fixed order, each walk going on to a lower one until the first fails, which needs no correction for its length
(Learn then Test, Angelopoulos et al. 2021: fixed-sequence testing). Where the walk starts must not depend on which rows
turned out right. It starts where the confidences themselves, taken at their word, make the bound most likely to hold:
not at the smallest set of rows, where one wrong label would be the end of it.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, binom

from runners.models.calibration import Doubles

STEPS = 200


def certified_threshold(
    confidence: Doubles,
    right: NDArray[np.bool_],
    max_error: float,
    certificate_confidence: float,
    expected_error: Doubles | None = None,
) -> float | None:
    """The lowest confidence at which the error among answers at or above it is certified to be at most `max_error`.

    None where no set of rows is large and right enough: 149 rows without an error are needed for 2 % at 95 %.

    Args:
        confidence: (rows,) by which answers are ranked.
        right: (rows,) whether it is.
        max_error: to be certified, a share of the answers.
        certificate_confidence: with which the certificate holds.
        expected_error: (rows,) the probability that the answer is wrong, told without knowing; None for what
            the confidence leaves over.
    """
    min_rows = rows_needed(max_error, 1 - certificate_confidence)
    if len(confidence) < min_rows:
        return None
    order = np.argsort(-confidence, kind="stable")
    ranked = confidence[order]
    sizes = np.unique(np.linspace(min_rows, len(ranked), STEPS).astype(int))
    rows_above = np.searchsorted(-ranked, -ranked[sizes - 1], side="right")  # rows of one confidence are above together
    allowed = errors_allowed(rows_above, max_error, certificate_confidence)
    likely_wrong = (1 - confidence if expected_error is None else expected_error)[order]
    expected = (np.cumsum(likely_wrong) / np.arange(1, len(ranked) + 1))[rows_above - 1]
    start = int(np.argmax(binom.cdf(allowed, rows_above, np.clip(expected, 0, 1))))
    wrong = np.cumsum(~right[order])[rows_above - 1]
    holds = wrong[start:] <= allowed[start:]
    certified_steps = int(holds.argmin()) if not holds.all() else len(holds)
    return float(ranked[sizes[start + certified_steps - 1] - 1]) if certified_steps else None


def errors_allowed(rows: NDArray[np.intp], max_error: float, confidence: float) -> NDArray[np.intp]:
    """So many errors among so many rows still bound the error by `max_error`; -1 where no number does."""
    errors = np.arange(math.ceil(rows.max() * max_error) + 1)[:, None]
    bounds = beta.ppf(confidence, errors + 1, np.maximum(rows - errors, 1))
    allowed: NDArray[np.intp] = ((bounds <= max_error) & (errors < rows)).sum(axis=0) - 1
    return allowed


def rows_needed(max_error: float, risk: float) -> int:
    """So many rows without an error bound the error by `max_error` but for a `risk`."""
    return math.ceil(math.log(risk) / math.log(1 - max_error))


def upper_bound(errors: int, rows: int, confidence: float) -> float:
    """One-sided Clopper-Pearson upper bound on an error rate (Clopper & Pearson 1934)."""
    return 1.0 if errors >= rows else float(beta.ppf(confidence, errors + 1, rows - errors))
