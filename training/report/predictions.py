"""What the pictures are drawn from: everybody's probabilities for the held-out messages, and what was right.

Arrays alone: no text can get into a picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runners.ensemble.prediction import EnsemblePrediction
from runners.models.calibration import Doubles
from training.data.examples import Example
from training.data.labels import MISSING, Labels, Targets


@dataclass(frozen=True, slots=True)
class Predictions:
    """The intent probabilities of a set of rows.

    Attributes:
        members: (members, rows, intents), rows sum to 1.
        ensemble: (rows, intents), rows sum to at most 1; what is missing is the out-of-scope probability.
        truth: (rows,) the right column, `MISSING` for rows that are out of scope or have no intent.
        out_of_scope: (rows,).
        near: (rows,) those out of scope because their intent was withheld from training.
        rated: how many rows have a sentiment.
    """

    members: Doubles
    ensemble: Doubles
    truth: Targets
    out_of_scope: NDArray[np.bool_]
    near: NDArray[np.bool_]
    rows_with_sentiment: int

    @classmethod
    def of(cls, judgement: EnsemblePrediction, labels: Labels, examples: Sequence[Example]) -> Predictions:
        members = np.stack([scores.intent for scores in judgement.members]).astype(np.float64)
        rows_with_sentiment = int((labels.sentiment != MISSING).sum())
        out_of_scope = np.array([example.out_of_scope for example in examples])
        near = np.array([example.near for example in examples])
        return cls(members, judgement.intent, labels.intent, out_of_scope, near, rows_with_sentiment)

    @property
    def in_scope(self) -> NDArray[np.bool_]:
        """(rows,) those with a known intent: what accuracy, log loss and calibration are measured on."""
        mask: NDArray[np.bool_] = self.truth != MISSING
        return mask

    @property
    def evaluable(self) -> NDArray[np.bool_]:
        """(rows,) those for which an answer is known to be right or wrong: out of scope, every answer is wrong."""
        return self.in_scope | self.out_of_scope

    @property
    def right(self) -> NDArray[np.bool_]:
        """(rows,) where the ensemble's first choice is right."""
        mask: NDArray[np.bool_] = self.ensemble.argmax(axis=1) == self.truth
        return mask

    @property
    def out_of_scope_probability(self) -> Doubles:
        """(rows,) the ensemble's out-of-scope probability."""
        probability: Doubles = 1.0 - self.ensemble.sum(axis=1)
        return probability

    def best_member(self) -> int:
        """The member with the highest accuracy on rows in scope; the first of those that are level."""
        predicted = self.members[:, self.in_scope].argmax(axis=2)
        return int((predicted == self.truth[self.in_scope]).mean(axis=1).argmax())
