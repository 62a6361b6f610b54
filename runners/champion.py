"""The champion in placement `embedded`: a verified, warm bundle behind the batcher, in this process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from frontdesk.deadline import Deadline
from frontdesk.taxonomy import Taxonomy
from frontdesk.types import MaskedText, Understanding
from model_store.bundle import open_bundle
from runners.batcher import Batcher
from runners.ensemble import Ensemble, warm_up


class EmbeddedChampion:
    """Implements the pipeline's `Champion` port with models in this process.

    Raises:
        BundleError: when the bundle at `path` is damaged, of another making, or gives other results on this machine.
    """

    def __init__(self, path: Path, *, threads: int, max_batch: int, max_waiting: int) -> None:
        bundle = open_bundle(path)
        self._ensemble = Ensemble.load(bundle, threads)
        warm_up(self._ensemble, bundle)
        self._batcher: Batcher[str, Understanding] = Batcher(
            self._ensemble.understand, max_batch=max_batch, max_waiting=max_waiting
        )

    @property
    def version(self) -> str:
        return self._ensemble.version

    @property
    def taxonomy(self) -> Taxonomy:
        return self._ensemble.taxonomy

    @property
    def waiting(self) -> int:
        """Texts that wait for the models."""
        return self._batcher.waiting

    async def understand(self, texts: Sequence[MaskedText], deadline: Deadline) -> Sequence[Understanding]:
        return await self._batcher.submit([text.text for text in texts], deadline)

    async def close(self) -> None:
        await self._batcher.close()
