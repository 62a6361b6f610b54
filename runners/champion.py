"""The champion as a server holds it: a warm ensemble behind the batcher, wherever its parts live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from frontdesk.deadline import Deadline
from frontdesk.taxonomy import Taxonomy
from frontdesk.types import MaskedText, Understanding
from runners.batcher import Batcher
from runners.ensemble import Ensemble
from runners.models.encoder import Precision


class BatchedChampion:
    """Implements the pipeline's `Champion` port. From now on only the batcher's thread uses `ensemble`."""

    def __init__(self, ensemble: Ensemble, *, max_batch: int, max_waiting: int) -> None:
        self._ensemble = ensemble
        self._batcher: Batcher[str, Understanding] = Batcher(
            ensemble.understand, max_batch=max_batch, max_waiting=max_waiting
        )

    @property
    def version(self) -> str:
        return self._ensemble.version

    @property
    def taxonomy(self) -> Taxonomy:
        return self._ensemble.taxonomy

    @property
    def precisions(self) -> Mapping[str, Precision]:
        return self._ensemble.precisions

    @property
    def waiting(self) -> int:
        """Texts that wait for the models."""
        return self._batcher.waiting

    async def understand(self, texts: Sequence[MaskedText], deadline: Deadline) -> Sequence[Understanding]:
        return await self._batcher.submit([text.text for text in texts], deadline)

    async def close(self) -> None:
        await self._batcher.close()
