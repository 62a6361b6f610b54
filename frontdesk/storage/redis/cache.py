"""Bytes under a key for a while: replies that need not be written again. In Redis for all workers, or in the process.

On a failure both behave as if empty. A key is `group:name`, and a whole group can be deleted. Knows nothing of what
the bytes are.
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
    """Shared by every worker and host of that Redis, which also forgets."""

    def __init__(self, redis: OptionalRedis) -> None:
        self._redis = redis

    async def get(self, key: str) -> bytes | None:
        """What was put there, if it still is; None too where Redis is away."""
        return await self._redis.run(lambda client: cast("Awaitable[bytes | None]", client.get(PREFIX + key)))

    async def put(self, key: str, value: bytes, ttl_s: int) -> None:
        """Keep it for so long; not at all where Redis is away."""
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
    """This process's own: at most `entries`, of which the one not asked for longest goes first."""

    def __init__(self, entries: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_entries = entries
        self._clock = clock
        self._entries: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    async def get(self, key: str) -> bytes | None:
        """What was put there, if it still is."""
        expires_at, value = self._entries.get(key, (0.0, b""))
        if expires_at <= self._clock():
            self._entries.pop(key, None)
            return None
        self._entries.move_to_end(key)
        return value

    async def put(self, key: str, value: bytes, ttl_s: int) -> None:
        """Keep it for so long, or until room is needed."""
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
