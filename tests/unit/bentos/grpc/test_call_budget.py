"""The budget of calls without a token, for one address and for all addresses."""

from __future__ import annotations

import pytest

from bentos.grpc.call_budget import (
    ADDRESS_BURST,
    ADDRESS_CALLS_PER_S,
    MAX_ADDRESSES,
    REFUSAL_PERIOD_S,
    RESET_CALLS,
    SHARED_BURST,
    SHARED_CALLS_PER_S,
    CallBudget,
)
from frontdesk.config import ServerSettings

ATTACKER = "203.0.113.9"
OTHER = "198.51.100.7"


class Clock:
    """A clock that a test sets, in seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def budget_of(clock: Clock, *trusted: str) -> CallBudget:
    return CallBudget(ServerSettings(trusted_proxies=trusted), clock)


def count_allowed(budget: CallBudget, address: str | None, calls: int = 2000) -> int:
    return sum(budget.take_token(address) is not None for _ in range(calls))


def test_an_address_may_use_its_own_burst_and_the_shared_one(clock: Clock) -> None:
    assert count_allowed(budget_of(clock), ATTACKER) == ADDRESS_BURST + SHARED_BURST


def test_an_address_that_used_up_the_shared_budget_does_not_affect_the_budgets_of_others(clock: Clock) -> None:
    budget = budget_of(clock)
    count_allowed(budget, ATTACKER)
    assert count_allowed(budget, OTHER) == ADDRESS_BURST


def test_both_buckets_refill_with_time_up_to_the_burst(clock: Clock) -> None:
    budget = budget_of(clock)
    count_allowed(budget, ATTACKER)
    clock.now += 1.0
    assert count_allowed(budget, ATTACKER) == int(ADDRESS_CALLS_PER_S + SHARED_CALLS_PER_S)
    clock.now += 3600.0
    assert count_allowed(budget, ATTACKER) == ADDRESS_BURST + SHARED_BURST


def test_a_refunded_call_costs_nothing(clock: Clock) -> None:
    budget = budget_of(clock)
    for _ in range(10 * (ADDRESS_BURST + SHARED_BURST)):
        bucket = budget.take_token(ATTACKER)
        assert bucket is not None
        bucket.put_back()
    assert count_allowed(budget, ATTACKER) == ADDRESS_BURST + SHARED_BURST


def test_a_refund_never_exceeds_the_burst(clock: Clock) -> None:
    budget = budget_of(clock)
    bucket = budget.take_token(ATTACKER)
    assert bucket is not None
    for _ in range(5):
        bucket.put_back()
    assert count_allowed(budget, ATTACKER) == ADDRESS_BURST + SHARED_BURST


@pytest.mark.parametrize(
    ("first", "second"),
    [("2001:db8::1", "2001:db8::ffff:2"), ("203.0.113.9", "::ffff:203.0.113.9")],
)
def test_addresses_of_one_client_share_a_bucket(clock: Clock, first: str, second: str) -> None:
    budget = budget_of(clock)
    count_allowed(budget, first)
    assert count_allowed(budget, second) == 0


def test_another_ipv6_network_has_its_own_bucket(clock: Clock) -> None:
    budget = budget_of(clock)
    count_allowed(budget, "2001:db8::1")
    assert count_allowed(budget, "2001:db8:0:1::1") == ADDRESS_BURST


def test_trusted_proxies_have_no_budget(clock: Clock) -> None:
    budget = budget_of(clock, "10.0.0.0/8", "2001:db8::/64")
    assert count_allowed(budget, "10.1.2.3", 5000) == 5000
    assert count_allowed(budget, "2001:db8::5", 5000) == 5000
    assert count_allowed(budget, ATTACKER) == ADDRESS_BURST + SHARED_BURST


def test_a_peer_without_an_address_has_a_budget_too(clock: Clock) -> None:
    assert count_allowed(budget_of(clock), None) == ADDRESS_BURST + SHARED_BURST


def test_buckets_of_many_addresses_are_bounded_and_recent_ones_are_kept(clock: Clock) -> None:
    budget = budget_of(clock)
    count_allowed(budget, ATTACKER)
    for number in range(MAX_ADDRESSES - 1):
        budget.take_token(f"10.0.{number >> 8}.{number & 255}")
    assert budget.take_token(ATTACKER) is None
    budget.take_token("192.0.2.1")
    assert budget.take_token(ATTACKER) is None


def test_further_refusals_do_not_prolong_the_period(clock: Clock) -> None:
    budget = budget_of(clock)
    count_allowed(budget, ATTACKER)
    budget.record_refusal(ATTACKER)
    clock.now += REFUSAL_PERIOD_S - 0.1
    budget.record_refusal(ATTACKER)
    clock.now += 0.2
    assert count_allowed(budget, ATTACKER) == ADDRESS_BURST + SHARED_BURST


def test_an_address_that_was_refused_may_not_use_the_shared_budget_for_a_period(clock: Clock) -> None:
    budget = budget_of(clock)
    count_allowed(budget, ATTACKER)
    budget.record_refusal(ATTACKER)
    clock.now += 1.0
    assert count_allowed(budget, ATTACKER) == int(ADDRESS_CALLS_PER_S)
    assert count_allowed(budget, OTHER) == ADDRESS_BURST + int(SHARED_CALLS_PER_S)
    clock.now += 3600.0
    assert count_allowed(budget, ATTACKER) == ADDRESS_BURST + SHARED_BURST


def test_a_reset_call_costs_as_much_as_several(clock: Clock) -> None:
    budget = budget_of(clock)
    count_allowed(budget, OTHER)
    budget.charge_reset_call(ATTACKER)
    assert count_allowed(budget, ATTACKER) == ADDRESS_BURST - RESET_CALLS
