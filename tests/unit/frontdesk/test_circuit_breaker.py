from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.circuit_breaker import BreakerLimits, CircuitBreaker, CircuitState

LIMITS = BreakerLimits(slow_s=2.0, open_s=5.0, window_s=60.0)


class Clock:
    """A clock that the test advances."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Watched:
    def __init__(self, limits: BreakerLimits = LIMITS) -> None:
        self.clock = Clock()
        self.states: list[CircuitState] = []
        self.breaker = CircuitBreaker(limits, observe=self.states.append, clock=self.clock)

    def call(self, how: str = "good", seconds: float = 0.1) -> bool:
        """Make one call from start to end. Return whether the breaker admitted it."""
        permit = self.breaker.admit()
        if permit is None:
            return False
        self.clock.now += seconds
        if how == "good":
            self.breaker.record_success(permit)
        elif how == "bad":
            self.breaker.record_failure(permit)
        else:
            self.breaker.discard(permit)
        return True

    def opened(self) -> Watched:
        while self.breaker.state is not CircuitState.OPEN:
            self.call("bad")
        return self


def test_it_opens_after_the_minimum_number_of_calls() -> None:
    watched = Watched()
    assert [watched.call("bad") for _ in range(8)] == [True] * 5 + [False] * 3
    assert watched.states == [CircuitState.OPEN]


def test_many_earlier_successes_do_not_hide_failures() -> None:
    watched = Watched()
    for _ in range(1_000):
        watched.call("good", 0.001)
    failed = 0
    while watched.call("bad", 0.001):
        failed += 1
    assert failed == 10


def test_slow_is_as_bad_as_failed() -> None:
    watched = Watched()
    for _ in range(5):
        watched.call("good", seconds=2.0)
    assert watched.breaker.state is CircuitState.OPEN


def test_the_duration_may_be_given_by_the_caller() -> None:
    watched = Watched()
    for _ in range(10):
        permit = watched.breaker.admit()
        assert permit is not None
        watched.clock.now += 8.0  # a long completion whose first token was fast
        watched.breaker.record_success(permit, seconds=0.2)
    assert watched.breaker.state is CircuitState.CLOSED


def test_old_failures_are_forgotten() -> None:
    watched = Watched()
    for _ in range(4):
        watched.call("bad")
    watched.clock.now += 61.0
    watched.call("bad")
    assert watched.breaker.state is CircuitState.CLOSED


def test_after_open_s_two_successful_probes_close_it() -> None:
    watched = Watched().opened()
    watched.clock.now += 4.9
    assert watched.breaker.admit() is None
    watched.clock.now += 0.1
    first = watched.breaker.admit()
    assert first is not None
    assert watched.breaker.admit() is None, "one at a time"
    watched.breaker.record_success(first)
    assert watched.call("good")
    assert watched.states == [CircuitState.OPEN, CircuitState.HALF_OPEN, CircuitState.CLOSED]


@pytest.mark.parametrize(("how", "seconds"), [("bad", 0.1), ("good", 2.5)])
def test_a_probe_that_fails_or_is_slow_opens_it_again(how: str, seconds: float) -> None:
    watched = Watched().opened()
    watched.clock.now += 5.0
    watched.call(how, seconds)
    assert watched.states == [CircuitState.OPEN, CircuitState.HALF_OPEN, CircuitState.OPEN]
    assert watched.breaker.admit() is None


def test_a_discarded_probe_allows_the_next_one() -> None:
    watched = Watched().opened()
    watched.clock.now += 5.0
    assert watched.call("forgotten")
    assert watched.call("good")
    assert watched.call("good")
    assert watched.breaker.state is CircuitState.CLOSED


def test_calls_that_started_before_a_change_of_state_are_ignored() -> None:
    watched = Watched()
    late = [watched.breaker.admit() for _ in range(3)]
    watched.opened()
    watched.clock.now += 5.0
    probe = watched.breaker.admit()
    for permit in late:
        assert permit is not None
        watched.breaker.record_failure(permit)
    assert watched.breaker.state is CircuitState.HALF_OPEN
    assert probe is not None
    watched.breaker.record_success(probe)
    assert watched.call("good")
    assert watched.breaker.state is CircuitState.CLOSED


STEPS = st.lists(
    st.tuples(st.sampled_from(["good", "bad", "forgotten"]), st.floats(0, 4), st.floats(0, 30)), max_size=80
)


@given(STEPS)
def test_from_any_state_20_failures_open_it_and_two_probes_close_it(
    steps: list[tuple[str, float, float]],
) -> None:
    watched = Watched()
    for how, seconds, pause in steps:
        watched.call(how, seconds)
        watched.clock.now += pause
    calls = 0
    while watched.call("bad", 0.1):
        calls += 1
    assert calls <= 20
    assert watched.breaker.state is CircuitState.OPEN
    watched.clock.now += LIMITS.open_s + 0.001  # floating point: a sum of seconds is not exact
    assert [watched.call("good"), watched.call("good")] == [True, True]
    assert watched.breaker.state is CircuitState.CLOSED


@given(
    st.lists(st.tuples(st.sampled_from(["begin", "good", "bad", "forgotten", "wait"]), st.integers(0, 5)), max_size=120)
)
def test_overlapping_calls_have_one_probe_and_an_open_circuit_admits_none(steps: list[tuple[str, int]]) -> None:
    watched = Watched()
    tickets = []
    opened_at = 0.0
    for step, index in steps:
        before = watched.breaker.state
        if step == "begin":
            permit = watched.breaker.admit()
            if before is CircuitState.OPEN and watched.clock.now < opened_at + LIMITS.open_s:
                assert permit is None
            if permit is not None:
                tickets.append(permit)
                if watched.breaker.state is CircuitState.HALF_OPEN:
                    assert watched.breaker.admit() is None
        elif step == "wait":
            watched.clock.now += index
        elif tickets:
            permit = tickets.pop(index % len(tickets))
            {
                "good": watched.breaker.record_success,
                "bad": watched.breaker.record_failure,
                "forgotten": watched.breaker.discard,
            }[step](permit)
        if watched.breaker.state is CircuitState.OPEN and before is not CircuitState.OPEN:
            opened_at = watched.clock.now


@given(st.lists(st.floats(0, 1.9), max_size=100))
def test_quick_successes_never_open_it(durations: list[float]) -> None:
    watched = Watched()
    assert all(watched.call("good", seconds) for seconds in durations)
    assert watched.states == []


def test_three_failures_in_a_row_open_the_circuit_and_other_sequences_do_not() -> None:
    watched = Watched(BreakerLimits.consecutive(3, open_s=1.0))
    for how in ("bad", "bad", "good", "bad", "bad"):
        assert watched.call(how)
    assert watched.breaker.state is CircuitState.CLOSED
    assert watched.call("bad")
    assert not watched.call("good")


def test_consecutive_failures_count_however_slow_or_far_apart_they_are() -> None:
    watched = Watched(BreakerLimits.consecutive(2, open_s=1.0))
    watched.call("good", seconds=1e6)
    watched.call("bad")
    watched.clock.now += 1e6
    assert watched.breaker.state is CircuitState.CLOSED
    watched.call("bad")
    assert watched.breaker.state is CircuitState.OPEN


def test_after_consecutive_failures_one_probe_at_a_time_and_one_success_closes_the_circuit() -> None:
    watched = Watched(BreakerLimits.consecutive(1, open_s=1.0))
    watched.call("bad")
    watched.clock.now += 1.0
    probe = watched.breaker.admit()
    assert probe is not None
    assert watched.breaker.admit() is None
    watched.breaker.record_success(probe)
    assert watched.breaker.state is CircuitState.CLOSED


def test_a_failed_probe_opens_the_circuit_again_for_the_whole_time() -> None:
    watched = Watched(BreakerLimits.consecutive(1, open_s=1.0))
    watched.call("bad")
    watched.clock.now += 1.0
    assert watched.call("bad", 0.1)
    watched.clock.now += 0.95
    assert watched.breaker.admit() is None
    watched.clock.now += 0.06
    assert watched.breaker.admit() is not None
