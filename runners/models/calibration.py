"""What was learned on held-out rows after the meta-learner: from scores to probabilities that mean what they say.

Read from a bundle's `calibration.json`. Plain numbers, no model library.
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
        """Calibrate element by element; an exact 0 (no candidate) stays 0."""
        clipped = np.clip(probabilities, 1e-6, 1 - 1e-6)
        logits = np.log(clipped / (1 - clipped))
        calibrated = (1 + np.tanh((self.slope * logits + self.offset) / 2)) / 2  # a sigmoid that cannot overflow
        return np.where(probabilities > 0, calibrated, 0.0)


def normalise_probabilities(calibrated: Doubles, members_mean: NDArray[np.floating[Any]]) -> Doubles:
    """Candidates' probabilities brought to a sum of at most 1, and for other labels a share of what they leave over.

    Each of those gets as much of it as the members give it on average: nothing is impossible because no member had it
    among its best.
    """
    scaled: Doubles = calibrated / np.maximum(calibrated.sum(axis=1, keepdims=True), 1.0)
    remainder = 1.0 - scaled.sum(axis=1, keepdims=True)
    whole: Doubles = np.where(calibrated > 0, scaled, remainder * members_mean)
    return whole


@dataclass(frozen=True, slots=True)
class Calibration:
    """The calibrated side of a bundle.

    Attributes:
        intent, sentiment: calibrators of the two candidate scorers.
        out_of_scope_threshold: a text whose out-of-scope probability is above it is out of scope.
        conformal_threshold: the least probability with which an intent stays plausible, at `conformal_coverage`.
        automation_threshold: the certified confidence above which an answer may go out without a person, so that the
            error stays under `max_error` at `certificate_confidence`; None where the rows did not suffice.
        intent_thresholds: certified thresholds of the intents that had rows enough for one of their own, by label;
            `automation_threshold` is for all others.
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

    def threshold_of(self, label: str) -> float | None:
        """The certified confidence above which an answer of this intent may go out; None where there is none."""
        return self.intent_thresholds.get(label, self.automation_threshold)

    def intent_probabilities(self, scored: Doubles, members_mean: NDArray[np.floating[Any]]) -> Doubles:
        """(texts, intents) calibrated; a row's sum is at most 1, and what is missing is out of scope.

        Args:
            scored: (texts, intents) of the candidate scorer, 0 for what is no candidate.
            members_mean: (texts, intents) the members' mean probabilities, which sum to 1.
        """
        return normalise_probabilities(self.intent(scored), members_mean)

    def sentiment_probabilities(self, scored: Doubles) -> Doubles:
        """(texts, 3) calibrated, rows sum to 1."""
        calibrated = self.sentiment(scored)
        scaled: Doubles = calibrated / calibrated.sum(axis=1, keepdims=True)
        return scaled

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: ReadableFile) -> Calibration:
        data = json.loads(path.read_bytes())
        return cls(**{**data, "intent": Platt(**data["intent"]), "sentiment": Platt(**data["sentiment"])})
