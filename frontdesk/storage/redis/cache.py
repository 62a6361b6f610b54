"""Caches of bytes with a time to live, for replies: in Redis for all workers, or in the process.

After a failure both behave as if empty. A key is `group:name`, and a whole group can be deleted.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import cast

from redis.asyncio import Redis

from frontdesk.storage.redis.optional_redis import OptionalRedis

PREFIX = "frontdesk:cache:"
INDEX = "frontdesk:cache-index:"
"""Prefix of the index of a group: a sorted set of its keys, scored by expiry time."""


class RedisCache:
    """Cache shared by all workers and hosts that use the Redis."""

    def __init__(self, redis: OptionalRedis) -> None:
        self._redis = redis

    async def get(self, key: str) -> bytes | None:
        """Return the value; None if it is missing, or if Redis is unavailable."""
        return await self._redis.run(lambda client: cast("Awaitable[bytes | None]", client.get(PREFIX + key)))

    async def put(self, key: str, value: bytes, ttl_s: int) -> None:
        """Store the value for `ttl_s` seconds; do nothing if Redis is unavailable."""
        index, now = INDEX + _group(key), time.time()

        def put(client: Redis) -> Awaitable[list[object]]:
            pipe = client.pipeline(transaction=True)
            pipe.zadd(index, {PREFIX + key: now + ttl_s})
            pipe.zremrangebyscore(index, 0, now)
            pipe.expire(index, ttl_s)
            pipe.set(PREFIX + key, value, ex=ttl_s)
            return pipe.execute()

        await self._redis.run(put)

    async def forget(self, group: str) -> int | None:
        """Delete all keys of a group and return their number, or None if Redis is unavailable."""
        index = INDEX + group

        async def delete(client: Redis) -> int:
            keys = await cast("Awaitable[list[bytes]]", client.zrange(index, 0, -1))
            return await client.unlink(index, *keys) - 1 if keys else 0

        return await self._redis.run(delete)


class LruCache:
    """LRU cache of this process with at most `entries` entries."""

    def __init__(self, entries: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_entries = entries
        self._clock = clock
        self._entries: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    async def get(self, key: str) -> bytes | None:
        """Return the value; None if it is missing or expired."""
        expires_at, value = self._entries.get(key, (0.0, b""))
        if expires_at <= self._clock():
            self._entries.pop(key, None)
            return None
        self._entries.move_to_end(key)
        return value

    async def put(self, key: str, value: bytes, ttl_s: int) -> None:
        """Store the value for `ttl_s` seconds, or until it is evicted."""
        self._entries[key] = (self._clock() + ttl_s, value)
        self._entries.move_to_end(key)
        if len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)

    async def forget(self, group: str) -> int:
        """Delete all keys of a group and return their number."""
        keys = [key for key in self._entries if _group(key) == group]
        for key in keys:
            del self._entries[key]
        return len(keys)


def _group(key: str) -> str:
    return key.rpartition(":")[0]
