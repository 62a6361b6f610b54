"""Calibrators and thresholds, learned on rows that neither members nor meta-learner saw.

The automation threshold is certified: thresholds are tried from the most cautious down, each with a Clopper-Pearson
upper bound on the error among the rows above it, and the walk stops at the first that fails. Testing in a fixed order
needs no correction for the number of tests (Learn then Test: Angelopoulos et al. 2021; fixed-sequence testing).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta
from sklearn.linear_model import LogisticRegression

from frontdesk.decision.conformal import conformal_threshold
from runners.models.calibration import Calibration, Doubles, Platt, shared_out
from training.members import MISSING, Labels
from training.profile import CalibrationTargets

STEPS = 200


def calibrate(
    intent_scores: Doubles,
    sentiment_scores: Doubles,
    members_mean: NDArray[np.float32],
    labels: Labels,
    out_of_scope: NDArray[np.bool_],
    targets: CalibrationTargets,
) -> Calibration:
    """Fit everything in `calibration.json`.

    Args:
        intent_scores: (rows, intents) of the candidate scorer, 0 for what is no candidate.
        sentiment_scores: (rows, 3).
        members_mean: (rows, intents) the members' mean probabilities.
        labels: the right columns; intent is -1 for rows that are out of scope or unlabelled.
        out_of_scope: (rows,) rows that fit no intent; they count as errors wherever they would be automated.
    """
    judged = out_of_scope | (labels.intent != MISSING)
    intent = fit_platt(intent_scores[judged], labels.intent[judged])
    rated = labels.sentiment != MISSING
    sentiment = fit_platt(sentiment_scores[rated], labels.sentiment[rated])
    probabilities = shared_out(intent(intent_scores), members_mean)
    in_scope = labels.intent != MISSING
    left_over = 1.0 - probabilities.sum(axis=1)
    right = probabilities.argmax(axis=1) == labels.intent
    scope_threshold = float(np.quantile(left_over[in_scope], 1 - targets.false_alarm_rate, method="higher"))
    eligible = judged & (left_over <= scope_threshold)
    return Calibration(
        intent=intent,
        sentiment=sentiment,
        out_of_scope_threshold=scope_threshold,
        false_alarm_rate=targets.false_alarm_rate,
        conformal_threshold=conformal_threshold(
            probabilities[in_scope, labels.intent[in_scope]], targets.conformal_coverage
        ),
        conformal_coverage=targets.conformal_coverage,
        automation_threshold=certified_threshold(
            probabilities.max(axis=1)[eligible], right[eligible], targets.max_error, targets.certificate_confidence
        ),
        max_error=targets.max_error,
        certificate_confidence=targets.certificate_confidence,
        rows=int(judged.sum()),
    )


def fit_platt(scores: Doubles, truth: NDArray[np.intp]) -> Platt:
    """Logistic calibration over every candidate: (rows, labels) scores, (rows,) right columns or -1."""
    row, label = np.nonzero(scores > 0)
    clipped = np.clip(scores[row, label], 1e-6, 1 - 1e-6)
    logits = np.log(clipped / (1 - clipped))[:, None]
    fitted = LogisticRegression(C=1e6).fit(logits, truth[row] == label)
    return Platt(slope=float(fitted.coef_[0, 0]), offset=float(fitted.intercept_[0]))


def certified_threshold(
    confidence: Doubles, right: NDArray[np.bool_], max_error: float, certificate_confidence: float
) -> float | None:
    """The lowest confidence at which the error among answers at or above it is certified to be at most `max_error`.

    None where even the most cautious set of rows is too small or too wrong: 149 rows without an error are needed for
    2 % at 95 %.
    """
    needed = int(np.ceil(np.log(1 - certificate_confidence) / np.log(1 - max_error)))
    if len(confidence) < needed:
        return None
    ranked = np.sort(confidence)[::-1]
    sizes = np.unique(np.linspace(needed, len(ranked), STEPS).astype(int))
    certified = None
    for size in sizes:
        threshold = float(ranked[size - 1])
        above = confidence >= threshold
        if upper_bound(int((~right[above]).sum()), int(above.sum()), certificate_confidence) > max_error:
            break
        certified = threshold
    return certified


def upper_bound(errors: int, rows: int, confidence: float) -> float:
    """One-sided Clopper-Pearson upper bound on an error rate (Clopper & Pearson 1934)."""
    return 1.0 if errors >= rows else float(beta.ppf(confidence, errors + 1, rows - errors))
