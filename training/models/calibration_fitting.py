"""Calibrators and thresholds, learned on rows that neither members nor meta-learner saw."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from frontdesk.decision.conformal import conformal_threshold
from runners.models.calibration import Calibration, Doubles, Platt, normalise_probabilities
from training.data.labels import MISSING, Labels
from training.profiles.profile import CalibrationTargets
from training.statistics.risk_control import certified_threshold, errors_allowed, rows_needed


def calibrate(
    intent_scores: Doubles,
    sentiment_scores: Doubles,
    members_mean: NDArray[np.float32],
    labels: Labels,
    *,
    out_of_scope: NDArray[np.bool_],
    intents: Sequence[str],
    targets: CalibrationTargets,
) -> Calibration:
    """Fit everything in `calibration.json`.

    Args:
        intent_scores: (rows, intents) of the candidate scorer, 0 for what is no candidate.
        sentiment_scores: (rows, 3).
        members_mean: (rows, intents) the members' mean probabilities.
        labels: the right columns; intent is -1 for rows that are out of scope or unlabelled.
        out_of_scope: (rows,) rows that fit no intent; they count as errors wherever they would be automated.
        intents: the columns' labels.
        targets: what the thresholds shall promise.
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
    expected_errors = error_probabilities(
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
    """The out-of-scope probability above which so few messages in scope lie that the rate of false alarms is certified.

    Args:
        left_over: (rows in scope,) their out-of-scope probability.
        targets: the rate, and the confidence at which it holds; too few rows for that get the rate itself, uncertified.
    """
    ranked = np.sort(out_of_scope_probability)[::-1]
    allowed = int(errors_allowed(np.array([len(ranked)]), targets.false_alarm_rate, targets.certificate_confidence)[0])
    return float(ranked[allowed if allowed >= 0 else int(len(ranked) * targets.false_alarm_rate)])


def traffic_weights(evaluable: NDArray[np.bool_], out_of_scope: NDArray[np.bool_], share: float) -> Doubles:
    """(rows,) weights with which `share` of the judged rows is out of scope, those in scope counting 1.

    Data holds as many messages out of scope as somebody collected: a confidence calibrated on a quarter of them would
    be too low for every message in scope.
    """
    weights = np.ones(len(evaluable), dtype=np.float64)
    outside, inside = int(out_of_scope.sum()), int((evaluable & ~out_of_scope).sum())
    if outside:
        weights[out_of_scope] = share / (1 - share) * inside / outside
    return weights


def error_probabilities(probabilities: Doubles, share: float, usual: float) -> Doubles:
    """(rows,) the probability that the best intent is wrong where the share `there` of rows is out of scope.

    Probabilities that are calibrated for the `usual` share are moved to the other one by Bayes' rule (Saerens et al.
    2002). Where no row is out of scope they stand as they are.
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
    """The rows to certify on: with so few in scope that at least `share` of them is out of scope.

    Out of scope every automated answer is wrong, so what holds at this share holds at any smaller one. Where no row is
    out of scope the promise is about messages in scope alone.
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
    """The threshold of all intents together, and those of intents with rows enough for a certificate of their own.

    Each certificate holds at the stated confidence for its own rows; the pooled one is for the intents without.

    Args:
        probabilities: (rows, intents) of rows that are taken as in scope.
        right: (rows,) whether the best intent is right.
        expected_error: (rows,) the probability that it is not, told without knowing.
        intents: the columns' labels.
        targets: what shall be certified.
    """
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    min_rows = rows_needed(targets.max_error, 1 - targets.certificate_confidence)

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
    """Logistic calibration over all candidates: (rows, labels) scores, (rows,) right columns or -1, (rows,) weights."""
    row, label = np.nonzero(scores > 0)
    clipped = np.clip(scores[row, label], 1e-6, 1 - 1e-6)
    logits = np.log(clipped / (1 - clipped))[:, None]
    sample_weights = None if weights is None else weights[row]
    model = LogisticRegression(C=1e6).fit(logits, truth[row] == label, sample_weight=sample_weights)
    return Platt(slope=float(model.coef_[0, 0]), offset=float(model.intercept_[0]))
