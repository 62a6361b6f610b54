"""Event loop lag of a worker: a task sleeps for a few milliseconds at a time and measures how late it wakes.

A blocked loop answers no request, health check or heartbeat. The lag is the length of the stall less at most
`INTERVAL_S`. The task costs about 0.2 % of a core.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

INTERVAL_S = 0.01
WINDOW_S = 60.0


class LoopLag:
    """Measures the running loop from `start` to `stop`.

    Args:
        observe: called with the lag of each wake-up, in seconds.
        set_longest: called with the longest lag of the last one to two `WINDOW_S` whenever it changes.
    """

    def __init__(self, observe: Callable[[float], None], set_longest: Callable[[float], None]) -> None:
        self._observe = observe
        self._set_longest = set_longest
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._measure(), name="loop lag")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _measure(self) -> None:
        previous_window = current_window = reported = 0.0
        window_end = time.monotonic() + WINDOW_S
        while True:
            sleep_start = time.monotonic()
            await asyncio.sleep(INTERVAL_S)
            wake_time = time.monotonic()
            lag = max(0.0, wake_time - sleep_start - INTERVAL_S)
            self._observe(lag)
            current_window = max(current_window, lag)
            if wake_time >= window_end:
                previous_window, current_window, window_end = current_window, 0.0, wake_time + WINDOW_S
            if (longest := max(previous_window, current_window)) != reported:
                self._set_longest(longest)
                reported = longest
