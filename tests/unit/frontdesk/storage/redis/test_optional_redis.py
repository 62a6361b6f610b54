from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from redis.asyncio import Redis

from frontdesk.circuit_breaker import BreakerLimits
from frontdesk.storage.redis import optional_redis
from frontdesk.storage.redis.optional_redis import OptionalRedis

OPEN_S = 0.05


@pytest.fixture
async def redis(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OptionalRedis]:
    """Never connects: the tests call functions that do not use the client."""
    monkeypatch.setattr(optional_redis, "OPTIONAL_DEPENDENCY", BreakerLimits.consecutive(3, OPEN_S))
    redis = OptionalRedis("redis://127.0.0.1:1", timeout_s=0.01)
    yield redis
    await redis.close()


async def answer(_: Redis) -> str:
    return "answer"


async def fail(_: Redis) -> str:
    raise OSError


async def hang(_: Redis) -> str:
    await asyncio.sleep(60)
    return "too late"


@pytest.mark.parametrize("failure", [fail, hang])
async def test_three_failures_stop_the_calls_until_one_succeeds(
    redis: OptionalRedis, failure: Callable[[Redis], Awaitable[str]]
) -> None:
    assert await redis.run(answer) == "answer"
    for _ in range(3):
        assert await redis.run(failure) is None
    assert await redis.run(answer) is None
    await asyncio.sleep(OPEN_S)
    assert await redis.run(answer) == "answer"
    assert await redis.run(answer) == "answer"


async def test_a_cancelled_probe_lets_the_next_request_probe(redis: OptionalRedis) -> None:
    for _ in range(3):
        assert await redis.run(fail) is None
    await asyncio.sleep(OPEN_S)
    probe = asyncio.create_task(redis.run(hang))
    await asyncio.sleep(0)
    assert await redis.run(answer) is None, "one probe at a time"
    probe.cancel()
    await asyncio.gather(probe, return_exceptions=True)
    assert await redis.run(answer) == "answer"
