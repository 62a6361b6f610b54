"""The innermost layer of the model side. It batches texts for a loaded ensemble, which runs in the batcher's thread."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Protocol

import numpy as np

from frontdesk.deadline import Deadline
from frontdesk.errors import AcceptedBatch, Overloaded
from frontdesk.scores import Floats, Scores
from frontdesk.types import MaskedText, Understanding
from runners.batching.batcher import Batcher
from runners.batching.scheduler import BatchLimits, BulkPrediction, ItemShape
from runners.batching.spare_core import SpareCoreExecutor
from runners.batching.text_costs import TextCosts

CHARACTERS_PER_TOKEN = 4
"""Approximately, for English in WordPiece. Exact token counts are expensive and not needed to group texts by length."""
PREPARATION_S_PER_CHARACTER = 1.5e-6
"""Approximate time for parsing and masking a batch, before the models receive it; measured: 0.6 to 1.4 us."""

BATCH_RETRY_S = 1.0
"""Seconds after which a client may send the smaller batches."""

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
        costs: measured times of the ensemble; None for rough estimates.
    """

    def __init__(
        self,
        ensemble: BatchModel,
        limits: BatchLimits,
        spare_core: SpareCoreExecutor,
        costs: TextCosts | None = None,
    ) -> None:
        self._ensemble = ensemble
        self._spare_core = spare_core
        self._costs = costs
        self._batcher: Batcher[_Item, Understanding | _Row] = Batcher(self._run, limits, self._shape)

    @property
    def waiting(self) -> int:
        """Number of texts in the queue."""
        return self._batcher.waiting

    def check_room(self, *, bulk: bool = False) -> None:
        """Raise `Overloaded` if another text would be refused regardless of its deadline. `bulk`: texts of a batch."""
        self._batcher.check_room(bulk=bulk)

    def check_batch(self, lengths: Sequence[int], deadline: Deadline, local_share: float = 1.0) -> None:
        """Check that a batch would be done before its deadline, before any work for it.

        Args:
            lengths: of the texts, in characters.
            deadline: of the request.
            local_share: share of the texts that this worker would evaluate, in parallel with the others.

        Raises:
            Overloaded: the queue is full, or the batch would miss its deadline; with the size that would be admitted.
        """
        self._batcher.check_room(max(1, round(local_share * len(lengths))), bulk=True)
        costs_s = [local_share * self._shape_of(length, None).predicted_s for length in lengths]
        preparation_s = [PREPARATION_S_PER_CHARACTER * length for length in lengths]
        each_s = [cost_s + before_s for cost_s, before_s in zip(costs_s, preparation_s, strict=True)]
        prediction = self._batcher.predict_bulk(each_s, deadline)
        if prediction.in_time < len(lengths):
            raise _batch_too_large(lengths, prediction)

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

    def _shape(self, item: _Item) -> ItemShape:
        text, model = item
        return self._shape_of(len(text), model)

    def _shape_of(self, characters: int, model: str | None) -> ItemShape:
        cost_s = None if self._costs is None else self._costs.seconds(characters)
        return ItemShape(model, characters // CHARACTERS_PER_TOKEN + 1, cost_s)


def _batch_too_large(lengths: Sequence[int], prediction: BulkPrediction) -> Overloaded:
    """The refusal of a batch that would not be done in time."""
    count, needed_s, available_s = prediction
    size = f"{len(lengths)} messages with {sum(lengths)} characters"
    message = f"The batch of {size} would take about {needed_s:.1f} s; it may take {available_s:.1f} s."
    if count == 0:
        return Overloaded(message, retry_after_s=needed_s, hint="Try again after the time in Retry-After.")
    accepted = AcceptedBatch(messages=count, characters=sum(lengths[:count]))
    return Overloaded(
        message,
        retry_after_s=BATCH_RETRY_S,
        hint=f"Send at most {count} such messages ({accepted.characters} characters) at once.",
        accepted=accepted,
    )
