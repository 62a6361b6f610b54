"""Certified confidence thresholds: the error rate above the threshold is bounded with a given confidence.

A threshold is certified by a one-sided Clopper-Pearson bound on the error among the rows above it. Thresholds are
tested in descending order until the first one fails; such fixed-sequence testing needs no correction for multiple tests
(Learn then Test, Angelopoulos et al. 2021). The first threshold must not depend on which rows are right. It is the one
whose bound is most likely to hold if the confidences are calibrated. It is not the one with the fewest rows, because
one wrong label there would end the search.
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
    """Find the lowest confidence for which the error rate at or above it is certified to be at most `max_error`.

    Returns None if no threshold can be certified. An error rate of 2 % at 95 % confidence needs at least 149 rows
    without an error.

    Args:
        confidence: (rows,) confidence of each answer.
        right: (rows,) whether the answer is right.
        max_error: the error rate to be certified, a share of the answers.
        certificate_confidence: confidence of the certificate.
        expected_error: (rows,) estimated probability that the answer is wrong, made without the truth; by default
            1 - confidence.
    """
    min_rows = error_free_rows_needed(max_error, 1 - certificate_confidence)
    if len(confidence) < min_rows:
        return None
    order = np.argsort(-confidence, kind="stable")
    ranked = confidence[order]
    sizes = np.unique(np.linspace(min_rows, len(ranked), STEPS).astype(int))
    rows_above = np.searchsorted(-ranked, -ranked[sizes - 1], side="right")  # ties are above a threshold together
    allowed = errors_allowed(rows_above, max_error, certificate_confidence)
    likely_wrong = (1 - confidence if expected_error is None else expected_error)[order]
    expected = (np.cumsum(likely_wrong) / np.arange(1, len(ranked) + 1))[rows_above - 1]
    start = int(np.argmax(binom.cdf(allowed, rows_above, np.clip(expected, 0, 1))))
    wrong = np.cumsum(~right[order])[rows_above - 1]
    holds = wrong[start:] <= allowed[start:]
    certified_steps = int(holds.argmin()) if not holds.all() else len(holds)
    return float(ranked[sizes[start + certified_steps - 1] - 1]) if certified_steps else None


def errors_allowed(rows: NDArray[np.intp], max_error: float, confidence: float) -> NDArray[np.intp]:
    """The largest number of errors for which the upper bound is at most `max_error`; -1 if even 0 errors exceed it."""
    errors = np.arange(math.ceil(rows.max() * max_error) + 1)[:, None]
    bounds = beta.ppf(confidence, errors + 1, np.maximum(rows - errors, 1))
    allowed: NDArray[np.intp] = ((bounds <= max_error) & (errors < rows)).sum(axis=0) - 1
    return allowed


def error_free_rows_needed(max_error: float, risk: float) -> int:
    """The number of rows without an error that bounds the error rate by `max_error`, at confidence 1 - `risk`."""
    return math.ceil(math.log(risk) / math.log(1 - max_error))


def upper_bound(errors: int, rows: int, confidence: float) -> float:
    """One-sided upper bound of an error rate (Clopper & Pearson 1934)."""
    return 1.0 if errors >= rows else float(beta.ppf(confidence, errors + 1, rows - errors))
