"""Cache of replies from a language model, by everything on which the decision and the prompt depend.

Cached replies are masked and have passed their checks. Independent of the storage.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict, dataclass, field
from typing import Protocol
from urllib.parse import quote

from pydantic import TypeAdapter

from frontdesk.responses.reply.template import ReplyPlan
from frontdesk.types import WrittenReply

_ADAPTER = TypeAdapter(WrittenReply)


class ReplyCacheStorage(Protocol):
    """Stores bytes under a key for a limited time. An unavailable cache returns None."""

    async def get(self, key: str) -> bytes | None: ...

    async def put(self, key: str, value: bytes, ttl_s: int) -> None: ...

    async def forget(self, group: str) -> int | None:
        """Delete all keys `group:name` and return their number, or None if the cache is unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class CachedReplies:
    """Cache of written replies. `versions` name the prompt, the policy, the knowledge, the provider and its model.

    An erasure deletes all replies of the tenant, because one reply may serve several customers with the same text.
    `erased_at` is its time (monotonic seconds, by tenant): a request that began earlier stores no reply.
    """

    cache: ReplyCacheStorage | None
    versions: tuple[str, ...]
    ttl_s: int = 3600
    erased_at: dict[str, float] = field(default_factory=dict)
    stored_at: dict[str, float] = field(default_factory=dict)
    """The time at which a reply of a tenant was last stored (monotonic seconds)."""

    async def find(self, plan: ReplyPlan, allowed_placeholders: tuple[str, ...]) -> WrittenReply | None:
        """The reply to an identical plan; None without one, or if the request demands a fresh answer."""
        if self.cache is None or plan.request.fresh:
            return None
        cached = await self.cache.get(self._cache_key(plan, allowed_placeholders))
        return None if cached is None else _ADAPTER.validate_json(cached)

    async def store(
        self,
        plan: ReplyPlan,
        allowed_placeholders: tuple[str, ...],
        reply: WrittenReply,
        started_at: float = float("inf"),
    ) -> None:
        """Store a reply whose request began at `started_at` (monotonic seconds)."""
        tenant = plan.request.tenant
        if self.cache is None or self._is_erased_since(tenant, started_at):
            return
        self.stored_at[tenant] = time.monotonic()
        await self.cache.put(self._cache_key(plan, allowed_placeholders), _ADAPTER.dump_json(reply), self.ttl_s)
        if self._is_erased_since(tenant, started_at):  # erased while the reply was being stored
            await self.cache.forget(_tenant_key_prefix(tenant))

    async def forget(self, tenant: str) -> int | None:
        """Delete all replies of a tenant and return their number, or None if the cache is unavailable."""
        self.erased_at[tenant] = time.monotonic()
        return 0 if self.cache is None else await self.cache.forget(_tenant_key_prefix(tenant))

    def tenants(self) -> set[str]:
        """Return the tenants that may have replies of this process in the cache."""
        oldest = time.monotonic() - self.ttl_s
        return {tenant for tenant, at in list(self.stored_at.items()) if at >= oldest}

    def _is_erased_since(self, tenant: str, started_at: float) -> bool:
        return self.erased_at.get(tenant, float("-inf")) >= started_at

    def _cache_key(self, plan: ReplyPlan, allowed_placeholders: tuple[str, ...]) -> str:
        request = plan.request
        parts = {
            "versions": self.versions,
            "tenant": request.tenant,
            "text": request.text.neutralize(request.text.text),
            "speakable": allowed_placeholders,
            "intent": request.understanding.intent.label,
            "sentiment": request.understanding.sentiment.label,
            "decision": asdict(plan.decision),
            "tier": request.tier,
            "language": plan.customer_language,
            "passages": [passage.id for passage in (*plan.passages, *plan.related_passages)],
            "contacts": request.contacts,
            "model_version": request.model_version,
        }
        digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
        return f"{_tenant_key_prefix(request.tenant)}:{digest}"


def _tenant_key_prefix(tenant: str) -> str:
    return quote(tenant, safe="")
