"""Who learns from which rows: the examples of a run, their splits and folds, and their texts and labels by row number.

Knows nothing of models; every part is a function of examples, profile and labels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from frontdesk.taxonomy import SENTIMENTS
from training.data import Example, intents_of
from training.members import Labels, labels_of
from training.profile import Profile
from training.splits import Rows, Splits, folds, split


@dataclass(frozen=True)
class Partition:
    """The rows that take part in a run, and in what. `known` are the taxonomy's intents, in order."""

    examples: Sequence[Example]
    profile: Profile
    known: tuple[str, ...]

    @cached_property
    def rows(self) -> tuple[Example, ...]:
        """The examples that take part: all, or at most `rows_per_intent` of each class, chosen by the seed."""
        limit = self.profile.rows_per_intent
        if limit is None:
            return tuple(self.examples)
        order = np.random.default_rng(self.profile.seed).permutation(len(self.examples))
        taken: Counter[tuple[str | None, bool]] = Counter()
        chosen = []
        for index in order:
            kind = (self.examples[index].intent, self.examples[index].out_of_scope)
            taken[kind] += 1
            if taken[kind] <= limit:
                chosen.append(index)
        return tuple(self.examples[index] for index in sorted(chosen))

    @cached_property
    def intents(self) -> tuple[str, ...]:
        return intents_of(self.rows, self.known)

    @cached_property
    def splits(self) -> Splits:
        return split(self.rows, self.profile.split, self.profile.seed)

    @cached_property
    def folds(self) -> Rows:
        """(training rows,) the fold of each."""
        return folds([self.rows[row] for row in self.splits.train], self.profile.folds, self.profile.seed)

    @property
    def predicted_folds(self) -> int:
        """How many folds members predict without having seen them: one, the blend, where encoders cost minutes."""
        return 1 if self.profile.encoders else self.profile.folds

    @cached_property
    def stacking(self) -> Rows:
        """The training rows that have predictions of members that did not see them: what the meta-learner learns."""
        stacking: Rows = self.splits.train[self.folds < self.predicted_folds]
        return stacking

    @cached_property
    def beside_blend(self) -> Rows:
        """The training rows that encoders learn from."""
        beside: Rows = self.splits.train[self.folds != 0]
        return beside

    def texts(self, rows: Rows) -> list[str]:
        return [self.rows[row].text for row in rows]

    def labels(self, rows: Rows) -> Labels:
        return labels_of([self.rows[row] for row in rows], self.intents, SENTIMENTS)

    def out_of_scope(self, rows: Rows) -> NDArray[np.bool_]:
        return np.array([self.rows[row].out_of_scope for row in rows], dtype=np.bool_)
