from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from frontdesk.responses.llm.port import ChatMessage, Usage
from frontdesk.responses.llm.retry_budget import ConcurrencyLimit, RetryBudget, TokenPrices, estimate_usage


def test_the_concurrency_limit_grants_or_refuses_at_once() -> None:
    places = ConcurrencyLimit(2)
    assert [places.try_acquire() for _ in range(3)] == [True, True, False]
    places.release()
    assert places.try_acquire()


@given(st.lists(st.booleans(), min_size=1, max_size=300))
def test_n_requests_make_at_most_a_fifth_more_calls(failed: list[bool]) -> None:
    budget = RetryBudget()
    calls = 0
    for number, fails in enumerate(failed, start=1):
        budget.count_request()
        calls += 1
        calls += fails and budget.take_retry()
        assert calls <= 1.2 * number


def test_at_most_one_retry_is_saved() -> None:
    budget = RetryBudget()
    for _ in range(1_000):
        budget.count_request()
    assert [budget.take_retry(), budget.take_retry()] == [True, False]


def test_prices_are_per_thousand_tokens() -> None:
    assert TokenPrices(2.0, 10.0).cost(Usage(500, 100, estimated=False)) == 2.0


def test_estimated_tokens_are_rounded_up() -> None:
    assert estimate_usage([ChatMessage("user", "12345")], 9) == Usage(2, 3, estimated=True)
