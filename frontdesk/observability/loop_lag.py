"""How long the event loop of a worker is held: a task asks to be woken every few milliseconds and notes how late it is.

A loop that is held answers nothing: no request, no health check, no heartbeat. The lateness is the length of the stall
less at most `INTERVAL_S`. The task costs about 0.2 % of a core.
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
        observe: told the lateness of each wake-up, in seconds.
        tell_longest: told the longest lateness of the last `WINDOW_S` to twice that, whenever it changes.
    """

    def __init__(self, observe: Callable[[float], None], tell_longest: Callable[[float], None]) -> None:
        self._observe = observe
        self._tell_longest = tell_longest
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._measure(), name="loop lag")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _measure(self) -> None:
        before = now = told = 0.0
        window_ends = time.monotonic() + WINDOW_S
        while True:
            asked = time.monotonic()
            await asyncio.sleep(INTERVAL_S)
            woken = time.monotonic()
            lag = max(0.0, woken - asked - INTERVAL_S)
            self._observe(lag)
            now = max(now, lag)
            if woken >= window_ends:
                before, now, window_ends = now, 0.0, woken + WINDOW_S
            if (longest := max(before, now)) != told:
                self._tell_longest(longest)
                told = longest
