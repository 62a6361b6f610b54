"""LRU cache of understandings with request coalescing (single flight), the outermost layer of the model side.

The understanding of a text depends only on the text and the bundle; decisions and priorities are computed for each
request. Concurrent calls of one tenant for the same text share one evaluation; if the first caller is cancelled, the
next one evaluates the text itself. Texts are stored as digests.

Tenants share no entries: a text that another tenant has sent is evaluated again. Otherwise the response time would
reveal to a caller whether another tenant has sent the same text.

Serves one event loop and one bundle.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from enum import StrEnum
from hashlib import blake2b

from frontdesk.deadline import Deadline
from frontdesk.types import MaskedText, Understanding
from runners.layer import PredictionLayer


class CacheOutcome(StrEnum):
    """How a text was answered: from the cache, from a running evaluation, or by the models."""

    HIT = "hit"
    JOINED = "joined"
    MISS = "miss"


class Cached:
    """Caches at most `capacity` understandings of the `inner` layer; 0 disables the cache.

    `observe` is called with the outcome of each text that is looked up.
    """

    def __init__(
        self, inner: PredictionLayer, capacity: int, observe: Callable[[CacheOutcome], None] = lambda _: None
    ) -> None:
        self._inner = inner
        self._capacity = capacity
        self._observe = observe
        self._entries: OrderedDict[bytes, Understanding] = OrderedDict()
        self._in_flight: dict[bytes, asyncio.Event] = {}

    def __len__(self) -> int:
        return len(self._entries)

    async def understand(
        self, texts: Sequence[MaskedText], deadline: Deadline, *, tenant: str, fresh: bool = False
    ) -> Sequence[Understanding]:
        """Return the cached or new understanding of each text. `fresh` bypasses the tenant's cache.

        Raises:
            Exception: as raised by the inner layer.
        """
        if fresh or not self._capacity:
            return await self._inner.understand(texts, deadline)
        prefix = f"{len(tenant)}:{tenant}:".encode()  # the length makes pairs of tenant and text unambiguous
        keys = [blake2b(prefix + text.text.encode(), digest_size=16).digest() for text in texts]
        results: dict[bytes, Understanding] = {}
        outcome = CacheOutcome.HIT
        while missing := self._look_up(keys, texts, results, outcome):
            own_texts = {key: text for key, text in missing.items() if key not in self._in_flight}
            if own_texts:
                results.update(await self._evaluate(own_texts, deadline))
            for key in missing.keys() - own_texts.keys():
                if (evaluation := self._in_flight.get(key)) is not None:
                    await evaluation.wait()
            outcome = CacheOutcome.JOINED
        return [results[key] for key in keys]

    async def close(self) -> None:
        await self._inner.close()

    def _look_up(
        self,
        keys: Sequence[bytes],
        texts: Sequence[MaskedText],
        results: dict[bytes, Understanding],
        outcome: CacheOutcome,
    ) -> dict[bytes, MaskedText]:
        """Add the cached understandings to `results`; return the texts that are still missing, each once."""
        missing: dict[bytes, MaskedText] = {}
        for key, text in zip(keys, texts, strict=True):
            if key in results:
                continue
            entry = self._entries.get(key)
            if entry is None:
                missing[key] = text
                continue
            self._entries.move_to_end(key)
            results[key] = entry
            self._observe(outcome)
        return missing

    async def _evaluate(self, own_texts: dict[bytes, MaskedText], deadline: Deadline) -> dict[bytes, Understanding]:
        """Evaluate texts for this call and for concurrent calls that need the same texts."""
        finished = asyncio.Event()
        self._in_flight.update(dict.fromkeys(own_texts, finished))
        try:
            understandings = dict(
                zip(own_texts, await self._inner.understand(list(own_texts.values()), deadline), strict=True)
            )
        finally:
            for key in own_texts:
                del self._in_flight[key]
            finished.set()
        for key, understanding in understandings.items():
            self._observe(CacheOutcome.MISS)
            if not understanding.skipped:  # understandings of a fallback ensemble are not cached
                self._entries[key] = understanding
        while len(self._entries) > self._capacity:
            self._entries.popitem(last=False)
        return understandings
