"""Rate limits of a caller, of a tenant and of all requests, with sliding windows.

In any period of `window_s` seconds, no more requests than the limit pass. A request that one limit refuses does not
count against the others. With Redis (`redis_rate_limit.py`) all workers share the windows. Without Redis, or while it
is unavailable, each worker enforces its share; the shares add up to the limit.

Does not depend on HTTP, gRPC or Redis. No library is used: the existing ones evaluate one limit at a time, so a refused
request counts against the other limits, and three limits cost three to six round trips to Redis.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from frontdesk.errors import RateLimited
from frontdesk.types import Caller

if TYPE_CHECKING:
    from frontdesk.config import LimitSettings

CALLER, TENANT, TOTAL = "caller", "tenant", "total"
MAX_TRACKED_KEYS = 10_000
"""If there are more keys, those with an empty window are removed."""


@dataclass(frozen=True, slots=True)
class Quota:
    """At most `limit` requests within any `window_s` seconds. `name` is "caller", "tenant" or "total"."""

    name: str
    limit: int
    window_s: float

    def worker_share(self, worker_index: int, workers: int) -> Quota:
        """Return the share of worker `worker_index` (from 0) of `workers`; the shares add up to the quota."""
        return replace(self, limit=self.limit // workers + (worker_index < self.limit % workers))


@dataclass(frozen=True, slots=True)
class QuotaStatus:
    """Remaining requests of a quota, and the seconds until the oldest request leaves its window."""

    quota: Quota
    remaining: int
    reset_s: float


@dataclass(frozen=True, slots=True)
class RateLimitResult:
    """Result of one request: the status of each quota, and that of the quota that refuses it, if any."""

    statuses: tuple[QuotaStatus, ...]
    refused_by: QuotaStatus | None

    def raise_if_refused(self) -> None:
        """Raise `RateLimited`, with the limit and the time of the next try, if a quota refused the request."""
        if self.refused_by is not None:
            quota = self.refused_by.quota
            raise RateLimited(
                f"The limit {quota.name} is used up: {quota.limit} requests within {quota.window_s:g} s.",
                retry_after_s=self.refused_by.reset_s,
                hint="Send fewer requests.",
            )


UNLIMITED = RateLimitResult((), None)


class SharedRateLimit(Protocol):
    """Port: windows that all workers share. `consume` returns None while they are unavailable."""

    async def consume(self, keys: Sequence[str]) -> RateLimitResult | None: ...


class ProcessRateLimit:
    """Exact windows of one process."""

    def __init__(self, quotas: Sequence[Quota], clock: Callable[[], float] = time.monotonic) -> None:
        self._quotas = tuple(quotas)
        self._clock = clock
        self._windows: dict[str, deque[float]] = {}

    def consume(self, keys: Sequence[str]) -> RateLimitResult:
        """Count one request under the keys of all quotas, in their order, or under none if one quota refuses it."""
        now = self._clock()
        windows = [self._get_window(key, quota, now) for key, quota in zip(keys, self._quotas, strict=True)]
        full = [len(window) >= quota.limit for window, quota in zip(windows, self._quotas, strict=True)]
        if not any(full):
            self._record_in_windows(windows, now)
        statuses = tuple(
            QuotaStatus(
                quota, quota.limit - len(window), window[0] + quota.window_s - now if window else quota.window_s
            )
            for window, quota in zip(windows, self._quotas, strict=True)
        )
        return RateLimitResult(statuses, statuses[full.index(True)] if any(full) else None)

    def record_admitted(self, keys: Sequence[str]) -> None:
        """Count a request that the shared windows passed, so that local windows are not empty if Redis fails."""
        now = self._clock()
        self._record_in_windows(
            [self._get_window(key, quota, now) for key, quota in zip(keys, self._quotas, strict=True)], now
        )

    def _record_in_windows(self, windows: Sequence[deque[float]], now: float) -> None:
        for window in windows:
            window.append(now)

    def _get_window(self, key: str, quota: Quota, now: float) -> deque[float]:
        window = self._windows.get(key)
        if window is None:
            self._drop_empty_windows(now - quota.window_s)
            window = self._windows[key] = deque()
        while window and window[0] <= now - quota.window_s:
            window.popleft()
        return window

    def _drop_empty_windows(self, before: float) -> None:
        if len(self._windows) >= MAX_TRACKED_KEYS:
            self._windows = {key: window for key, window in self._windows.items() if window and window[-1] > before}


class RateLimiter:
    """Rate limits of worker `worker_index` (from 0) of `workers`.

    `observe_check` is called with the windows that decided ("redis" or "process"), `observe_refusal` with the name of
    the quota that refused.
    """

    def __init__(
        self,
        settings: LimitSettings,
        *,
        worker_index: int,
        workers: int,
        shared: Callable[[Sequence[Quota]], SharedRateLimit] | None,
        observe_check: Callable[[str], None],
        observe_refusal: Callable[[str], None],
    ) -> None:
        full_quotas = configured_quotas(settings)
        self._names = tuple(quota.name for quota in full_quotas)
        self._local = ProcessRateLimit([quota.worker_share(worker_index, workers) for quota in full_quotas])
        self._shared = shared(full_quotas) if shared is not None and full_quotas else None
        self._observe_check = observe_check
        self._observe_refusal = observe_refusal

    async def consume(self, caller: Caller) -> RateLimitResult:
        """Count a request of `caller` unless a limit is used up. Without limits, nothing is counted."""
        if not self._names:
            return UNLIMITED
        result = await self._consume([_quota_key(name, caller) for name in self._names])
        if result.refused_by is not None:
            self._observe_refusal(result.refused_by.quota.name)
        return result

    async def _consume(self, keys: Sequence[str]) -> RateLimitResult:
        result = await self._shared.consume(keys) if self._shared is not None else None
        self._observe_check("process" if result is None else "redis")
        if result is None:
            return self._local.consume(keys)
        if result.refused_by is None:
            self._local.record_admitted(keys)
        return result


def configured_quotas(settings: LimitSettings) -> tuple[Quota, ...]:
    """Return the quotas that are set: caller, tenant, total."""
    limits = ((CALLER, settings.caller_requests), (TENANT, settings.tenant_requests), (TOTAL, settings.total_requests))
    return tuple(Quota(name, limit, settings.window_s) for name, limit in limits if limit is not None)


def _quota_key(name: str, caller: Caller) -> str:
    """Return the key of a quota. It is unique, because tenants contain no spaces."""
    if name == TOTAL:
        return TOTAL
    return f"{TENANT} {caller.tenant}" if name == TENANT else f"{CALLER} {caller.tenant} {caller.subject}"
