"""The rate limits of one worker, wired to Redis where the settings name one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from redis.asyncio import Redis

from frontdesk.config import Settings
from frontdesk.observability.metrics import Metrics
from frontdesk.security.rate_limit import Quota, RateLimiter, SharedRateLimit
from frontdesk.security.redis_rate_limit import RedisRateLimit


def open_rate_limits(settings: Settings, metrics: Metrics, worker_index: int) -> RateLimiter:
    """Those of worker `worker_index`, from 0. No connection is made before the first request that is limited."""
    return RateLimiter(
        settings.limits,
        worker_index=worker_index,
        workers=settings.server.workers,
        shared=_redis(settings),
        observe_check=metrics.observe_limit_check,
        observe_refusal=metrics.observe_limited,
    )


def _redis(settings: Settings) -> Callable[[Sequence[Quota]], SharedRateLimit] | None:
    """A connection of its own, without time-outs in the client: `RedisRateLimit` has one that a busy loop cannot trip."""
    if settings.redis.url is None:
        return None
    client = Redis.from_url(settings.redis.url, single_connection_client=False, retry=None, retry_on_error=[])
    return lambda quotas: RedisRateLimit(client, quotas, settings.redis.timeout_s)
