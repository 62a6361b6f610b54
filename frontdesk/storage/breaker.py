"""A breaker for what a request can do without: who failed a few times in a row is left alone for a while.

A part that is away costs each request its whole time-out; with the breaker only a few pay, then one a period. Knows
nothing of what it stands before. One for each event loop: nothing here is locked.
"""

from __future__ import annotations

import time
from collections.abc import Callable

FAILURES = 3
REST_S = 1.0


class Breaker:
    """Lets calls through until `failures` in a row failed; then one each `rest_s`, until one succeeds."""

    def __init__(
        self, failures: int = FAILURES, rest_s: float = REST_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._failures = failures
        self._rest_s = rest_s
        self._clock = clock
        self._in_a_row = 0
        self._rests_until = 0.0

    def lets_through(self) -> bool:
        """May a call be made now? Each is followed by `succeeded` or `failed`."""
        if self._in_a_row < self._failures:
            return True
        if self._clock() < self._rests_until:
            return False
        self._rests_until = self._clock() + self._rest_s  # the one that tries
        return True

    def succeeded(self) -> None:
        self._in_a_row = 0

    def failed(self) -> None:
        self._in_a_row += 1
        self._rests_until = self._clock() + self._rest_s
