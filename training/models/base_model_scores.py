"""Scores of all base models for a set of rows: input of the meta-learner's training, calibration and evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from frontdesk.features.extractor import FeatureBatch
from frontdesk.features.statistics import STATISTICS
from frontdesk.scores import Floats, Scores

Task = Literal["intent", "sentiment"]


@dataclass(frozen=True, slots=True)
class TaskScores:
    """Scores of one task for rows with a known truth.

    Attributes:
        members: (base models, rows, labels) probabilities.
        statistics: (rows, statistics) of the texts.
        truth: (rows,) column of the true label, -1 for rows that are out of scope.
    """

    members: Floats
    statistics: Floats
    truth: NDArray[np.intp]

    def without_model(self, member: int) -> TaskScores:
        """The same rows without one of the base models."""
        return replace(self, members=np.delete(self.members, member, axis=0))


@dataclass(frozen=True, slots=True)
class BaseModelScores:
    """Probabilities of base models for rows they were not trained on, and statistics of the texts, float32.

    Attributes:
        intent: (base models, rows, intents).
        sentiment: (base models, rows, 3).
        statistics: (rows, statistics).
    """

    intent: Floats
    sentiment: Floats
    statistics: Floats

    @classmethod
    def of(cls, members: Sequence[Scores], rows: FeatureBatch) -> BaseModelScores:
        return cls(
            np.stack([scores.intent for scores in members]),
            np.stack([scores.sentiment for scores in members]),
            rows.dense[:, -len(STATISTICS) :],
        )

    @classmethod
    def merge(cls, parts: Sequence[BaseModelScores], order: NDArray[np.intp]) -> BaseModelScores:
        """Concatenate parts of the rows, then reorder the rows by `order`."""
        return cls(
            np.concatenate([part.intent for part in parts], axis=1)[:, order],
            np.concatenate([part.sentiment for part in parts], axis=1)[:, order],
            np.concatenate([part.statistics for part in parts])[order],
        )

    def select_models(self, places: Sequence[int]) -> BaseModelScores:
        """The same rows by the members at `places` alone."""
        return replace(self, intent=self.intent[list(places)], sentiment=self.sentiment[list(places)])

    def task(self, task: Task, truth: NDArray[np.intp], mask: NDArray[np.bool_]) -> TaskScores:
        """Select one task of the rows in `mask`."""
        members = self.intent if task == "intent" else self.sentiment
        return TaskScores(members[:, mask], self.statistics[mask], truth[mask])

    def save(self, path: Path) -> None:
        np.savez(path, intent=self.intent, sentiment=self.sentiment, statistics=self.statistics)

    @classmethod
    def load(cls, path: Path) -> BaseModelScores:
        with np.load(path, allow_pickle=False) as arrays:
            return cls(arrays["intent"], arrays["sentiment"], arrays["statistics"])
