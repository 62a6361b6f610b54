"""The scheduling decisions of the batcher: which items run next, and which are refused or expired.

Interactive items run before bulk items, but while both wait, every `BULK_TURN`th batch is a bulk batch, so no item
starves. Items of one kind are ordered by deadline. The most urgent item opens a batch. Urgent items of similar length
join it, up to a limit of tokens, because short texts are padded to the length of the longest (measured: texts of mixed
lengths run at 590-700 texts/s in order of arrival, and at 1,026 sorted by length). A bulk batch takes at most about
`MAX_BULK_RUN_S`, because an interactive item may have to wait for it. New items are refused if the queue is full, or if
they would miss their deadline, by their cost and the recent speed.

Pure decisions: time is a parameter, and there are no threads, event loops or models.
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Generic, NamedTuple, TypeVar

from frontdesk.errors import Overloaded

Item = TypeVar("Item")

BULK_TURN = 4
MAX_BULK_RUN_S = 0.25
LOOK_AHEAD = 4
"""Texts of similar length are searched in this many batches of the most urgent items."""
INITIAL_S_PER_TOKEN = 0.0002
SMOOTHING = 0.2
BULK_TIME_SHARE = 0.9
"""Share of the time until its deadline in which a bulk request must be predicted to be done."""
MIN_SLOWNESS = 0.01
MIN_ADMITTED_BULK = 8
"""Bulk items that an idle model admits regardless of its recent speed, so that a bad estimate cannot persist."""
MIN_RETRY_AFTER_S = 1.0


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """Limits of a batch, `max_batch` items and `max_tokens` tokens including padding, and of the queue.

    New items are refused while `max_waiting` items wait, or the waiting items would take longer than `max_wait_s`.
    Waiting bulk items do not count for interactive ones, which overtake them.
    """

    max_batch: int
    max_waiting: int
    max_tokens: int = 1_000_000_000
    max_wait_s: float = math.inf


@dataclass(frozen=True, slots=True)
class ItemShape:
    """Lane, length and cost of an item.

    Only items of the same `lane` can run in one batch; `tokens` is the length. `cost_s` is the time of the item alone
    at normal speed, in seconds.
    """

    lane: Hashable
    tokens: int
    cost_s: float | None = None

    @property
    def predicted_s(self) -> float:
        """`cost_s`, or a rough estimate from the length."""
        return self.tokens * INITIAL_S_PER_TOKEN if self.cost_s is None else self.cost_s


@dataclass(eq=False, slots=True)
class WorkItem(Generic[Item]):
    """A waiting item. `deadline` is in seconds of the scheduler's clock; `abandoned` if no caller waits for it."""

    item: Item
    shape: ItemShape
    deadline: float
    bulk: bool = False
    abandoned: bool = field(default=False, init=False)


@dataclass(frozen=True, slots=True)
class NextBatch(Generic[Item]):
    """The items to run now, and the items that expired while waiting. Both are empty if no item waits."""

    batch: list[WorkItem[Item]]
    expired: list[WorkItem[Item]]


class BulkPrediction(NamedTuple):
    """Prediction for a bulk request: number of items, from the first, that are done in time, and times in seconds."""

    in_time: int
    needed_s: float
    available_s: float


class _DeadlineQueue(Generic[Item]):
    """Waiting items of one kind, by deadline, then by arrival.

    `cost_s` is the sum of their costs, `slowness` the recent time of a batch of this kind, as a multiple of its cost.
    The kinds differ: while a core is free, two cores share the batches of interactive items.
    """

    def __init__(self) -> None:
        self.items: list[WorkItem[Item]] = []
        self.cost_s = 0.0
        self.slowness = 1.0

    @property
    def wait_s(self) -> float:
        """Expected time for all waiting items, in seconds."""
        return self.cost_s * self.slowness

    def add(self, work: WorkItem[Item]) -> None:
        insort(self.items, work, key=_deadline)
        self.cost_s += work.shape.predicted_s

    def wait_before_s(self, deadline: float) -> float:
        """Return the expected time for the items that run before a new item with this deadline."""
        later = self.items[bisect_right(self.items, deadline, key=_deadline) :]
        return (self.cost_s - sum(work.shape.predicted_s for work in later)) * self.slowness

    def candidates(self, now: float, limit: int) -> tuple[list[WorkItem[Item]], list[WorkItem[Item]]]:
        """Return the first `limit` items, and those that expired before. Removes expired and abandoned items."""
        candidates: list[WorkItem[Item]] = []
        dropped: list[WorkItem[Item]] = []
        for work in self.items:
            if len(candidates) == limit:
                break
            (dropped if work.abandoned or work.deadline <= now else candidates).append(work)
        if dropped:
            self.remove(dropped, len(candidates) + len(dropped))
        return candidates, [work for work in dropped if not work.abandoned]

    def remove(self, works: Sequence[WorkItem[Item]], examined: int) -> None:
        """Remove items that are among the first `examined`."""
        removed = set(map(id, works))
        self.items[:examined] = [work for work in self.items[:examined] if id(work) not in removed]
        self.cost_s -= sum(work.shape.predicted_s for work in works)
        if not self.items:
            self.cost_s = 0.0  # without the rounding errors


