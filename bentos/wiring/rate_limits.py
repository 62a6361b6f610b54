"""Create the rate limiter of one worker, with Redis if it is configured."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from redis.asyncio import Redis

from frontdesk.config import Settings
from frontdesk.observability.metrics import Metrics
from frontdesk.security.rate_limit import Quota, RateLimiter, SharedRateLimit
from frontdesk.security.redis_rate_limit import RedisRateLimit


def open_rate_limits(settings: Settings, metrics: Metrics, worker_index: int) -> RateLimiter:
    """Create the rate limiter of worker `worker_index`, from 0. It connects to Redis on the first limited request."""
    return RateLimiter(
        settings.limits,
        worker_index=worker_index,
        workers=settings.server.workers,
        shared=_shared_rate_limit_factory(settings),
        observe_check=metrics.observe_rate_limit_check,
        observe_refusal=metrics.observe_rate_limited,
    )


def _shared_rate_limit_factory(settings: Settings) -> Callable[[Sequence[Quota]], SharedRateLimit] | None:
    """Connect separately and without timeouts of the client: a busy event loop cannot trip that of `RedisRateLimit`."""
    if settings.redis.url is None:
        return None
    client = Redis.from_url(settings.redis.url, single_connection_client=False, retry=None, retry_on_error=[])
    return lambda quotas: RedisRateLimit(client, quotas, settings.redis.timeout_s)
