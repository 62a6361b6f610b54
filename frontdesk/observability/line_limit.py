"""Rate limit for repeated log lines: a number of lines per second for each reason, and a summary of omitted lines."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping

SUMMARY_S = 10.0

Schedule = Callable[[float, Callable[[], None]], object]
"""Calls a function after a number of seconds."""


class LogLineLimit:
    """Limit to `lines_per_second` lines for each reason; None: no limit.

    `report` gets the counts of the omitted lines, `SUMMARY_S` after the first one. Not thread-safe.
    """

    def __init__(
        self,
        lines_per_second: int | None,
        report: Callable[[Mapping[str, int]], None],
        schedule: Schedule,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lines_per_second = lines_per_second
        self._report = report
        self._schedule = schedule
        self._clock = clock
        self._second = 0
        self._summary_at = 0.0
        self._lines: Counter[str] = Counter()
        self._omitted: Counter[str] = Counter()

    def allows(self, reason: str) -> bool:
        """Return whether a line for `reason` may be written now. Counts it if not."""
        if self.lines_per_second is None:
            return True
        now = self._clock()
        second = int(now)
        if second != self._second:
            self._second = second
            self._lines.clear()
            if self._omitted and now > self._summary_at + 1:  # the event loop with the timer has ended
                self._summarize()
        self._lines[reason] += 1
        if self._lines[reason] <= self.lines_per_second:
            return True
        if not self._omitted:
            self._summary_at = now + SUMMARY_S
            self._schedule(SUMMARY_S, self._summarize)
        self._omitted[reason] += 1
        return False

    def _summarize(self) -> None:
        omitted, self._omitted = self._omitted, Counter()
        if omitted:
            self._report(dict(omitted))
