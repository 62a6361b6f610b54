"""LogisticRegression on sparse TF-IDF, as one ONNX graph with an intent and a sentiment head.

The graph gathers and sums the weight rows of the terms in a text, so the cost depends on the length of the text, not on
the size of the vocabulary. Inputs: `term_ids` (texts, terms) int64 and `term_weights` (texts, terms) float32, padded
with weight 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from frontdesk.features.tfidf import TfidfVector
from frontdesk.scores import Floats, Scores
from frontdesk.verified_files import ReadableFile
from runners.models.base_model import ModelBatch
from runners.models.onnx_session import open_session


class LogisticRegression:
    """The linear member, loaded from `<folder>/logistic_regression.onnx`."""

    name = "logistic_regression"

    def __init__(self, folder: ReadableFile, threads: int) -> None:
        self._session = open_session(folder / f"{self.name}.onnx", threads)

    def scores(self, batch: ModelBatch) -> Scores:
        """Return probabilities per task: intent (texts, intents) and sentiment (texts, 3), float32, rows sum to 1."""
        ids, weights = _pad_terms(batch.rows.terms)
        intent, sentiment = self._session.run(["intent", "sentiment"], {"term_ids": ids, "term_weights": weights})
        return Scores(intent, sentiment)


def _pad_terms(terms: Sequence[TfidfVector]) -> tuple[NDArray[np.int64], Floats]:
    longest = max(1, *(len(text.ids) for text in terms)) if terms else 1
    ids = np.zeros((len(terms), longest), dtype=np.int64)
    weights = np.zeros((len(terms), longest), dtype=np.float32)
    for row, text in enumerate(terms):
        ids[row, : len(text.ids)] = text.ids
        weights[row, : len(text.ids)] = text.weights
    return ids, weights
