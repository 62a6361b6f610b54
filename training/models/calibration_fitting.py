"""Fitting of calibrators and thresholds, on rows that were not used to train base models or meta-learner."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from frontdesk.decision.conformal import conformal_threshold
from runners.models.calibration import Calibration, Doubles, Platt, normalise_probabilities
from training.data.labels import MISSING, EncodedLabels
from training.profiles.profile import CalibrationTargets
from training.statistics.risk_control import certified_threshold, error_free_rows_needed, errors_allowed


def calibrate(
    intent_scores: Doubles,
    sentiment_scores: Doubles,
    members_mean: NDArray[np.float32],
    labels: EncodedLabels,
    *,
    out_of_scope: NDArray[np.bool_],
    intents: Sequence[str],
    targets: CalibrationTargets,
) -> Calibration:
    """Fit everything in `calibration.json`.

    Args:
        intent_scores: (rows, intents) scores of the candidate scorer, 0 for labels that are not candidates.
        sentiment_scores: (rows, 3) scores.
        members_mean: (rows, intents) mean probabilities of the base models.
        labels: columns of the true labels; intent is -1 for rows that are out of scope or have no intent.
        out_of_scope: (rows,) mask of the rows that fit no intent; they count as errors if they would be automated.
        intents: labels of the columns.
        targets: guarantees that the thresholds must give.
    """
    evaluable = out_of_scope | (labels.intent != MISSING)
    weights = traffic_weights(evaluable, out_of_scope, targets.usual_out_of_scope)
    intent = fit_platt(intent_scores[evaluable], labels.intent[evaluable], weights[evaluable])
    with_sentiment = labels.sentiment != MISSING
    sentiment = fit_platt(sentiment_scores[with_sentiment], labels.sentiment[with_sentiment])
    probabilities = normalise_probabilities(intent(intent_scores), members_mean)
    in_scope = labels.intent != MISSING
    out_of_scope_probability = 1.0 - probabilities.sum(axis=1)
    right = probabilities.argmax(axis=1) == labels.intent
    scope_threshold = false_alarm_threshold(out_of_scope_probability[in_scope], targets)
    traffic = match_traffic_share(evaluable, out_of_scope, targets.most_out_of_scope)
    expected_errors = adjusted_error_probabilities(
        probabilities, float(out_of_scope[traffic].mean()), targets.usual_out_of_scope
    )
    eligible = traffic & (out_of_scope_probability <= scope_threshold)
    threshold, intent_thresholds = automation_thresholds(
        probabilities[eligible], right[eligible], expected_errors[eligible], intents, targets
    )
    return Calibration(
        intent=intent,
        sentiment=sentiment,
        out_of_scope_threshold=scope_threshold,
        false_alarm_rate=targets.false_alarm_rate,
        conformal_threshold=conformal_threshold(
            probabilities[in_scope, labels.intent[in_scope]], targets.conformal_coverage
        ),
        conformal_coverage=targets.conformal_coverage,
        automation_threshold=threshold,
        intent_thresholds=intent_thresholds,
        max_error=targets.max_error,
        certificate_confidence=targets.certificate_confidence,
        rows=int(evaluable.sum()),
    )


def false_alarm_threshold(out_of_scope_probability: Doubles, targets: CalibrationTargets) -> float:
    """The out-of-scope threshold at which the false alarm rate is certified.

    Args:
        out_of_scope_probability: (rows in scope,) their out-of-scope probabilities.
        targets: the rate and the confidence of the certificate. With too few rows for a certificate, the threshold has
            this rate on the rows, uncertified.
    """
    ranked = np.sort(out_of_scope_probability)[::-1]
    allowed = int(errors_allowed(np.array([len(ranked)]), targets.false_alarm_rate, targets.certificate_confidence)[0])
    return float(ranked[allowed if allowed >= 0 else int(len(ranked) * targets.false_alarm_rate)])


def traffic_weights(evaluable: NDArray[np.bool_], out_of_scope: NDArray[np.bool_], share: float) -> Doubles:
    """(rows,) weights for which `share` of the evaluable rows is out of scope; rows in scope have weight 1.

    The share in the data depends on how many out-of-scope messages were collected. With a quarter of them, for
    example, the calibrated confidence would be too low for all messages in scope.
    """
    weights = np.ones(len(evaluable), dtype=np.float64)
    outside, inside = int(out_of_scope.sum()), int((evaluable & ~out_of_scope).sum())
    if outside:
        weights[out_of_scope] = share / (1 - share) * inside / outside
    return weights


def adjusted_error_probabilities(probabilities: Doubles, share: float, usual: float) -> Doubles:
    """(rows,) probability that the best intent is wrong if a `share` of the rows is out of scope.

    Probabilities are calibrated for the `usual` share and adjusted to the other share by Bayes' rule (Saerens et al.
    2002). If no row is out of scope, they are not adjusted.
    """
    outside = 1.0 - probabilities.sum(axis=1)
    if share:
        odds = share / (1 - share) * (1 - usual) / usual
        adjusted = outside * odds / (outside * odds + 1 - outside)
    else:
        adjusted = outside
    inside = probabilities.max(axis=1) / np.maximum(1.0 - outside, 1e-12)
    wrong: Doubles = 1.0 - inside * (1.0 - adjusted)
    return wrong


def match_traffic_share(
    evaluable: NDArray[np.bool_], out_of_scope: NDArray[np.bool_], share: float
) -> NDArray[np.bool_]:
    """(rows,) mask of the rows for certification: rows in scope are sampled so that `share` or more is out of scope.

    Every automated answer to an out-of-scope message is wrong, so a certificate for this share holds for any smaller
    share. If no row is out of scope, the certificate covers messages in scope only.
    """
    outside, inside = np.flatnonzero(out_of_scope), np.flatnonzero(evaluable & ~out_of_scope)
    max_inside = len(inside) if not len(outside) or not share else int(len(outside) * (1 - share) / share)
    sampled = inside[np.linspace(0, len(inside) - 1, min(max_inside, len(inside))).astype(int)]
    mask = np.zeros(len(evaluable), dtype=np.bool_)
    mask[outside] = mask[sampled] = True
    return mask


def automation_thresholds(
    probabilities: Doubles,
    right: NDArray[np.bool_],
    expected_error: Doubles,
    intents: Sequence[str],
    targets: CalibrationTargets,
) -> tuple[float | None, dict[str, float]]:
    """The pooled automation threshold, and own thresholds of intents with enough rows for a certificate.

    Each certificate holds at the requested confidence for its own rows. The pooled threshold is for all intents without
    an own one; None if it cannot be certified.

    Args:
        probabilities: (rows, intents) of rows that are predicted as in scope.
        right: (rows,) whether the best intent is right.
        expected_error: (rows,) estimated probability that the best intent is wrong, made without the truth.
        intents: labels of the columns.
        targets: the error rate and the confidence to certify.
    """
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    min_rows = error_free_rows_needed(targets.max_error, 1 - targets.certificate_confidence)

    def certify(rows: NDArray[np.bool_]) -> float | None:
        return certified_threshold(
            confidence[rows], right[rows], targets.max_error, targets.certificate_confidence, expected_error[rows]
        )

    intent_thresholds: dict[str, float] = {}
    pooled = np.ones(len(predicted), dtype=np.bool_)
    for column, label in enumerate(intents):
        rows = predicted == column
        if rows.sum() >= min_rows and (threshold := certify(rows)) is not None:
            intent_thresholds[label] = threshold
            pooled &= ~rows
    return certify(pooled), intent_thresholds


def fit_platt(scores: Doubles, truth: NDArray[np.intp], weights: Doubles | None = None) -> Platt:
    """Fit Platt scaling on all candidates: (rows, labels) scores, (rows,) true columns or -1, (rows,) weights."""
    row, label = np.nonzero(scores > 0)
    clipped = np.clip(scores[row, label], 1e-6, 1 - 1e-6)
    logits = np.log(clipped / (1 - clipped))[:, None]
    sample_weights = None if weights is None else weights[row]
    model = LogisticRegression(C=1e6).fit(logits, truth[row] == label, sample_weight=sample_weights)
    return Platt(slope=float(model.coef_[0, 0]), offset=float(model.intercept_[0]))
