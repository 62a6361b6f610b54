"""Data of the plots: probabilities of base models and ensemble for the held-out messages, and the truth.

Contains arrays only, so that no text of a message can get into a plot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runners.ensemble.prediction import EnsemblePrediction
from runners.models.calibration import Doubles
from training.data.examples import Example
from training.data.labels import MISSING, EncodedLabels, Targets


@dataclass(frozen=True, slots=True)
class Predictions:
    """The intent probabilities of a set of rows.

    Attributes:
        members: (base models, rows, intents), rows sum to 1.
        ensemble: (rows, intents), rows sum to at most 1; the remainder is the out-of-scope probability.
        truth: (rows,) column of the true intent, `MISSING` for rows that are out of scope or have no intent.
        out_of_scope: (rows,) mask.
        near: (rows,) mask of the out-of-scope rows whose intent was withheld from training.
        rows_with_sentiment: number of rows with a sentiment.
    """

    members: Doubles
    ensemble: Doubles
    truth: Targets
    out_of_scope: NDArray[np.bool_]
    near: NDArray[np.bool_]
    rows_with_sentiment: int

    @classmethod
    def of(cls, prediction: EnsemblePrediction, labels: EncodedLabels, examples: Sequence[Example]) -> Predictions:
        members = np.stack([scores.intent for scores in prediction.members]).astype(np.float64)
        rows_with_sentiment = int((labels.sentiment != MISSING).sum())
        out_of_scope = np.array([example.out_of_scope for example in examples])
        near = np.array([example.near for example in examples])
        return cls(members, prediction.intent, labels.intent, out_of_scope, near, rows_with_sentiment)

    @property
    def in_scope(self) -> NDArray[np.bool_]:
        """(rows,) mask of the rows with an intent, for accuracy, log loss and calibration."""
        mask: NDArray[np.bool_] = self.truth != MISSING
        return mask

    @property
    def evaluable(self) -> NDArray[np.bool_]:
        """(rows,) mask of the rows with an intent or out of scope; every predicted intent is wrong for the latter."""
        return self.in_scope | self.out_of_scope

    @property
    def right(self) -> NDArray[np.bool_]:
        """(rows,) whether the most probable intent of the ensemble is right."""
        mask: NDArray[np.bool_] = self.ensemble.argmax(axis=1) == self.truth
        return mask

    @property
    def out_of_scope_probability(self) -> Doubles:
        """(rows,) the ensemble's out-of-scope probability."""
        probability: Doubles = 1.0 - self.ensemble.sum(axis=1)
        return probability

    def best_base_model(self) -> int:
        """Index of the base model with the highest accuracy on rows in scope; the first one of ties."""
        predicted = self.members[:, self.in_scope].argmax(axis=2)
        return int((predicted == self.truth[self.in_scope]).mean(axis=1).argmax())
