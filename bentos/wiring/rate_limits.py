"""The rate limits of one worker, wired to Redis where the settings name one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from redis.asyncio import Redis

from frontdesk.config import Settings
from frontdesk.observability.metrics import Metrics
from frontdesk.security.rate_limit import Quota, RateLimits, SharedWindows
from frontdesk.security.shared_windows import RedisWindows


def open_rate_limits(settings: Settings, metrics: Metrics, place: int) -> RateLimits:
    """Those of worker `place`, from 0. No connection is made before the first request that is limited."""
    return RateLimits(
        settings.limits,
        place=place,
        workers=settings.server.workers,
        shared=_redis(settings),
        observe_check=metrics.observe_limit_check,
        observe_refusal=metrics.observe_limited,
    )


def _redis(settings: Settings) -> Callable[[Sequence[Quota]], SharedWindows] | None:
    """A connection of its own, without time-outs in the client: `RedisWindows` has one that a busy loop cannot trip."""
    if settings.redis.url is None:
        return None
    client = Redis.from_url(settings.redis.url, single_connection_client=False, retry=None, retry_on_error=[])
    return lambda quotas: RedisWindows(client, quotas, settings.redis.timeout_s)
