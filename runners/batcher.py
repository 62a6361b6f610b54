"""Adaptive batching without a waiting window: an idle model runs at once with what waits, a busy one collects.

One worker thread runs one batch at a time, so a model needs no lock. Batches grow with load by themselves: while one
runs, the next collects. What has expired is dropped before it costs a forward pass; an item that raises is run alone,
so that it cannot fail its neighbours; when too much waits, new work is refused at once with a time to come back.

Knows nothing of models: `run` maps a list of items to a list of results.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from frontdesk.deadline import Deadline
from frontdesk.errors import DeadlineExceeded, Overloaded

Item = TypeVar("Item")
Result = TypeVar("Result")

FIRST_GUESS_S_PER_ITEM = 0.005
SMOOTHING = 0.2


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[Item, Result]):
    item: Item
    deadline: Deadline
    outcome: asyncio.Future[Result]


class Batcher(Generic[Item, Result]):
    """Serves one event loop.

    Args:
        run: the model; called in one thread, never twice at once.
        max_batch: the most items in one call.
        max_waiting: the most items that may wait.
    """

    def __init__(self, run: Callable[[Sequence[Item]], Sequence[Result]], *, max_batch: int, max_waiting: int) -> None:
        self._run = run
        self._max_batch = max_batch
        self._max_waiting = max_waiting
        self._waiting: deque[_Waiting[Item, Result]] = deque()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model")
        self._busy = False
        self._s_per_item = FIRST_GUESS_S_PER_ITEM
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    async def submit(self, items: Sequence[Item], deadline: Deadline) -> list[Result]:
        """Results for `items`, in order.

        Raises:
            Overloaded: when too much waits already.
            DeadlineExceeded: when the deadline passed before an item's turn came.
        """
        if len(self._waiting) + len(items) > self._max_waiting:
            raise Overloaded(
                "The models have more waiting than they can answer in time.",
                retry_after_s=max(1.0, len(self._waiting) * self._s_per_item),
                hint="Try again after the time in Retry-After.",
            )
        loop = asyncio.get_running_loop()
        waiting = [_Waiting(item, deadline, loop.create_future()) for item in items]
        self._waiting.extend(waiting)
        if not self._busy:
            self._busy = True
            task = loop.create_task(self._drain())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            return [await entry.outcome for entry in waiting]
        finally:
            for entry in waiting:
                _forget(entry.outcome)

    async def close(self) -> None:
        """Finish what was accepted, then stop the thread."""
        while self._tasks:
            await asyncio.gather(*self._tasks)
        self._thread.shutdown(wait=True)

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while batch := self._next_batch():
                started = loop.time()
                outcomes = await loop.run_in_executor(self._thread, self._attempt, [entry.item for entry in batch])
                took = (loop.time() - started) / len(batch)
                self._s_per_item += SMOOTHING * (took - self._s_per_item)
                for entry, outcome in zip(batch, outcomes, strict=True):
                    if entry.outcome.done():
                        continue
                    if isinstance(outcome, Exception):
                        entry.outcome.set_exception(outcome)
                    else:
                        entry.outcome.set_result(outcome)
        finally:
            self._busy = False

    def _next_batch(self) -> list[_Waiting[Item, Result]]:
        """Take what waits, oldest first; the cancelled are forgotten, the expired are told so."""
        batch: list[_Waiting[Item, Result]] = []
        while self._waiting and len(batch) < self._max_batch:
            entry = self._waiting.popleft()
            if entry.outcome.done():
                continue
            if entry.deadline.remaining_s() <= 0:
                entry.outcome.set_exception(DeadlineExceeded("The deadline passed before the models were free."))
                continue
            batch.append(entry)
        return batch

    def _attempt(self, items: Sequence[Item]) -> list[Result | Exception]:
        """Run the batch; where it fails, each item alone, so that only the bad one carries the error."""
        try:
            return list(self._run(items))
        except Exception as error:  # noqa: BLE001 - whatever a model raises is its caller's, and the queue must go on
            if len(items) == 1:
                return [error]
            return [outcome for item in items for outcome in self._attempt([item])]


def _forget(outcome: asyncio.Future[Result]) -> None:
    """A caller that has gone wants no result, and asyncio shall not warn of an exception that nobody fetched."""
    if not outcome.done():
        outcome.cancel()
    elif not outcome.cancelled():
        outcome.exception()
