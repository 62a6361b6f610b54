"""The innermost layer of the model side. It batches texts for a loaded ensemble, which runs in the batcher's thread."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Protocol

import numpy as np

from frontdesk.deadline import Deadline
from frontdesk.scores import Floats, Scores
from frontdesk.types import MaskedText, Understanding
from runners.batching.batcher import Batcher
from runners.batching.scheduler import BatchLimits, ItemShape
from runners.batching.spare_core import SpareCoreExecutor

CHARACTERS_PER_TOKEN = 4
"""Approximately, for English in WordPiece. Exact token counts are expensive and not needed to group texts by length."""

_Item = tuple[str, str | None]  # a text, and the model whose scores are requested; None for an understanding
_Row = tuple[Floats, Floats]  # one text's scores: intent (intents,), sentiment (3,)


class BatchModel(Protocol):
    """A warm ensemble. Its methods are called in one thread, never concurrently."""

    @property
    def models(self) -> tuple[str, ...]: ...

    def understand(self, texts: Sequence[str], encoder_executor: Executor | None = None) -> Sequence[Understanding]: ...

    def scores(self, model: str, texts: Sequence[str]) -> Scores: ...


class Batched:
    """Implements `PredictionLayer`. Only the batcher's thread may use `ensemble`.

    Args:
        ensemble: a warm ensemble.
        limits: of a batch and of the queue.
        spare_core: runs an encoder in parallel with the other members while a core is free; closed with this layer.
    """

    def __init__(self, ensemble: BatchModel, limits: BatchLimits, spare_core: SpareCoreExecutor) -> None:
        self._ensemble = ensemble
        self._spare_core = spare_core
        self._batcher: Batcher[_Item, Understanding | _Row] = Batcher(self._run, limits, _shape)

    @property
    def waiting(self) -> int:
        """Number of texts in the queue."""
        return self._batcher.waiting

    def check_room(self) -> None:
        """Raise `Overloaded` if another text would be refused regardless of its deadline."""
        self._batcher.check_room()

    def check_batch(self, lengths: Sequence[int], deadline: Deadline) -> None:
        """Raise `Overloaded` if texts of these lengths in characters would miss the deadline."""
        self._batcher.check_time([_estimate_tokens(length) for length in lengths], deadline)

    async def understand(self, texts: Sequence[MaskedText], deadline: Deadline) -> Sequence[Understanding]:
        """Return the ensemble's understanding of each text.

        Raises:
            Overloaded, DeadlineExceeded: as `Batcher.submit`.
        """
        items = [(text.text, None) for text in texts]
        return await self._batcher.submit(items, deadline, bulk=len(texts) > 1)  # type: ignore[return-value]  # no model

    async def scores(self, model: str, texts: Sequence[MaskedText], deadline: Deadline) -> Scores:
        """Return the scores of one model, or the calibrated probabilities of "ensemble", in the order of `texts`.

        Raises:
            KeyError: the model does not exist.
            Overloaded, DeadlineExceeded: as `Batcher.submit`.
        """
        if model not in self._ensemble.models:
            raise KeyError(model)
        items = [(text.text, model) for text in texts]
        rows: list[_Row] = await self._batcher.submit(items, deadline, bulk=len(texts) > 1)  # type: ignore[assignment]
        intent, sentiment = zip(*rows, strict=True)
        return Scores(np.stack(intent), np.stack(sentiment))

    async def close(self) -> None:
        """Finish accepted work, then stop the threads."""
        await self._batcher.close()
        self._spare_core.close()

    def _run(self, items: Sequence[_Item]) -> Sequence[Understanding | _Row]:
        """Return the results of items of one lane, which all use the same model."""
        texts = [text for text, _ in items]
        if (model := items[0][1]) is None:
            return self._ensemble.understand(texts, self._spare_core.executor())
        scores = self._ensemble.scores(model, texts)
        return list(zip(scores.intent, scores.sentiment, strict=True))


def _shape(item: _Item) -> ItemShape:
    text, model = item
    return ItemShape(model, _estimate_tokens(len(text)))


def _estimate_tokens(characters: int) -> int:
    return characters // CHARACTERS_PER_TOKEN + 1
