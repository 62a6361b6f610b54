"""Sliding windows of callers, tenants and all requests count exactly."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.config import LimitSettings
from frontdesk.errors import RateLimited
from frontdesk.security.rate_limit import (
    ProcessRateLimit,
    Quota,
    RateLimiter,
    RateLimitResult,
    SharedRateLimit,
    configured_quotas,
)
from frontdesk.types import Caller


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class UnavailableWindows:
    """Shared windows that are unavailable."""

    async def consume(self, _: Sequence[str]) -> RateLimitResult | None:
        return None


def caller(subject: str = "agent", tenant: str = "acme") -> Caller:
    return Caller(tenant, subject, frozenset())


def limits(
    worker_index: int = 0,
    workers: int = 1,
    shared: SharedRateLimit | None = None,
    observed: list[str] | None = None,
    **limit: int,
) -> RateLimiter:
    events: list[str] = [] if observed is None else observed
    return RateLimiter(
        LimitSettings(**limit),
        worker_index=worker_index,
        workers=workers,
        shared=None if shared is None else lambda _: shared,
        observe_check=events.append,
        observe_refusal=events.append,
    )


async def count_passed(limiter: RateLimiter, callers: Sequence[Caller]) -> int:
    return sum([(await limiter.consume(each)).refused_by is None for each in callers])


async def test_of_300_requests_under_a_limit_of_100_100_pass() -> None:
    assert await count_passed(limits(caller_requests=100), [caller()] * 300) == 100


@pytest.mark.parametrize(("limit", "workers"), [(100, 2), (101, 2), (7, 3), (1, 4)])
async def test_the_shares_of_workers_without_redis_add_up_to_the_limit(limit: int, workers: int) -> None:
    limiters = [
        limits(worker_index, workers, UnavailableWindows(), caller_requests=limit) for worker_index in range(workers)
    ]
    assert sum([await count_passed(one, [caller()] * 300) for one in limiters]) == limit


async def test_each_party_has_its_own_limit() -> None:
    limiter = limits(caller_requests=2, tenant_requests=5, total_requests=6)
    first, second, third = caller("a"), caller("b"), caller("c")
    assert await count_passed(limiter, [first] * 4) == 2
    assert await count_passed(limiter, [second] * 4) == 2
    assert await count_passed(limiter, [third] * 4) == 1  # the tenant's limit
    assert await count_passed(limiter, [caller("a", "other")] * 4) == 1  # the total limit


async def test_a_request_that_one_limit_refuses_does_not_count_against_others() -> None:
    limiter = limits(caller_requests=1, tenant_requests=3)
    await count_passed(limiter, [caller("a")] * 50)
    assert await count_passed(limiter, [caller("b"), caller("c"), caller("d")]) == 2


async def test_the_refusal_has_the_limit_and_the_time_of_the_next_try() -> None:
    events: list[str] = []
    limiter = limits(observed=events, window_s=10.0, tenant_requests=1)
    await limiter.consume(caller())
    with pytest.raises(RateLimited, match="The limit tenant is used up: 1 requests within 10 s") as raised:
        (await limiter.consume(caller("other"))).raise_if_refused()
    assert 9 < raised.value.retry_after_s <= 10
    assert events == ["process", "process", "tenant"]


async def test_without_limits_nothing_is_counted() -> None:
    events: list[str] = []
    result = await limits(observed=events).consume(caller())
    assert (result.statuses, result.refused_by, events) == ((), None, [])


async def test_a_name_cannot_collide_with_another_party() -> None:
    limiter = limits(caller_requests=1, tenant_requests=3)
    assert (
        await count_passed(limiter, [caller("x y", "a"), caller("y", "a.x"), caller("a", "total"), caller("total")])
        == 4
    )


async def test_requests_that_redis_passed_count_after_it_fails() -> None:
    class FailingWindows:
        calls = 0

        async def consume(self, _: Sequence[str]) -> RateLimitResult | None:
            self.calls += 1
            return RateLimitResult((), None) if self.calls <= 60 else None

    assert await count_passed(limits(shared=FailingWindows(), caller_requests=100), [caller()] * 300) == 100


@given(st.lists(st.floats(0, 3), max_size=200), st.integers(1, 20))
def test_no_window_contains_more_requests_than_the_limit(pauses: list[float], limit: int) -> None:
    clock = Clock()
    windows = ProcessRateLimit([Quota("caller", limit, 10.0)], clock)
    moments = []
    for pause in pauses:
        clock.now += pause
        if windows.consume(["key"]).refused_by is None:
            moments.append(clock.now)
    for start in moments:
        assert sum(start <= moment < start + 10.0 for moment in moments) <= limit


def test_a_request_passes_when_the_oldest_has_left_the_window() -> None:
    clock = Clock()
    windows = ProcessRateLimit([Quota("caller", 2, 10.0)], clock)
    windows.consume(["key"])
    clock.now = 4.0
    windows.consume(["key"])
    refusal = windows.consume(["key"]).refused_by
    assert refusal is not None
    assert refusal.reset_s == 6.0
    clock.now += refusal.reset_s
    result = windows.consume(["key"])
    assert (result.refused_by, result.statuses[0].remaining) == (None, 0)


def test_unused_keys_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("frontdesk.security.rate_limit.MAX_TRACKED_KEYS", 3)
    clock = Clock()
    windows = ProcessRateLimit([Quota("caller", 2, 10.0)], clock)
    for key in "abcd":
        windows.consume([key])
        clock.now += 6
    assert set(windows._windows) == {"c", "d"}


def test_only_limits_that_are_set_are_quotas() -> None:
    assert configured_quotas(LimitSettings()) == ()
    assert [one.name for one in configured_quotas(LimitSettings(caller_requests=1, total_requests=2))] == [
        "caller",
        "total",
    ]
