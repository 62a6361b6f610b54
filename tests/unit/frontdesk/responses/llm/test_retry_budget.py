from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from frontdesk.responses.llm.port import ChatMessage, Usage
from frontdesk.responses.llm.retry_budget import ConcurrencyLimit, Prices, RetryBudget, estimate_usage


def test_a_place_is_taken_or_refused_at_once_and_can_be_given_back() -> None:
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


def test_a_long_good_time_saves_no_more_than_one_retry() -> None:
    budget = RetryBudget()
    for _ in range(1_000):
        budget.count_request()
    assert [budget.take_retry(), budget.take_retry()] == [True, False]


def test_tokens_have_their_price_by_the_thousand() -> None:
    assert Prices(2.0, 10.0).cost(Usage(500, 100, estimated=False)) == 2.0


def test_tokens_that_nobody_counted_are_estimated_upwards() -> None:
    assert estimate_usage([ChatMessage("user", "12345")], 9) == Usage(2, 3, estimated=True)
