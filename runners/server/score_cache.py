"""What the models said of the messages of late, so that the same words are not read twice.

A text's understanding depends on the text and the bundle alone: decisions and priorities are made of it afresh each
time. Bounded, the longest unused leaves first. Callers of one tenant that ask for one text at the same time share one
reading (single flight); if the first of them gives up, the next one reads for itself. Texts are kept as digests.

Tenants share no entries: a text that another tenant has sent is evaluated again. Otherwise the response time would
reveal to a caller whether another tenant has sent the same text.

Serves one event loop and one bundle. Knows nothing of batches.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from hashlib import blake2b

from frontdesk.types import MaskedText, Understanding

Read = Callable[[Sequence[MaskedText]], Awaitable[Sequence[Understanding]]]


class Outcome(StrEnum):
    """How a text was answered: out of the cache, by joining a reading under way, or by the models."""

    HIT = "hit"
    JOINED = "joined"
    MISS = "miss"


class ScoreCache:
    """At most `most` texts are remembered. `observe` is told how each text was answered."""

    def __init__(self, most: int, observe: Callable[[Outcome], None] = lambda _: None) -> None:
        self._most = most
        self._observe = observe
        self._remembered: OrderedDict[bytes, Understanding] = OrderedDict()
        self._in_flight: dict[bytes, asyncio.Event] = {}

    def __len__(self) -> int:
        return len(self._remembered)

    async def understand(self, tenant: str, texts: Sequence[MaskedText], read: Read) -> list[Understanding]:
        """Return the cached or new understanding of each text; `read` gets the texts that are not being read already.

        Raises:
            Exception: what `read` raises.
        """
        prefix = f"{len(tenant)}:{tenant}:".encode()  # with the length, no two tenants and texts give the same bytes
        keys = [blake2b(prefix + text.text.encode(), digest_size=16).digest() for text in texts]
        known: dict[bytes, Understanding] = {}
        how = Outcome.HIT
        while missing := self._look_up(keys, texts, known, how):
            own = {key: text for key, text in missing.items() if key not in self._in_flight}
            if own:
                known.update(await self._lead(own, read))
            for key in missing.keys() - own.keys():
                if (flight := self._in_flight.get(key)) is not None:
                    await flight.wait()
            how = Outcome.JOINED
        return [known[key] for key in keys]

    def _look_up(
        self, keys: Sequence[bytes], texts: Sequence[MaskedText], known: dict[bytes, Understanding], how: Outcome
    ) -> dict[bytes, MaskedText]:
        """Add to `known` what is remembered; gives the texts of which nothing is known yet, each once."""
        missing: dict[bytes, MaskedText] = {}
        for key, text in zip(keys, texts, strict=True):
            if key in known:
                continue
            remembered = self._remembered.get(key)
            if remembered is None:
                missing[key] = text
                continue
            self._remembered.move_to_end(key)
            known[key] = remembered
            self._observe(how)
        return missing

    async def _lead(self, own: dict[bytes, MaskedText], read: Read) -> dict[bytes, Understanding]:
        """Read for all who ask for these texts while it lasts."""
        landed = asyncio.Event()
        self._in_flight.update(dict.fromkeys(own, landed))
        try:
            understandings = dict(zip(own, await read(list(own.values())), strict=True))
        finally:
            for key in own:
                del self._in_flight[key]
            landed.set()
        for key, understanding in understandings.items():
            self._observe(Outcome.MISS)
            if not understanding.skipped:  # what was said without a part of the system is not remembered
                self._remembered[key] = understanding
        while len(self._remembered) > self._most:
            self._remembered.popitem(last=False)
        return understandings
