"""Timeouts of a call to a language model, and whether the server is at fault when one expires.

There is a limit for the first token, for the time between two texts, and for the whole completion; the caller's
deadline may end the call sooner. Only text counts as progress: a byte per second does not. Independent of connections.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from frontdesk.deadline import Deadline


@dataclass(frozen=True, slots=True)
class TimeoutLimits:
    """In seconds. A first token after `slow_s` counts as slow, even if it is within its limit."""

    first_token_s: float
    stall_s: float
    total_s: float
    slow_s: float


class CallTimer:
    """Timeouts of one call. Times are seconds on the monotonic clock."""

    __slots__ = ("_caller_at", "_clock", "_limits", "_started", "_text_due_at", "_total_at", "first_token_s")

    def __init__(
        self, limits: TimeoutLimits, total: Deadline, caller: Deadline, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`total` is the end of `limits.total_s`, which a retry does not extend."""
        self._limits = limits
        self._clock = clock
        self._started = clock()
        self._caller_at = caller.at
        self._total_at = total.at
        self._text_due_at = self._started + limits.first_token_s
        self.first_token_s: float | None = None

    def record_text(self) -> None:
        """Record that a text arrived."""
        if self.first_token_s is None:
            self.first_token_s = self._clock() - self._started

    def restart_stall_timeout(self) -> None:
        """Wait for the next text from now on: the time that the consumer took for the last one does not count."""
        self._text_due_at = self._clock() + self._limits.stall_s

    def remaining_s(self) -> float:
        return max(min(self._text_due_at, self._total_at, self._caller_at) - self._clock(), 0.0)

    def is_server_at_fault(self) -> bool:
        """Whether the server is at fault: its own limit expired, or no first token came within `slow_s`."""
        if min(self._text_due_at, self._total_at) <= self._caller_at:
            return True
        return self.first_token_s is None and self._clock() - self._started >= self._limits.slow_s
