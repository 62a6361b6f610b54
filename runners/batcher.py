"""Adaptive batching without a waiting window: an idle model runs at once with what waits, a busy one collects.

One thread runs one batch at a time, so a model needs no lock. Batches grow with load by themselves: while one runs,
the next collects. What has expired is dropped before it costs a forward pass; an item that raises is run alone,
so that it cannot fail its neighbours; when too much waits, new work is refused at once with a time to come back.

Knows nothing of models: `run` maps a list of items to a list of results.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
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


@dataclass(frozen=True, slots=True)
class _Call(Generic[Item, Result]):
    loop: asyncio.AbstractEventLoop
    batch: list[_Waiting[Item, Result]]


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
        self._calls: SimpleQueue[_Call[Item, Result] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="model", daemon=True)
        self._thread.start()
        self._idle = asyncio.Event()
        self._idle.set()
        self._s_per_item = FIRST_GUESS_S_PER_ITEM

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
        if self._idle.is_set():
            self._start_next(loop)
        try:
            return [await entry.outcome for entry in waiting]
        finally:
            for entry in waiting:
                _forget(entry.outcome)

    async def close(self) -> None:
        """Finish what was accepted, then stop the thread."""
        await self._idle.wait()
        self._calls.put(None)
        await asyncio.to_thread(self._thread.join)

    def _start_next(self, loop: asyncio.AbstractEventLoop) -> None:
        """Hand what waits to the thread; with nothing waiting, the model is idle."""
        if batch := self._next_batch():
            self._idle.clear()
            self._calls.put(_Call(loop, batch))
        else:
            self._idle.set()

    def _work(self) -> None:
        """The thread: a handover through a plain queue costs half of what an executor's futures cost (measured)."""
        while (call := self._calls.get()) is not None:
            started = time.perf_counter()
            outcomes = self._attempt([entry.item for entry in call.batch])
            took = time.perf_counter() - started
            call.loop.call_soon_threadsafe(self._finish, call, outcomes, took)

    def _finish(self, call: _Call[Item, Result], outcomes: Sequence[Result | Exception], took_s: float) -> None:
        """In the event loop again: start the next batch first, then wake those who waited for this one."""
        self._s_per_item += SMOOTHING * (took_s / len(call.batch) - self._s_per_item)
        self._start_next(call.loop)
        for entry, outcome in zip(call.batch, outcomes, strict=True):
            if entry.outcome.done():
                continue
            if isinstance(outcome, Exception):
                entry.outcome.set_exception(outcome)
            else:
                entry.outcome.set_result(outcome)

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
