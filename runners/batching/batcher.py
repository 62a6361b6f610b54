"""Adaptive batching without a waiting window: an idle model runs at once with what waits, a busy one collects.

One thread runs one batch at a time, so a model needs no lock, and takes the next batch by itself, so that the model
does not idle while the event loop is busy. Batches grow with load: while one runs, the next collects. A batch that
raises is split and its halves are run again, so that a failing item fails alone.

`scheduler.py` decides what runs next and what is refused. Knows nothing of models: `run` maps items to results.
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
from runners.batching.scheduler import BatchLimits, ItemShape, Scheduler, WorkItem

Item = TypeVar("Item")
Result = TypeVar("Result")

PAUSE_SHARE, MAX_PAUSE_S = 0.1, 0.006
"""After a batch of several, at most this share of its time passes before the next: those whose answers it brought ask
again, and join what waits. With 64 in flight that makes batches of 32 out of 16 and 16, and takes 5 % off the CPU of a
text (measured). A lone message is never followed by a pause."""

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
"""An item as the schedule holds it: its call, and its place in it."""


class Batcher(Generic[Item, Result]):
    """Serves one event loop.

    Args:
        run: the model; called in one thread, never twice at once, with items of one lane.
        limits: of a batch and of the queue.
        shape: an item's lane and length; by default all are alike.
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
        self._lock = threading.Lock()  # of the schedule, and of the two flags
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
        """How long what comes now would wait."""
        return self._scheduler.wait_s

    def check_room(self) -> None:
        """Raise `Overloaded` where another item would be refused whatever its deadline."""
        self._scheduler.check_room()

    def check_time(self, tokens: Sequence[int], deadline: Deadline) -> None:
        """Raise `Overloaded` if items with these numbers of tokens would be refused."""
        with self._lock:
            self._scheduler.check_time(tokens, deadline.at, time.monotonic())

    async def submit(self, items: Sequence[Item], deadline: Deadline, *, bulk: bool = False) -> list[Result]:
        """Results for `items`, in order. `bulk` work lets other work pass.

        Raises:
            Overloaded: when too much waits already.
            DeadlineExceeded: when the deadline passed before an item's turn came.
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
            if call.left:  # the caller has gone, or an item failed or expired: nobody wants the others
                for work in work_items:
                    work.abandoned = True

    async def close(self) -> None:
        """Finish what was accepted, then stop the thread."""
        with self._lock:
            self._is_closing = True
        self._wake.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run_batches(self) -> None:
        """The thread. A handover through a plain queue costs half of what an executor's futures cost (measured)."""
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
            if len(batch) > 1:  # the event loop needs this time anyway, to hand the answers out
                time.sleep(min(PAUSE_SHARE * took_s, MAX_PAUSE_S))

    def _next_batch(self) -> list[WorkItem[_Entry[Item, Result]]] | None:
        """What to run; nothing where nothing waits; None when it is time to stop."""
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
        """Run the batch; where it fails, each half, down to the item that carries the error."""
        try:
            return list(self._run(items))
        except FrontdeskError as error:  # a part that all items need is away: no item's fault
            return [error] * len(items)
        except Exception as error:  # noqa: BLE001 - whatever a model raises is its caller's, and the queue must go on
            if len(items) == 1:
                return [error]
            half = len(items) // 2
            return self._run_split(items[:half]) + self._run_split(items[half:])


def _deliver(
    batch: Sequence[WorkItem[_Entry[Item, Result]]], outcomes: Sequence[Result | Exception] | Sequence[DeadlineExceeded]
) -> None:
    """Give each call its results, in the loop that it waits in, with one call into it for the whole batch."""
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
            call.outcome.set_result(call.results)  # type: ignore[arg-type]  # every place has been filled
