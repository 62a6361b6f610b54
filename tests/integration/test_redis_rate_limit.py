"""Rate limits in a real Redis: exact over workers, and no burden while it is frozen or away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest
from redis.asyncio import Redis

from frontdesk.config import LimitSettings
from frontdesk.security import redis_rate_limit
from frontdesk.security.rate_limit import RateLimiter
from frontdesk.security.redis_rate_limit import RedisRateLimit
from frontdesk.types import Caller
from tests.support.redis_server import RedisServer, running


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with running() as server:
        yield server


CALLER = Caller("acme", "agent", frozenset())
TIMEOUT_S = 1.0
"""Long, so that a busy machine or a slow stand-in does not make the workers fall back to their own shares."""
SHORT_TIMEOUT_S = 0.01


def worker(
    redis: RedisServer,
    worker_index: int = 0,
    seen: list[str] | None = None,
    timeout_s: float = TIMEOUT_S,
    **most: int | float,
) -> RateLimiter:
    client = Redis.from_url(redis.url, retry=None, retry_on_error=[])
    message: list[str] = [] if seen is None else seen
    return RateLimiter(
        LimitSettings(**most),
        worker_index=worker_index,
        workers=2,
        shared=lambda quotas: RedisRateLimit(client, quotas, timeout_s),
        observe_check=message.append,
        observe_refusal=message.append,
    )


async def warm(*workers: RateLimiter) -> None:
    """The first call connects and sends the script, which no time-out of a test should depend on."""
    for one in workers:
        for _ in range(50):
            await one.consume(Caller("warm", "up", frozenset()))
            await asyncio.sleep(0.02)
            if one._shared is not None and one._shared._retry_at < time.monotonic():  # type: ignore[attr-defined]
                break


async def test_of_300_requests_at_once_on_two_workers_100_pass(redis: RedisServer) -> None:
    observed: list[str] = []
    first, second = worker(redis, 0, observed, caller_requests=100), worker(redis, 1, observed, caller_requests=100)
    await warm(first, second)
    observed.clear()
    claimed = await asyncio.gather(*(one.consume(CALLER) for _ in range(150) for one in (first, second)))
    assert sum(one.refused_by is None for one in claimed) == 100
    assert observed.count("process") == 0


async def test_all_limits_are_asked_in_one_call_and_what_one_refuses_counts_against_none(redis: RedisServer) -> None:
    one = worker(redis, caller_requests=3, tenant_requests=5, total_requests=100)
    await warm(one)
    other = Caller("acme", "other", frozenset())
    claimed = [await one.consume(who) for who in (CALLER,) * 10 + (other,) * 10]
    assert sum(each.refused_by is None for each in claimed[:10]) == 3
    assert sum(each.refused_by is None for each in claimed[10:]) == 2
    refused_by = claimed[-1].refused_by
    assert refused_by is not None
    assert refused_by.quota.name == "tenant"
    assert 0 < refused_by.reset_s <= 60


async def test_a_window_moves(redis: RedisServer) -> None:
    one = worker(redis, caller_requests=2, window_s=0.3)
    await warm(one)
    assert [(await one.consume(CALLER)).refused_by is None for _ in range(3)] == [True, True, False]
    await asyncio.sleep(0.35)
    assert (await one.consume(CALLER)).refused_by is None


async def test_a_frozen_redis_costs_little_and_the_share_is_enforced(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not redis.is_real:
        pytest.skip("fakeredis cannot be frozen")
    monkeypatch.setattr(redis_rate_limit, "PAUSE_S", 30.0)
    observed: list[str] = []
    one = worker(redis, 0, observed, SHORT_TIMEOUT_S, caller_requests=100)
    await warm(one)
    observed.clear()
    redis.stop()
    try:
        began = time.perf_counter()
        claimed = await asyncio.gather(*(one.consume(CALLER) for _ in range(200)))
        first_s = time.perf_counter() - began
        began = time.perf_counter()
        await one.consume(CALLER)
        later_s = time.perf_counter() - began
    finally:
        redis.cont()
    assert first_s < 10 * SHORT_TIMEOUT_S  # 200 requests together; generous for a machine that does other things too
    assert later_s < SHORT_TIMEOUT_S
    assert sum(each.refused_by is None for each in claimed) == 50
    assert "redis" not in observed


async def test_after_it_was_away_redis_is_asked_again(redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_rate_limit, "PAUSE_S", 0.05)
    observed: list[str] = []
    one = worker(redis, 0, observed, caller_requests=1000)
    await warm(one)
    redis.kill()
    await one.consume(CALLER)
    assert observed[-1] == "process"
    redis.start()
    give_up = time.monotonic() + 5
    while observed[-1] != "redis" and time.monotonic() < give_up:
        await asyncio.sleep(0.06)
        await one.consume(CALLER)
    assert observed[-1] == "redis"
