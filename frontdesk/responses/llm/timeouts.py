"""Until when to wait for a language model, and whose fault it is when that is over.

A server is given so long to the first token, so long between two, and so long for the whole; the caller's deadline may
end all of it sooner. Only text counts as progress: a byte a second is none. Knows nothing of connections.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from frontdesk.deadline import Deadline


@dataclass(frozen=True, slots=True)
class TimeoutLimits:
    """In seconds. A first token after `slow_s` is slow even where it is still waited for."""

    first_token_s: float
    stall_s: float
    total_s: float
    slow_s: float


class CallTimer:
    """Of one call. Moments are seconds on the monotonic clock."""

    __slots__ = ("_caller_at", "_clock", "_limits", "_next_at", "_started", "_whole_at", "first_token_s")

    def __init__(
        self, limits: TimeoutLimits, total: Deadline, caller: Deadline, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`whole` is the end of `limits.total_s`: a repeated call gets no more of it."""
        self._limits = limits
        self._clock = clock
        self._started = clock()
        self._caller_at = caller.at
        self._total_at = total.at
        self._text_due_at = self._started + limits.first_token_s
        self.first_token_s: float | None = None

    def record_text(self) -> None:
        """A piece of text came."""
        if self.first_token_s is None:
            self.first_token_s = self._clock() - self._started

    def restart_stall_timeout(self) -> None:
        """The next piece is waited for from now on: what its reader took for the last is not the server's time."""
        self._text_due_at = self._clock() + self._limits.stall_s

    def remaining_s(self) -> float:
        return max(min(self._text_due_at, self._total_at, self._caller_at) - self._clock(), 0.0)

    def is_server_at_fault(self) -> bool:
        """Now that it is over: a caller in a hurry must not make a healthy server look ill."""
        if min(self._text_due_at, self._total_at) <= self._caller_at:
            return True
        return self.first_token_s is None and self._clock() - self._started >= self._limits.slow_s
