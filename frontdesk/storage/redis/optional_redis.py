"""Redis client of a worker for optional data: a call returns in time, or Redis counts as unavailable.

The client's own time-out is not used, because on a busy event loop it fires although the response has arrived. Here a
response that has arrived by then is accepted.
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
"""Turns of the event loop after the time-out, because timer and response may arrive in the same turn of a busy loop."""

T = TypeVar("T")


class OptionalRedis:
    """Used from one event loop. Connects at the first `run`."""

    def __init__(self, url: str, *, timeout_s: float) -> None:
        pool = BlockingConnectionPool.from_url(
            url, max_connections=MOST_CONNECTIONS, timeout=timeout_s, retry=None, retry_on_error=[]
        )
        self._client = Redis(connection_pool=pool)
        self._timeout_s = timeout_s
        self._breaker = CircuitBreaker(OPTIONAL_DEPENDENCY)

    async def run(self, command: Callable[[Redis], Awaitable[T]]) -> T | None:
        """Return the result of a command; None if Redis does not respond in time, or the circuit breaker is open."""
        permit = self._breaker.admit()
        if permit is None:
            return None
        report = self._breaker.discard  # if the caller is cancelled before the call ends
        call = asyncio.ensure_future(command(self._client))
        try:
            is_done = await self._wait(call)
            report = self._breaker.record_success if is_done else self._breaker.record_failure
            return call.result() if is_done else None
        except (RedisError, OSError):
            report = self._breaker.record_failure
            return None
        finally:
            report(permit)

    async def close(self) -> None:
        await self._client.aclose()
        await self._client.connection_pool.disconnect()

    async def _wait(self, call: asyncio.Future[T]) -> bool:
        """Return whether the call ended in time. Raises the exception of the call."""
        try:
            await asyncio.wait([call], timeout=self._timeout_s)
            for _ in range(EXTRA_LOOP_TURNS):
                if not call.done():
                    await asyncio.sleep(0)
        finally:
            if not call.done():
                call.cancel()  # the client drops the connection, so the late response is discarded
        if not call.cancelled() and call.done():
            call.result()
            return True
        await asyncio.wait([call])
        return False
