"""The champion as a server holds it: a warm ensemble behind batcher and score cache, wherever its parts live."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from frontdesk.deadline import Deadline
from frontdesk.scores import Floats, Scores
from frontdesk.taxonomy import Taxonomy
from frontdesk.types import MaskedText, Understanding
from runners.balancing.work_offload import NeighbourAway, Neighbours
from runners.batching.batcher import Batcher
from runners.batching.scheduler import Limits, Shape
from runners.ensemble.ensemble import Ensemble
from runners.models.encoder import Precision
from runners.server.score_cache import Outcome, ScoreCache

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
CHARACTERS_PER_TOKEN = 4
"""Of English in WordPiece, roughly: to group texts by length it need not be exact, and counting tokens would cost."""


@dataclass(frozen=True, slots=True)
class _Ask:
    """A text, and what is asked of it: the scores of `model`, or with none a whole understanding."""

    text: str
    model: str | None = None


_Row = tuple[Floats, Floats]  # one text's scores: intent (intents,), sentiment (3,)


class BatchedChampion:
    """Implements the pipeline's `Champion` port. From now on only the batcher's thread uses the models of `ensemble`.

    While cores are free, an encoder runs on one of them beside the other members: see `ensemble/parallel_members.py`.

    Args:
        ensemble: warm.
        limits: of a batch and of the queue.
        cached_texts: how many texts' understandings are remembered; 0 for none.
        observe_cache: is told how each text was answered where there is a cache.
    """

    def __init__(
        self,
        ensemble: Ensemble,
        limits: Limits,
        *,
        cached_texts: int = 0,
        observe_cache: Callable[[Outcome], None] = lambda _: None,
    ) -> None:
        self._ensemble = ensemble
        self._batcher: Batcher[_Ask, Understanding | _Row] = Batcher(self._run, limits, _shape)
        self._cache = ScoreCache(cached_texts, observe_cache) if cached_texts else None
        self._load = 0  # texts that this worker reads or has waiting
        self._neighbours: Neighbours | None = None
        self._beside = ThreadPoolExecutor(1, "beside") if CORES > 1 else None
        self._check_disk: Callable[[], None] | None = None

    @property
    def version(self) -> str:
        return self._ensemble.version

    @property
    def taxonomy(self) -> Taxonomy:
        return self._ensemble.taxonomy

    @property
    def labels(self) -> tuple[str, ...]:
        """The columns of `Scores.intent`."""
        return self._ensemble.taxonomy.labels

    @property
    def sentiments(self) -> tuple[str, ...]:
        """The columns of `Scores.sentiment`."""
        return self._ensemble.sentiments

    @property
    def models(self) -> tuple[str, ...]:
        """What `scores` knows: "ensemble", then each member."""
        return self._ensemble.models

    @property
    def precisions(self) -> Mapping[str, Precision]:
        return self._ensemble.precisions

    @property
    def waiting(self) -> int:
        """Texts that wait for the models."""
        return self._batcher.waiting

    def is_up(self, model: str) -> bool:
        """Is every process there that this model needs?"""
        return self._ensemble.is_up(model)

    def can_spare(self, services: Sequence[str]) -> bool:
        """Would messages be understood without these services?"""
        return self._ensemble.can_spare(services)

    def embed(self, text: str) -> Floats:
        """The features' own vector of a masked text, (components,); no model runs, so it is made in the caller."""
        return self._ensemble.features.embed(text)

    def check_room(self) -> None:
        """Raise `Overloaded` if another text would be refused regardless of its deadline.

        Also raises what the check of `refuse_when` raises.
        """
        self._batcher.check_room()
        if self._check_disk is not None:
            self._check_disk()

    def refuse_when(self, check: Callable[[], None]) -> None:
        """Call `check` for new work, too; it refuses by raising. It must take microseconds."""
        self._check_disk = check

    def check_batch(self, lengths: Sequence[int], deadline: Deadline) -> None:
        """Raise `Overloaded` if texts of these lengths in characters would miss the deadline."""
        self._batcher.check_time([_tokens(length) for length in lengths], deadline)

    async def understand(
        self, texts: Sequence[MaskedText], deadline: Deadline, *, tenant: str, fresh: bool = False
    ) -> Sequence[Understanding]:
        """Return the ensemble's understanding of each text. `fresh` bypasses the tenant's cache."""

        async def read(unknown: Sequence[MaskedText]) -> Sequence[Understanding]:
            return await self._read([text.text for text in unknown], deadline)

        return await read(texts) if fresh or self._cache is None else await self._cache.understand(tenant, texts, read)

    async def meet(self, folder: Path, index: int, workers: int) -> None:
        """Share the work with the other workers of this server from now on; see `Neighbours`."""
        neighbours = Neighbours(folder, index, workers, version=self.version, read=self._read_here)
        await neighbours.open()
        self._neighbours = neighbours

    async def _read(self, texts: Sequence[str], deadline: Deadline) -> Sequence[Understanding]:
        """Here, or where there is less to do, or a part here and a part there."""
        lent, neighbour = (0, -1) if self._neighbours is None else self._neighbours.lend(self._load, len(texts))
        if not lent:
            return await self._read_here(texts, deadline)
        there = self._read_there(neighbour, texts[:lent], deadline)
        if lent == len(texts):
            return await there
        parts = await asyncio.gather(there, self._read_here(texts[lent:], deadline))
        return [*parts[0], *parts[1]]

    async def _read_there(self, neighbour: int, texts: Sequence[str], deadline: Deadline) -> Sequence[Understanding]:
        assert self._neighbours is not None, "texts are lent to neighbours only"
        try:
            return await self._neighbours.understand(neighbour, texts, deadline)
        except NeighbourAway:
            return await self._read_here(texts, deadline)

    async def _read_here(self, texts: Sequence[str], deadline: Deadline) -> Sequence[Understanding]:
        self._tell(len(texts))
        try:
            asks = [_Ask(text) for text in texts]
            return await self._batcher.submit(asks, deadline, bulk=len(texts) > 1)  # type: ignore[return-value]  # no model
        finally:
            self._tell(-len(texts))

    def _tell(self, more: int) -> None:
        self._load += more
        if self._neighbours is not None:
            self._neighbours.board.tell(self._load)

    async def scores(self, model: str, texts: Sequence[MaskedText], deadline: Deadline) -> Scores:
        """One model's scores, in the order of `texts`; of "ensemble" the calibrated probabilities.

        Raises:
            KeyError: there is no such model.
        """
        if model not in self.models:
            raise KeyError(model)
        asks = [_Ask(text.text, model) for text in texts]
        rows: list[_Row] = await self._batcher.submit(asks, deadline, bulk=len(texts) > 1)  # type: ignore[assignment]
        intent, sentiment = zip(*rows, strict=True)
        return Scores(np.stack(intent), np.stack(sentiment))

    async def close(self) -> None:
        """Finish what was accepted."""
        if self._neighbours is not None:
            neighbours, self._neighbours = self._neighbours, None
            await neighbours.close()
        await self._batcher.close()
        if self._beside is not None:
            self._beside.shutdown()

    def _run(self, asks: Sequence[_Ask]) -> Sequence[Understanding | _Row]:
        """All of one lane, hence of one model."""
        texts = [ask.text for ask in asks]
        if (model := asks[0].model) is None:
            return self._ensemble.understand(texts, self._beside if self._is_core_free() else None)
        scores = self._ensemble.scores(model, texts)
        return list(zip(scores.intent, scores.sentiment, strict=True))

    def _is_core_free(self) -> bool:
        """Is there a core that neither this worker's models nor another's need now?"""
        loads = self._neighbours.board.others().values() if self._neighbours is not None else ()
        return sum(load > 0 for load in loads) + 2 <= CORES


def _shape(ask: _Ask) -> Shape:
    return Shape(ask.model, _tokens(len(ask.text)))


def _tokens(characters: int) -> int:
    return characters // CHARACTERS_PER_TOKEN + 1
