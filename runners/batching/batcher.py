"""Adaptive batching without a waiting window: an idle model runs immediately; while it is busy, items collect.

One thread runs one batch at a time, so a model needs no lock. The thread takes the next batch itself, so the model is
not idle while the event loop is busy. Batches grow with load, because items collect while a batch runs. A batch that
raises is split and its halves run again, so that a failing item fails alone.

`scheduler.py` decides which items run next and which are refused. Independent of models: `run` maps items to results.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Generic, TypeVar

from frontdesk.deadline import Deadline
from frontdesk.errors import DeadlineExceeded, FrontdeskError
from runners.batching.scheduler import BatchLimits, BulkPrediction, ItemShape, Scheduler, WorkItem

Item = TypeVar("Item")
Result = TypeVar("Result")

PAUSE_SHARE, MAX_PAUSE_S = 0.1, 0.006
"""Pause after a batch of several items, as a share of its run time and in seconds at most. Clients that have just been
answered send their next requests, which join the waiting items. With 64 requests in flight, batches have 32 items
instead of 16, and a text costs 5 % less CPU (measured). There is no pause after a batch of one item."""

_SAME_SHAPE = ItemShape(lane="", tokens=1)


class _Call(Generic[Item, Result]):
    """One caller's items, and the future of their results."""

    __slots__ = ("items", "left", "loop", "outcome", "results")

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        self.results: list[Result | None] = [None] * len(items)
        self.left = len(items)
        self.loop = asyncio.get_running_loop()
        self.outcome: asyncio.Future[list[Result]] = self.loop.create_future()


_Entry = tuple[_Call[Item, Result], int]
"""An entry of the scheduler: the call, and the index of an item in it."""


class Batcher(Generic[Item, Result]):
    """Batches items of one event loop.

    Args:
        run: the model; called in one thread, never concurrently, with items of one lane.
        limits: of a batch and of the queue.
        shape: returns lane and length of an item; by default they are the same for all items.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Item]], Sequence[Result]],
        limits: BatchLimits,
        shape: Callable[[Item], ItemShape] = lambda _: _SAME_SHAPE,
    ) -> None:
        self._run = run
        self._shape = shape
        self._scheduler: Scheduler[_Entry[Item, Result]] = Scheduler(limits)
        self._lock = threading.Lock()  # guards the scheduler and the two flags
        self._is_idle = False
        self._is_closing = False
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run_batches, name="model", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        return len(self._scheduler)

    @property
    def wait_s(self) -> float:
        """Expected waiting time of a new item, in seconds."""
        return self._scheduler.wait_s

    def check_room(self, items: int = 1, *, bulk: bool = False) -> None:
        """Raise `Overloaded` if this many more items would be refused regardless of their deadline."""
        self._scheduler.check_room(items, bulk=bulk)

    def predict_bulk(self, costs_s: Sequence[float], deadline: Deadline) -> BulkPrediction:
        """Predict when bulk items with these costs in seconds would be done."""
        with self._lock:
            return self._scheduler.predict_bulk(costs_s, deadline.at, time.monotonic())

    async def submit(self, items: Sequence[Item], deadline: Deadline, *, bulk: bool = False) -> list[Result]:
        """Return the results of `items`, in order. `bulk` items have a lower priority.

        Raises:
            Overloaded: too many items are waiting.
            DeadlineExceeded: the deadline passed before an item was run.
        """
        call: _Call[Item, Result] = _Call(items)
        work_items = [
            WorkItem((call, index), self._shape(item), deadline.at, bulk=bulk) for index, item in enumerate(items)
        ]
        with self._lock:
            self._scheduler.admit(work_items, time.monotonic())
            is_idle, self._is_idle = self._is_idle, False
        if is_idle:
            self._wake.put(None)
        try:
            return await call.outcome
        finally:
            if call.left:  # the caller was cancelled, or an item failed or expired: the others are not needed
                for work in work_items:
                    work.abandoned = True

    async def close(self) -> None:
        """Finish accepted items, then stop the thread."""
        with self._lock:
            self._is_closing = True
        self._wake.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run_batches(self) -> None:
        """Run batches, in the thread. A plain queue costs half as much as the futures of an executor (measured)."""
        while (batch := self._next_batch()) is not None:
            if not batch:
                self._wake.get()
                continue
            started = time.perf_counter()
            outcomes = self._run_split([call.items[index] for call, index in (work.item for work in batch)])
            took_s = time.perf_counter() - started
            with self._lock:
                self._scheduler.record_run(took_s)
            _deliver(batch, outcomes)
            if len(batch) > 1:  # the event loop needs this time to deliver the answers
                time.sleep(min(PAUSE_SHARE * took_s, MAX_PAUSE_S))

    def _next_batch(self) -> list[WorkItem[_Entry[Item, Result]]] | None:
        """Return the next batch, which is empty if no item waits; None when the thread must stop."""
        with self._lock:
            selection = self._scheduler.next_batch(time.monotonic())
            if self._is_closing and not selection.batch and not len(self._scheduler):
                return None
            self._is_idle = not selection.batch
        if selection.expired:
            error = DeadlineExceeded("The deadline passed before the models were free.")
            _deliver(selection.expired, [error] * len(selection.expired))
        return selection.batch

    def _run_split(self, items: Sequence[Item]) -> list[Result | Exception]:
        """Run a batch. If it fails, run its halves, down to the failing item."""
        try:
            return list(self._run(items))
        except FrontdeskError as error:  # a service that all items need is unavailable
            return [error] * len(items)
        except Exception as error:  # noqa: BLE001 - any error of a model is raised in its caller, and the queue must go on
            if len(items) == 1:
                return [error]
            half = len(items) // 2
            return self._run_split(items[:half]) + self._run_split(items[half:])


def _deliver(
    batch: Sequence[WorkItem[_Entry[Item, Result]]], outcomes: Sequence[Result | Exception] | Sequence[DeadlineExceeded]
) -> None:
    """Deliver the results in the event loop of the calls, with one callback for the whole batch."""
    call, _ = batch[0].item
    if not call.loop.is_closed():
        call.loop.call_soon_threadsafe(_set_results, batch, outcomes)


def _set_results(batch: Sequence[WorkItem[_Entry[Item, Result]]], outcomes: Sequence[Result | Exception]) -> None:
    for work, outcome in zip(batch, outcomes, strict=True):
        call, index = work.item
        if call.outcome.done():
            continue
        if isinstance(outcome, Exception):
            call.outcome.set_exception(outcome)
            continue
        call.results[index] = outcome
        call.left -= 1
        if not call.left:
            call.outcome.set_result(call.results)  # type: ignore[arg-type]  # all results are set
