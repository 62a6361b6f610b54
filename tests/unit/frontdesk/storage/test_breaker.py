"""Who failed a few times in a row is left alone, and is tried again once a period."""

from __future__ import annotations

from frontdesk.storage.breaker import Breaker


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_few_failures_in_a_row_end_the_calls_and_others_do_not() -> None:
    breaker = Breaker(failures=3, rest_s=1.0, clock=Clock())
    for _ in range(2):
        breaker.failed()
    breaker.succeeded()
    for _ in range(2):
        breaker.failed()
    assert breaker.lets_through()
    breaker.failed()
    assert not breaker.lets_through()


def test_after_the_rest_one_call_tries_for_all() -> None:
    clock = Clock()
    breaker = Breaker(failures=1, rest_s=1.0, clock=clock)
    breaker.failed()
    clock.now += 1.0
    assert breaker.lets_through()
    assert not breaker.lets_through()
    breaker.succeeded()
    assert breaker.lets_through()


def test_a_try_that_fails_begins_another_rest() -> None:
    clock = Clock()
    breaker = Breaker(failures=1, rest_s=1.0, clock=clock)
    breaker.failed()
    clock.now += 1.0
    assert breaker.lets_through()
    clock.now += 0.1
    breaker.failed()
    clock.now += 0.95
    assert not breaker.lets_through()
    clock.now += 0.05
    assert breaker.lets_through()
