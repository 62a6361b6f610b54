"""The rows of a training run: which rows each step uses (splits and folds), and their texts and labels by row number.

Everything here is a function of examples, profile and taxonomy; no model is involved.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from frontdesk.taxonomy import SENTIMENTS
from training.data.auxiliary_sentiment import select_sentiment_rows
from training.data.examples import Example, list_intents
from training.data.labels import MISSING, EncodedLabels, encode_labels
from training.data.splits import Rows, Splits, assign_folds, split
from training.profiles.profile import Profile

MAX_FULL_DROPOUT_ROWS = 1000  # each takes 16 forward passes


@dataclass(frozen=True)
class TrainingRunRows:
    """The rows of a run and their roles. `taxonomy_intents` are the intents of the taxonomy, in its order."""

    examples: Sequence[Example]
    profile: Profile
    taxonomy_intents: tuple[str, ...]

    @cached_property
    def rows(self) -> tuple[Example, ...]:
        """The examples that are used: all, or at most `rows_per_intent` of each class, sampled by the seed.

        Includes auxiliary sentiment rows for sentiments that are missing in the data.
        """
        limit = self.profile.rows_per_intent
        auxiliary_rows = select_sentiment_rows(self.examples, self.profile.borrowed_sentiment_rows, self.profile.seed)
        if limit is None:
            return (*self.examples, *auxiliary_rows)
        order = np.random.default_rng(self.profile.seed).permutation(len(self.examples))
        counts: Counter[tuple[str | None, bool, bool]] = Counter()
        selected = []
        for index in order:
            example = self.examples[index]
            kind = (example.intent, example.out_of_scope, example.near)
            counts[kind] += 1
            if counts[kind] <= limit:
                selected.append(index)
        return (*(self.examples[index] for index in sorted(selected)), *auxiliary_rows)

    @cached_property
    def intents(self) -> tuple[str, ...]:
        return list_intents(self.rows, self.taxonomy_intents)

    @cached_property
    def splits(self) -> Splits:
        return split(self.rows, self.profile.split, self.profile.seed)

    @cached_property
    def folds(self) -> Rows:
        """(training rows,) fold numbers."""
        return assign_folds([self.rows[row] for row in self.splits.train], self.profile.folds, self.profile.seed)

    @property
    def stacks_out_of_fold(self) -> bool:
        """Whether the meta-learner is trained on out-of-fold predictions, because there are no stacking rows."""
        return len(self.splits.stacking) == 0

    @property
    def stacking_rows(self) -> Rows:
        """The rows on which the meta-learner is trained: rows with predictions of base models not trained on them."""
        return self.splits.train if self.stacks_out_of_fold else self.splits.stacking

    @cached_property
    def stacking_folds(self) -> Rows:
        """(stacking rows,) fold numbers for choosing the number of boosting rounds of the meta-learner."""
        return assign_folds([self.rows[row] for row in self.stacking_rows], self.profile.folds, self.profile.seed)

    @cached_property
    def full_dropout_test_rows(self) -> Rows:
        """Positions in the test rows of evenly spaced rows with an intent, for sampling encoders with full dropout."""
        with_intent = np.flatnonzero(self.labels(self.splits.test).intent != MISSING)
        selected: Rows = with_intent[
            np.linspace(0, len(with_intent) - 1, min(MAX_FULL_DROPOUT_ROWS, len(with_intent))).astype(int)
        ]
        return selected

    def texts(self, rows: Rows) -> list[str]:
        return [self.rows[row].text for row in rows]

    def labels(self, rows: Rows) -> EncodedLabels:
        return encode_labels([self.rows[row] for row in rows], self.intents, SENTIMENTS)

    def evaluable(self, rows: Rows) -> NDArray[np.bool_]:
        """(rows,) mask of the rows whose intent prediction can be evaluated: with an intent, or out of scope."""
        mask: NDArray[np.bool_] = self.out_of_scope(rows) | (self.labels(rows).intent != MISSING)
        return mask

    def out_of_scope(self, rows: Rows) -> NDArray[np.bool_]:
        return np.array([self.rows[row].out_of_scope for row in rows], dtype=np.bool_)

    def withheld_intent_mask(self, rows: Rows) -> NDArray[np.bool_]:
        """(rows,) mask of the out-of-scope rows whose intent was withheld from training."""
        return np.array([self.rows[row].near for row in rows], dtype=np.bool_)
