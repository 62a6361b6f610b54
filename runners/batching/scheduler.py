"""The scheduling decisions of the batcher: which items run next, and which are refused or expired.

Waiting items are ordered by deadline; the deadline of bulk items is `BULK_DELAY_S` later, so interactive requests
overtake them, but no item starves. The most urgent item opens a batch. Urgent items of similar length join it, up to a
limit of tokens, because short texts are padded to the length of the longest (measured: texts of mixed lengths run at
590-700 texts/s in order of arrival, and at 1,026 sorted by length). New items are refused if the queue is full, or if
the recent time per token shows that they would miss their deadline.

Pure decisions: time is a parameter, and there are no threads, event loops or models.
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from frontdesk.errors import Overloaded

Item = TypeVar("Item")

BULK_DELAY_S = 2.0
LOOK_AHEAD = 4
"""Texts of similar length are searched in this many batches of the most urgent items."""
INITIAL_S_PER_TOKEN = 0.0002
SMOOTHING = 0.2
MIN_RETRY_AFTER_S = 1.0


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """Limits of a batch, `max_batch` items and `max_tokens` tokens including padding, and of the queue.

    New items are refused while `max_waiting` items wait, or the waiting items would take longer than `max_wait_s`.
    """

    max_batch: int
    max_waiting: int
    max_tokens: int = 1_000_000_000
    max_wait_s: float = math.inf


@dataclass(frozen=True, slots=True)
class ItemShape:
    """Lane and length of an item. Only items of the same `lane` can run in one batch; `tokens` is the length."""

    lane: Hashable
    tokens: int


@dataclass(eq=False, slots=True)
class WorkItem(Generic[Item]):
    """A waiting item. `deadline` is in seconds of the scheduler's clock; `abandoned` if no caller waits for it."""

    item: Item
    shape: ItemShape
    deadline: float
    bulk: bool = False
    abandoned: bool = field(default=False, init=False)

    @property
    def urgency(self) -> float:
        """Sort key; smaller values run first."""
        return self.deadline + BULK_DELAY_S if self.bulk else self.deadline


@dataclass(frozen=True, slots=True)
class NextBatch(Generic[Item]):
    """The items to run now, and the items that expired while waiting. Both are empty if no item waits."""

    batch: list[WorkItem[Item]]
    expired: list[WorkItem[Item]]


class Scheduler(Generic[Item]):
    """The queue of one model. Not thread-safe."""

    def __init__(self, limits: BatchLimits) -> None:
        self._limits = limits
        self._queue: list[WorkItem[Item]] = []  # by urgency, then by arrival
        self._tokens = 0  # in the queue
        self._running = 0  # tokens of the running batch
        self._s_per_token = INITIAL_S_PER_TOKEN

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def wait_s(self) -> float:
        """Expected waiting time of a new item at the end of the queue, in seconds."""
        return (self._tokens + self._running) * self._s_per_token

    def check_room(self, items: int = 1) -> None:
        """Raise `Overloaded` if this many more items exceed the limits of the queue."""
        too_long = bool(self._queue) and self.wait_s > self._limits.max_wait_s
        if too_long or len(self._queue) + items > self._limits.max_waiting:
            raise _overloaded("The models have more waiting than they can answer in time.", self.wait_s)

    def check_time(self, tokens: Sequence[int], deadline: float, now: float) -> None:
        """Check that bulk items with these numbers of tokens would be admitted, before they are prepared.

        An idle model admits everything.

        Raises:
            Overloaded: the queue is full, or the items would miss their deadline.
        """
        if self._queue or self._running:
            self.check_room(len(tokens))
            self._check_deadline(self._completion_time_s(deadline + BULK_DELAY_S, sum(tokens)), deadline, now)

    def admit(self, work_items: list[WorkItem[Item]], now: float) -> None:
        """Add all items, which have the same deadline and priority, or none. An idle model admits everything.

        Raises:
            Overloaded: the queue is full, or the items would miss their deadline.
        """
        if self._queue or self._running:
            self.check_room(len(work_items))
            tokens = sum(work.shape.tokens for work in work_items)
            self._check_deadline(self._completion_time_s(work_items[0].urgency, tokens), work_items[0].deadline, now)
        for work in work_items:
            insort(self._queue, work, key=_urgency)
            self._tokens += work.shape.tokens

    def next_batch(self, now: float) -> NextBatch[Item]:
        """Return the next batch, which counts as running until `record_run`. Drop abandoned and expired items."""
        expired: list[WorkItem[Item]] = []
        candidates: list[WorkItem[Item]] = []
        examined = 0
        for work in self._queue:
            if len(candidates) == LOOK_AHEAD * self._limits.max_batch:
                break
            examined += 1
            if work.abandoned or work.deadline <= now:
                self._tokens -= work.shape.tokens
                if not work.abandoned:
                    expired.append(work)
                continue
            candidates.append(work)
        batch = self._select_batch(candidates)
        if batch or examined > len(candidates):
            selected = set(map(id, batch))
            self._queue[:examined] = [work for work in candidates if id(work) not in selected]
        self._running = sum(work.shape.tokens for work in batch)
        self._tokens -= self._running
        return NextBatch(batch, expired)

    def record_run(self, took_s: float) -> None:
        """Record that the last batch has run, in `took_s` seconds."""
        if self._running:
            self._s_per_token += SMOOTHING * (took_s / self._running - self._s_per_token)
        self._running = 0

    def _select_batch(self, candidates: list[WorkItem[Item]]) -> list[WorkItem[Item]]:
        """Select the most urgent item and the items of its lane with the most similar length, within the limits."""
        if not candidates:
            return []
        first = candidates[0]
        lane, tokens = first.shape.lane, first.shape.tokens
        others = [work for work in candidates[1:] if work.shape.lane == lane]
        if len(others) >= self._limits.max_batch:
            others.sort(key=lambda work: abs(work.shape.tokens - tokens))
        batch, longest = [first], tokens
        for work in others:
            padded = max(longest, work.shape.tokens) * (len(batch) + 1)
            if len(batch) == self._limits.max_batch:
                break
            if padded <= self._limits.max_tokens:
                batch.append(work)
                longest = max(longest, work.shape.tokens)
        return batch

    def _check_deadline(self, ready_s: float, deadline: float, now: float) -> None:
        if now + ready_s > deadline:
            raise _overloaded("The models would not be done with this before its deadline.", ready_s)

    def _completion_time_s(self, urgency: float, own: int) -> float:
        """Return the seconds until an item of `own` tokens is done, after running and more urgent items."""
        position = bisect_right(self._queue, urgency, key=_urgency)
        later_tokens = sum(work.shape.tokens for work in self._queue[position:])
        return (self._tokens - later_tokens + self._running + own) * self._s_per_token


def _urgency(work: WorkItem[Item]) -> float:
    return work.urgency


def _overloaded(message: str, after_s: float) -> Overloaded:
    return Overloaded(
        message,
        retry_after_s=max(MIN_RETRY_AFTER_S, after_s),
        hint="Try again after the time in Retry-After.",
    )
