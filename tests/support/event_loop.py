"""Measure how long code blocks the event loop of a test."""

from __future__ import annotations

import asyncio
import gc
import time


async def longest_stall(ends: asyncio.Event) -> float:
    """Return the longest pass of the running loop until `ends` is set, in seconds of CPU time of its thread.

    The objects that exist are frozen meanwhile, as in a server: the garbage collector would take 0.1 s for them.
    """
    longest = 0.0
    gc.collect()
    gc.freeze()
    try:
        while not ends.is_set():
            before = time.thread_time()
            await asyncio.sleep(0)
            longest = max(longest, time.thread_time() - before)
    finally:
        gc.unfreeze()
    return longest
