"""Event loop lag of a worker: a timer fires every few milliseconds and measures how late it fires.

A blocked loop answers no request, health check or heartbeat. The lag is the length of the stall minus at most
`INTERVAL_S`. The timer costs less than 1 % of a core, even where 50 wake-ups per second are slow (cold caches).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

INTERVAL_S = 0.02
WINDOW_S = 60.0


class LoopLag:
    """Measures the running loop from `start` to `stop`.

    Args:
        observe: called with the lag of each timer, in seconds.
        set_longest: called with the longest lag of the last one to two `WINDOW_S` whenever it changes.
    """

    def __init__(self, observe: Callable[[float], None], set_longest: Callable[[float], None]) -> None:
        self._observe = observe
        self._set_longest = set_longest
        self._timer: asyncio.TimerHandle | None = None
        self._previous_window = self._current_window = self._reported = 0.0
        self._window_end = self._due = 0.0

    def start(self) -> None:
        """Start measuring the running loop. Uses a timer, which costs half as much as a task."""
        loop = asyncio.get_running_loop()
        self._window_end = loop.time() + WINDOW_S
        self._schedule(loop)

    def stop(self) -> None:
        """Stop measuring."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due = loop.time() + INTERVAL_S
        self._timer = loop.call_at(self._due, self._measure, loop)

    def _measure(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        lag = max(0.0, now - self._due)
        self._observe(lag)
        self._current_window = max(self._current_window, lag)
        if now >= self._window_end:
            self._previous_window, self._current_window = self._current_window, 0.0
            self._window_end = now + WINDOW_S
        longest = max(self._previous_window, self._current_window)
        if longest != self._reported:
            self._set_longest(longest)
            self._reported = longest
        self._schedule(loop)
