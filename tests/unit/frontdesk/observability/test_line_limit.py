"""Rate limit of log lines: a few per second for each reason, and a summary of the omitted ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from frontdesk.observability.line_limit import SUMMARY_S, LogLineLimit

LINES_PER_SECOND = 5


@dataclass
class Time:
    """A clock that the test advances, with its timers."""

    now: float = 1000.0
    timers: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    def schedule(self, seconds: float, callback: Callable[[], None]) -> None:
        self.timers.append((self.now + seconds, callback))

    def advance(self, seconds: float) -> None:
        self.now += seconds
        due = [callback for at, callback in self.timers if at <= self.now]
        self.timers = [(at, callback) for at, callback in self.timers if at > self.now]
        for callback in due:
            callback()


def limit() -> tuple[LogLineLimit, Time, list[Mapping[str, int]]]:
    clock, reports = Time(), []
    return LogLineLimit(LINES_PER_SECOND, reports.append, clock.schedule, lambda: clock.now), clock, reports


def test_each_reason_has_its_lines_of_each_second() -> None:
    lines, clock, _ = limit()
    for _ in range(3):
        assert [lines.allows("401") for _ in range(100)].count(True) == LINES_PER_SECOND
        assert [lines.allows("404") for _ in range(2)] == [True, True]
        clock.advance(1.0)


def test_a_summary_counts_what_was_omitted_once_in_ten_seconds() -> None:
    lines, clock, reports = limit()
    for _ in range(20):  # twenty seconds of 105 refused requests each
        for _ in range(105):
            lines.allows("401")
        lines.allows("404")
        clock.advance(1.0)
    assert reports == [{"401": 1000}, {"401": 1000}]
    clock.advance(100.0)
    assert len(reports) == 2
    assert clock.timers == []


def test_below_the_limit_there_is_no_summary_and_no_timer() -> None:
    lines, clock, reports = limit()
    for _ in range(100):
        assert all(lines.allows("401") for _ in range(LINES_PER_SECOND))
        clock.advance(1.0)
    assert (reports, clock.timers) == ([], [])


def test_a_summary_whose_timer_was_lost_is_written_with_the_next_refusal() -> None:
    lines, clock, reports = limit()
    for _ in range(10):
        lines.allows("401")
    clock.timers.clear()
    clock.advance(SUMMARY_S + 2)
    assert lines.allows("401")
    assert reports == [{"401": 10 - LINES_PER_SECOND}]


def test_a_check_costs_less_than_the_line() -> None:
    lines, _, _ = limit()
    started = time.perf_counter()
    for _ in range(10_000):
        lines.allows("401")
    assert time.perf_counter() - started < 0.5  # 50 µs each; writing a line takes about as long


def test_without_a_limit_every_line_is_written() -> None:
    clock, reports = Time(), []
    lines = LogLineLimit(None, reports.append, clock.schedule, lambda: clock.now)
    assert all(lines.allows("401") for _ in range(1000))
    assert (reports, clock.timers) == ([], [])
