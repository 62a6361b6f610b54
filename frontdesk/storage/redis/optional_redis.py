"""A worker's one Redis, for what a request can do without: it answers in time, or it counts as away.

Knows nothing of what is kept there. The time-out is not the client's own, which a busy event loop would trip although
the answer has come: what has come by then is taken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

from frontdesk.circuit_breaker import OPTIONAL_DEPENDENCY, CircuitBreaker

MOST_CONNECTIONS = 16
EXTRA_LOOP_TURNS = 3
"""The timer and the answer may have come in the same turn of a busy loop: so many turns later the answer is seen."""

T = TypeVar("T")


class OptionalRedis:
    """Used from one event loop. Nothing is connected before the first `run`."""

    def __init__(self, url: str, *, timeout_s: float) -> None:
        pool = BlockingConnectionPool.from_url(
            url, max_connections=MOST_CONNECTIONS, timeout=timeout_s, retry=None, retry_on_error=[]
        )
        self._client = Redis(connection_pool=pool)
        self._timeout_s = timeout_s
        self._breaker = CircuitBreaker(OPTIONAL_DEPENDENCY)

    async def run(self, command: Callable[[Redis], Awaitable[T]]) -> T | None:
        """What Redis answers; None where it does not in time, and for a while after it did not."""
        ticket = self._breaker.admit()
        if ticket is None:
            return None
        report = self._breaker.discard  # unless the call ends: its caller may be cancelled
        call = asyncio.ensure_future(command(self._client))
        try:
            is_done = await self._wait(call)
            report = self._breaker.record_success if is_done else self._breaker.record_failure
            return call.result() if is_done else None
        except (RedisError, OSError):
            report = self._breaker.record_failure
            return None
        finally:
            report(ticket)

    async def close(self) -> None:
        await self._client.aclose()
        await self._client.connection_pool.disconnect()

    async def _wait(self, call: asyncio.Future[T]) -> bool:
        """Did it answer in time? Raises what the call has raised."""
        try:
            await asyncio.wait([call], timeout=self._timeout_s)
            for _ in range(EXTRA_LOOP_TURNS):
                if not call.done():
                    await asyncio.sleep(0)
        finally:
            if not call.done():
                call.cancel()  # the client drops the connection, whose answer would belong to nobody
        if not call.cancelled() and call.done():
            call.result()
            return True
        await asyncio.wait([call])
        return False