class Scheduler(Generic[Item]):
    """The queue of one model. Not thread-safe."""

    def __init__(self, limits: BatchLimits) -> None:
        self._limits = limits
        self._interactive: _DeadlineQueue[Item] = _DeadlineQueue()
        self._bulk: _DeadlineQueue[Item] = _DeadlineQueue()
        self._interactive_runs = 0  # since the last bulk batch
        self._running_cost_s = 0.0  # of the running batch
        self._running_queue = self._interactive  # of the running batch

    def __len__(self) -> int:
        return len(self._interactive.items) + len(self._bulk.items)

    @property
    def wait_s(self) -> float:
        """Expected time until everything that waits or runs is done, in seconds."""
        return self._interactive.wait_s + self._bulk.wait_s + self._running_s

    @property
    def _running_s(self) -> float:
        return self._running_cost_s * self._running_queue.slowness

    def check_room(self, items: int = 1, *, bulk: bool = False) -> None:
        """Raise `Overloaded` if this many more items exceed the limits of the queue."""
        waiting = len(self) if bulk else len(self._interactive.items)
        wait_s = self.wait_s if bulk else self._interactive.wait_s + self._running_s
        if (waiting and wait_s > self._limits.max_wait_s) or waiting + items > self._limits.max_waiting:
            raise _overloaded("The models have more waiting than they can answer in time.", wait_s)

    def predict_bulk(self, costs_s: Sequence[float], deadline: float, now: float) -> BulkPrediction:
        """Predict when bulk items with these costs would be done, and how many of them before their deadline."""
        available_s = (deadline - now) * BULK_TIME_SHARE
        ahead_s = self._interactive.wait_s + self._bulk.wait_before_s(deadline) + self._running_s
        done_s = [ahead_s + cost_s * self._bulk.slowness for cost_s in accumulate(costs_s)]
        in_time = bisect_right(done_s, available_s)
        if not len(self) and not self._running_cost_s:
            in_time = max(in_time, min(len(costs_s), MIN_ADMITTED_BULK))
        return BulkPrediction(in_time, done_s[-1], max(available_s, 0.0))

    def admit(self, work_items: list[WorkItem[Item]], now: float) -> None:
        """Add all items, which have the same deadline and priority, or none. An idle model admits everything.

        Raises:
            Overloaded: the queue is full, or the items would miss their deadline.
        """
        first = work_items[0]
        if len(self) or self._running_cost_s:
            self.check_room(len(work_items), bulk=first.bulk)
            self._check_deadline(first, sum(work.shape.predicted_s for work in work_items), now)
        queue = self._bulk if first.bulk else self._interactive
        for work in work_items:
            queue.add(work)

    def next_batch(self, now: float) -> NextBatch[Item]:
        """Return the next batch, which counts as running until `record_run`. Drop abandoned and expired items."""
        queues = [self._interactive, self._bulk]
        if self._bulk.items and self._interactive_runs >= BULK_TURN - 1:
            queues.reverse()
        batch: list[WorkItem[Item]] = []
        expired: list[WorkItem[Item]] = []
        for queue in queues:
            candidates, late = queue.candidates(now, LOOK_AHEAD * self._limits.max_batch)
            expired += late
            if candidates:
                batch = self._select_batch(candidates)
                queue.remove(batch, len(candidates))
                self._running_queue = queue
                break
        if batch:
            self._interactive_runs = 0 if batch[0].bulk else self._interactive_runs + 1
        self._running_cost_s = sum(work.shape.predicted_s for work in batch)
        return NextBatch(batch, expired)

    def record_run(self, took_s: float) -> None:
        """Record that the last batch has run, in `took_s` seconds."""
        if self._running_cost_s:
            queue = self._running_queue
            queue.slowness += SMOOTHING * (took_s / self._running_cost_s - queue.slowness)
        self._running_cost_s = 0.0

    def _select_batch(self, candidates: list[WorkItem[Item]]) -> list[WorkItem[Item]]:
        """Select the most urgent item and the items of its lane with the most similar length, within the limits."""
        first = candidates[0]
        lane, tokens = first.shape.lane, first.shape.tokens
        others = [work for work in candidates[1:] if work.shape.lane == lane]
        if len(others) >= self._limits.max_batch:
            others.sort(key=lambda work: abs(work.shape.tokens - tokens))
        max_cost_s = MAX_BULK_RUN_S / max(self._bulk.slowness, MIN_SLOWNESS) if first.bulk else math.inf
        batch, longest, cost_s = [first], tokens, first.shape.predicted_s
        for work in others:
            padded = max(longest, work.shape.tokens) * (len(batch) + 1)
            if len(batch) == self._limits.max_batch:
                break
            if padded <= self._limits.max_tokens and cost_s + work.shape.predicted_s <= max_cost_s:
                batch.append(work)
                longest = max(longest, work.shape.tokens)
                cost_s += work.shape.predicted_s
        return batch

    def _check_deadline(self, first: WorkItem[Item], own_s: float, now: float) -> None:
        """Check that items with the deadline of `first` and a cost of `own_s` would be done in time."""
        if first.bulk:
            ahead_s = self._interactive.wait_s + self._bulk.wait_before_s(first.deadline)
        else:
            ahead_s = self._interactive.wait_before_s(first.deadline)
        ready_s = ahead_s + self._running_s + own_s * (self._bulk if first.bulk else self._interactive).slowness
        if now + ready_s > first.deadline:
            raise _overloaded("The models would not be done with this before its deadline.", ready_s)


def _deadline(work: WorkItem[Item]) -> float:
    return work.deadline


def _overloaded(message: str, after_s: float) -> Overloaded:
    return Overloaded(
        message,
        retry_after_s=max(MIN_RETRY_AFTER_S, after_s),
        hint="Try again after the time in Retry-After.",
    )
