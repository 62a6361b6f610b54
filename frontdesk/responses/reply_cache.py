"""Replies that a language model has written are remembered under everything that the decision and the prompt saw.

What is remembered is masked and has passed its checks. Knows nothing of where it is kept.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Protocol

from pydantic import TypeAdapter

from frontdesk.responses.template import Plan
from frontdesk.types import Written

_WRITTEN = TypeAdapter(Written)


class ReplyCache(Protocol):
    """Bytes under a key for a while; a cache that is away has nothing."""

    async def get(self, key: str) -> bytes | None: ...

    async def put(self, key: str, value: bytes, ttl_s: int) -> None: ...


@dataclass(frozen=True, slots=True)
class CachedReplies:
    """`versions` name the prompt, the policy, the knowledge, the provider and its model."""

    cache: ReplyCache | None
    versions: tuple[str, ...]
    ttl_s: int = 3600

    async def find(self, plan: Plan, speakable: tuple[str, ...]) -> Written | None:
        """What was written for the very same plan; None where nothing was, or a fresh answer is asked for."""
        if self.cache is None or plan.request.fresh:
            return None
        found = await self.cache.get(self._key(plan, speakable))
        return None if found is None else _WRITTEN.validate_json(found)

    async def keep(self, plan: Plan, speakable: tuple[str, ...], written: Written) -> None:
        if self.cache is not None:
            await self.cache.put(self._key(plan, speakable), _WRITTEN.dump_json(written), self.ttl_s)

    def _key(self, plan: Plan, speakable: tuple[str, ...]) -> str:
        request = plan.request
        seen = {
            "versions": self.versions,
            "tenant": request.tenant,
            "text": request.text.neutralize(request.text.text),
            "speakable": speakable,
            "intent": request.understanding.intent.label,
            "sentiment": request.understanding.sentiment.label,
            "decision": asdict(plan.decision),
            "tier": request.tier,
            "language": plan.wanted,
            "passages": [passage.id for passage in (*plan.passages, *plan.beside)],
            "contacts": request.contacts,
            "model_version": request.model_version,
        }
        return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()
