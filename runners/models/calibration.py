"""Calibration of the meta-learner's scores, and the thresholds of decisions; all fitted on held-out rows.

Stored in `calibration.json` of a bundle. Uses no model library.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frontdesk.verified_files import ReadableFile

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Platt:
    """Logistic calibration of a probability (Platt 1999): sigmoid(slope * logit(p) + offset)."""

    slope: float
    offset: float

    def __call__(self, probabilities: Doubles) -> Doubles:
        """Calibrate each element. An exact 0 (not a candidate) stays 0."""
        clipped = np.clip(probabilities, 1e-6, 1 - 1e-6)
        logits = np.log(clipped / (1 - clipped))
        calibrated = (1 + np.tanh((self.slope * logits + self.offset) / 2)) / 2  # a sigmoid without overflow
        return np.where(probabilities > 0, calibrated, 0.0)


def normalise_probabilities(calibrated: Doubles, members_mean: NDArray[np.floating[Any]]) -> Doubles:
    """Scale the probabilities of candidates to a sum of at most 1, and distribute the rest among the other labels.

    Another label gets a share of the rest equal to its mean probability over the members. No label has probability 0
    only because it was no candidate.
    """
    scaled: Doubles = calibrated / np.maximum(calibrated.sum(axis=1, keepdims=True), 1.0)
    remainder = 1.0 - scaled.sum(axis=1, keepdims=True)
    whole: Doubles = np.where(calibrated > 0, scaled, remainder * members_mean)
    return whole


@dataclass(frozen=True, slots=True)
class Calibration:
    """Calibrators and thresholds of a bundle.

    Attributes:
        intent, sentiment: calibrators of the two candidate scorers.
        out_of_scope_threshold: a text with a higher out-of-scope probability is out of scope.
        conformal_threshold: the lowest probability of a plausible intent, at `conformal_coverage`.
        automation_threshold: the certified confidence above which an answer may be sent without review, so that the
            error stays below `max_error` at `certificate_confidence`; None if there were too few rows.
        intent_thresholds: certified thresholds of intents with enough rows, by label. All other intents use
            `automation_threshold`.
    """

    intent: Platt
    sentiment: Platt
    out_of_scope_threshold: float
    false_alarm_rate: float
    conformal_threshold: float
    conformal_coverage: float
    automation_threshold: float | None
    max_error: float
    certificate_confidence: float
    rows: int
    intent_thresholds: Mapping[str, float] = field(default_factory=dict)

    def automation_threshold_of(self, label: str) -> float | None:
        """Return the certified confidence above which an answer with this intent may be sent; None without one."""
        return self.intent_thresholds.get(label, self.automation_threshold)

    def intent_probabilities(self, scored: Doubles, members_mean: NDArray[np.floating[Any]]) -> Doubles:
        """Return calibrated probabilities (texts, intents). The rest to a row sum of 1 is the out-of-scope probability.

        Args:
            scored: (texts, intents) scores of the candidate scorer; 0 for labels that are no candidates.
            members_mean: (texts, intents) mean probabilities of the members; rows sum to 1.
        """
        return normalise_probabilities(self.intent(scored), members_mean)

    def sentiment_probabilities(self, scored: Doubles) -> Doubles:
        """Return calibrated probabilities (texts, 3); rows sum to 1."""
        calibrated = self.sentiment(scored)
        scaled: Doubles = calibrated / calibrated.sum(axis=1, keepdims=True)
        return scaled

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: ReadableFile) -> Calibration:
        data = json.loads(path.read_bytes())
        return cls(**{**data, "intent": Platt(**data["intent"]), "sentiment": Platt(**data["sentiment"])})
