"""Both caches store bytes with a time to live."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from frontdesk.storage.redis.cache import LruCache, RedisCache
from frontdesk.storage.redis.optional_redis import OptionalRedis
from tests.support.redis_server import RedisServer


@pytest.fixture(params=["process", "redis"])
async def cache(request: pytest.FixtureRequest) -> AsyncIterator[LruCache | RedisCache]:
    if request.param == "process":
        yield LruCache(100)
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    redis = OptionalRedis(server.url, timeout_s=5.0)
    yield RedisCache(redis)
    await redis.close()


async def test_a_value_is_returned_byte_for_byte_until_it_is_replaced(cache: LruCache | RedisCache) -> None:
    assert await cache.get("a") is None
    await cache.put("a", b"\x00\xff one", 60)
    await cache.put("b", b"", 60)
    assert (await cache.get("a"), await cache.get("b")) == (b"\x00\xff one", b"")
    await cache.put("a", b"two", 60)
    assert await cache.get("a") == b"two"


async def test_a_value_expires(cache: LruCache | RedisCache) -> None:
    await cache.put("a", b"one", 1)
    assert await cache.get("a") == b"one"
    await asyncio.sleep(1.1)
    assert await cache.get("a") is None


async def test_a_group_is_deleted_and_others_stay(cache: LruCache | RedisCache) -> None:
    for key in ("acme:1", "acme:2", "other:1"):
        await cache.put(key, key.encode(), 60)
    assert (await cache.forget("acme"), await cache.forget("nobody")) == (2, 0)
    assert [await cache.get(key) for key in ("acme:1", "acme:2", "other:1")] == [None, None, b"other:1"]


async def test_the_lru_cache_evicts_the_least_recently_used_value() -> None:
    cache = LruCache(2)
    for key in ("a", "b"):
        await cache.put(key, key.encode(), 60)
    assert await cache.get("a") == b"a"
    await cache.put("c", b"c", 60)
    assert [await cache.get(key) for key in ("a", "b", "c")] == [b"a", None, b"c"]


async def test_an_unavailable_redis_returns_nothing_and_raises_nothing(redis_server: RedisServer) -> None:
    redis = OptionalRedis(redis_server.url, timeout_s=0.5)
    cache = RedisCache(redis)
    redis_server.kill()
    try:
        await cache.put("a", b"one", 60)
        assert await cache.get("a") is None
    finally:
        redis_server.start()
    await cache.put("a", b"one", 60)
    assert await cache.get("a") == b"one"
    await redis.close()
