"""Sliding windows in Redis, shared by all workers and hosts: one script, one call for all waiting requests.

One call runs at a time; requests that arrive during a call are batched into the next. Redis provides the time. If Redis
is frozen or unavailable, a request waits for `timeout_s` once; then Redis is not called for `PAUSE_S`, and the share of
the worker decides.

Depends on keys and quotas only, not on callers.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Sequence
from typing import Any

from redis.exceptions import RedisError

from frontdesk.security.rate_limit import Quota, QuotaStatus, RateLimitResult

PREFIX = "frontdesk:limits:{window} "  # the braces keep all keys on one shard of a cluster
PAUSE_S = 1.0
MAX_BATCH_SIZE = 128

SCRIPT = """
local moment = redis.call('TIME')
local now = moment[1] * 1000000 + moment[2]
local quotas = tonumber(ARGV[2])
local results = {}
for first = 1, #KEYS, quotas do
  local full = 0
  local used = {}
  for place = 0, quotas - 1 do
    local window = tonumber(ARGV[4 + 2 * place])
    redis.call('ZREMRANGEBYSCORE', KEYS[first + place], '-inf', now - window)
    used[place] = redis.call('ZCARD', KEYS[first + place])
    if full == 0 and used[place] >= tonumber(ARGV[3 + 2 * place]) then full = place + 1 end
  end
  results[#results + 1] = full
  for place = 0, quotas - 1 do
    local key = KEYS[first + place]
    local window = tonumber(ARGV[4 + 2 * place])
    if full == 0 then
      redis.call('ZADD', key, now, ARGV[1] .. first)
      redis.call('PEXPIRE', key, math.ceil(window / 1000))
      used[place] = used[place] + 1
    end
    local oldest = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
    results[#results + 1] = used[place]
    results[#results + 1] = oldest[2] and (tonumber(oldest[2]) + window - now) or window
  end
end
return results
"""
"""KEYS: one for each quota of each request. ARGV: a unique id of the call, the number of quotas, then the limit and the
window (microseconds) of each quota. Returns for each request: the position of the quota that refuses it, from 1, or 0;
then for each quota the number of requests in its window and the microseconds until the oldest leaves it."""


class RedisRateLimit:
    """Rate limit in Redis. `client` has no time-outs of its own, because a busy event loop would exceed them."""

    def __init__(self, client: Any, quotas: Sequence[Quota], timeout_s: float) -> None:
        self._quotas = tuple(quotas)
        self._timeout_s = timeout_s
        self._script = client.register_script(SCRIPT)
        self._limits = [
            argument for quota in quotas for argument in (str(quota.limit), str(round(quota.window_s * 1_000_000)))
        ]
        self._waiting: list[tuple[Sequence[str], asyncio.Future[RateLimitResult | None]]] = []
        self._sender: asyncio.Task[None] | None = None
        self._retry_at = 0.0  # monotonic

    async def consume(self, keys: Sequence[str]) -> RateLimitResult | None:
        """Count one request under the keys of all quotas, in their order; None if Redis does not answer in time."""
        if time.monotonic() < self._retry_at:
            return None
        future: asyncio.Future[RateLimitResult | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((keys, future))
        if self._sender is None:
            self._sender = asyncio.create_task(self._send_waiting_requests())
        return await future

    async def _send_waiting_requests(self) -> None:
        """Send batches of waiting requests until none waits."""
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MAX_BATCH_SIZE], self._waiting[MAX_BATCH_SIZE:]
                answers = await self._run_script([keys for keys, _ in batch])
                if answers is None:
                    self._retry_at = time.monotonic() + PAUSE_S
                    batch, self._waiting = batch + self._waiting, []
                    answers = [None] * len(batch)
                for (_, future), answer in zip(batch, answers, strict=True):
                    if not future.done():  # cancelled: the client disconnected
                        future.set_result(answer)
        finally:
            self._sender = None

    async def _run_script(self, requests: Sequence[Sequence[str]]) -> list[RateLimitResult | None] | None:
        redis_keys = [PREFIX + key for keys in requests for key in keys]
        arguments = [secrets.token_hex(8), str(len(self._quotas)), *self._limits]
        call = asyncio.ensure_future(self._script(keys=redis_keys, args=arguments))
        await asyncio.wait([call], timeout=self._timeout_s)
        for _ in range(3):  # the time-out and the answer may arrive in the same iteration of a busy event loop
            if not call.done():
                await asyncio.sleep(0)
        if not call.done():
            call.cancel()
            await asyncio.wait([call])
            return None
        try:
            values = call.result()
        except (RedisError, OSError):
            return None
        width = 1 + 2 * len(self._quotas)
        return [self._parse_result(values[start : start + width]) for start in range(0, len(values), width)]

    def _parse_result(self, values: Sequence[int]) -> RateLimitResult:
        statuses = tuple(
            QuotaStatus(quota, quota.limit - values[1 + 2 * index], values[2 + 2 * index] / 1_000_000)
            for index, quota in enumerate(self._quotas)
        )
        return RateLimitResult(statuses, statuses[values[0] - 1] if values[0] else None)
