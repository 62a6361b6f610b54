"""Storage has its own threads: other slow work of a process does not delay it."""

from __future__ import annotations

import asyncio
import threading
import time

from frontdesk.storage.transactions import STORAGE_THREADS, in_spool_thread, in_storage_thread

MANY = 64
"""More than the number of threads of any executor here."""


async def test_a_full_default_executor_does_not_hold_up_storage() -> None:
    free = threading.Event()
    slow = [asyncio.create_task(asyncio.to_thread(free.wait, 10)) for _ in range(MANY)]
    await asyncio.sleep(0.1)
    started = time.monotonic()
    assert await in_storage_thread(lambda: 1) + await in_spool_thread(lambda: 2) == 3
    assert time.monotonic() - started < 1.0
    free.set()
    await asyncio.gather(*slow)


async def test_slow_statements_do_not_hold_up_the_spool_which_health_checks_read() -> None:
    free = threading.Event()
    slow = [asyncio.create_task(in_storage_thread(lambda: free.wait(10))) for _ in range(STORAGE_THREADS + 1)]
    await asyncio.sleep(0.1)
    started = time.monotonic()
    assert await in_spool_thread(lambda: 2) == 2
    assert time.monotonic() - started < 1.0
    free.set()
    await asyncio.gather(*slow)
