"""Statistical guarantees of a bundle's thresholds, measured on held-out rows: scope, conformal sets, automation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from frontdesk.decision.conformal import conformal_threshold
from runners.models.calibration import Calibration, Doubles
from training.data.labels import MISSING, Targets
from training.statistics.ece import expected_calibration_error
from training.statistics.risk_control import upper_bound

RESPLITS = 20
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class IntentPredictions:
    """Predicted intents of the ensemble and the true ones.

    Attributes:
        probabilities: (rows, intents), rows sum to at most 1; the remainder is the out-of-scope probability.
        truth: (rows,) column of the true intent, `MISSING` for rows that are out of scope or have no intent.
        out_of_scope: (rows,) mask of the rows that fit no intent; every predicted intent is wrong for them.
        near: (rows,) mask of the out-of-scope rows whose intent was withheld from training.
        labels: names of the columns.
    """

    probabilities: Doubles
    truth: Targets
    out_of_scope: Mask
    near: Mask
    labels: tuple[str, ...]

    @cached_property
    def in_scope(self) -> Mask:
        mask: Mask = self.truth != MISSING
        return mask

    @cached_property
    def evaluable(self) -> Mask:
        """(rows,) mask of the rows whose prediction can be evaluated: with an intent, or out of scope."""
        return self.in_scope | self.out_of_scope

    @cached_property
    def chosen(self) -> Targets:
        best: Targets = self.probabilities.argmax(axis=1)
        return best

    @cached_property
    def confidence(self) -> Doubles:
        highest: Doubles = self.probabilities.max(axis=1)
        return highest

    @cached_property
    def right(self) -> Mask:
        hit: Mask = self.chosen == self.truth
        return hit

    @cached_property
    def out_of_scope_probability(self) -> Doubles:
        """(rows,) the out-of-scope probability."""
        probability: Doubles = 1.0 - self.probabilities.sum(axis=1)
        return probability

    @cached_property
    def truth_probability(self) -> Doubles:
        """(rows in scope,) probability of the true intent."""
        rows = np.flatnonzero(self.in_scope)
        probabilities: Doubles = self.probabilities[rows, self.truth[rows]]
        return probabilities

    def automated(self, calibration: Calibration) -> Mask:
        """(rows,) mask of the rows whose replies may be sent without a person, as far as the thresholds decide."""
        thresholds = [calibration.automation_threshold_of(label) for label in self.labels]
        required = np.array([np.inf if value is None else value for value in thresholds])[self.chosen]
        automated: Mask = (
            self.evaluable
            & (self.out_of_scope_probability <= calibration.out_of_scope_threshold)
            & (self.confidence >= required)
        )
        return automated

    def conformal_sets(self, calibration: Calibration) -> Mask:
        """(rows, intents) masks of the conformal sets; the most probable intent is always included."""
        inside = self.probabilities >= calibration.conformal_threshold
        inside[np.arange(len(inside)), self.chosen] = True
        return inside


def scope_metrics(predictions: IntentPredictions, calibration: Calibration) -> dict[str, float]:
    """Metrics of out-of-scope detection: recall and false alarms at the threshold, and AUROC.

    `recall` and `auroc` exclude rows of withheld intents (`near`), which have metrics of their own.
    """
    flagged = predictions.out_of_scope_probability > calibration.out_of_scope_threshold
    far = predictions.out_of_scope & ~predictions.near
    rows = predictions.evaluable
    metrics = {
        "ece_with_out_of_scope": expected_calibration_error(predictions.confidence[rows], predictions.right[rows]),
        "rows": int(far.sum()),
        "recall": _share(flagged[far]),
        "false_alarm_rate": _share(flagged[predictions.in_scope]),
    }
    if predictions.in_scope.any():
        metrics |= in_scope_metrics(predictions)
    if far.any() and predictions.in_scope.any():
        metrics["auroc"] = _out_of_scope_auroc(predictions, far)
    if predictions.near.any():
        metrics |= {
            "near_rows": int(predictions.near.sum()),
            "near_recall": _share(flagged[predictions.near]),
            "near_auroc": _out_of_scope_auroc(predictions, predictions.near),
        }
    return metrics


def in_scope_metrics(predictions: IntentPredictions) -> dict[str, float]:
    """Log loss and calibration error on rows in scope, of the probabilities given that a message is in scope.

    These values are comparable with those of base models, which have no out-of-scope probability. The probabilities of
    the ensemble are divided by their sum.
    """
    probabilities = predictions.probabilities[predictions.in_scope]
    conditional = probabilities / probabilities.sum(axis=1, keepdims=True)
    truth = predictions.truth[predictions.in_scope]
    truth_probability = conditional[np.arange(len(truth)), truth]
    return {
        "log_loss_given_scope": float(-np.log(np.clip(truth_probability, 1e-6, 1.0)).mean()),
        "ece_given_scope": expected_calibration_error(conditional.max(axis=1), conditional.argmax(axis=1) == truth),
    }


def conformal_metrics(predictions: IntentPredictions, calibration: Calibration) -> dict[str, float]:
    """Coverage and mean size of the conformal sets, on rows in scope."""
    inside = predictions.conformal_sets(calibration)[predictions.in_scope]
    covered = inside[np.arange(len(inside)), predictions.truth[predictions.in_scope]]
    return {
        "target": calibration.conformal_coverage,
        "coverage": _share(covered),
        "mean_set_size": float(inside.sum(axis=1).mean()) if len(inside) else 0.0,
    }


def resplit_conformal_metrics(
    first: IntentPredictions, second: IntentPredictions, coverage: float, seed: int
) -> dict[str, float]:
    """Coverage and size of conformal sets over random re-splits of calibration and test rows, with unchanged sizes.

    The coverage of one split varies by about sqrt(coverage * (1 - coverage) / rows). Its mean over many splits must
    equal the requested coverage (Angelopoulos & Bates 2021, section 1).
    """
    truth_probability = np.concatenate([first.truth_probability, second.truth_probability])
    rows = np.concatenate([each.probabilities[each.in_scope] for each in (first, second)])
    generator = np.random.default_rng(seed)
    coverages, sizes = [], []
    for _ in range(RESPLITS):
        order = generator.permutation(len(rows))
        calibration_rows, test_rows = order[: len(first.truth_probability)], order[len(first.truth_probability) :]
        threshold = conformal_threshold(truth_probability[calibration_rows], coverage)
        coverages.append(_share(truth_probability[test_rows] >= threshold))
        sizes.append(float(np.maximum((rows[test_rows] >= threshold).sum(axis=1), 1).mean()))
    return {
        "resplits": RESPLITS,
        "resplit_coverage": float(np.mean(coverages)),
        "resplit_deviation": float(np.std(coverages)),
        "resplit_set_size": float(np.mean(sizes)),
    }


def automation_metrics(predictions: IntentPredictions, calibration: Calibration) -> dict[str, float | None]:
    """The share of automated messages, and the error rate among them with its upper bound."""
    automated = predictions.automated(calibration)
    count, wrong = int(automated.sum()), int((automated & ~predictions.right).sum())
    return {
        "share": count / max(1, int(predictions.evaluable.sum())),
        "error": wrong / count if count else 0.0,
        "upper_bound": upper_bound(wrong, count, calibration.certificate_confidence) if count else 1.0,
        "threshold": calibration.automation_threshold,
        "max_error": calibration.max_error,
        "confidence": calibration.certificate_confidence,
    }


def _out_of_scope_auroc(predictions: IntentPredictions, outside: Mask) -> float:
    """AUROC of the out-of-scope probability for telling `outside` rows from rows in scope."""
    rows = predictions.in_scope | outside
    return float(roc_auc_score(outside[rows], predictions.out_of_scope_probability[rows]))


def _share(flags: Mask) -> float:
    return float(flags.mean()) if len(flags) else 0.0
