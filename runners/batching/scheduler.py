"""What runs next, what is refused and what is too late: the batcher's decisions, as a function of values and a clock.

Waiting work is ordered by deadline, bulk work as if it had `BULK_DELAY_S` more time: what a person waits for overtakes
it, but nothing starves. The most urgent work opens a batch; of what is urgent after it, that of similar length joins,
under a budget of tokens, because a short text in the company of a long one is padded to its length (FACTS: mixed
lengths 590-700 texts/s as they come, 1,026 sorted). New work is refused when the queue is full, or when by the time per
token of late it could not be done before its deadline: better to know at once than after waiting for nothing.

Knows nothing of threads, event loops or models.
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
"""How many batches' worth of the most urgent work is searched for texts of similar length."""
INITIAL_S_PER_TOKEN = 0.0002
SMOOTHING = 0.2
MIN_RETRY_AFTER_S = 1.0


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """`max_batch` items and `max_tokens` tokens, padding counted, in one batch.

    Nothing new is taken while `max_waiting` items wait, or while what waits would take longer than `max_wait_s`.
    """

    max_batch: int
    max_waiting: int
    max_tokens: int = 1_000_000_000
    max_wait_s: float = math.inf


@dataclass(frozen=True, slots=True)
class ItemShape:
    """What the schedule knows of an item: items of one `lane` can run together, `tokens` says how long it is."""

    lane: Hashable
    tokens: int


@dataclass(eq=False, slots=True)
class WorkItem(Generic[Item]):
    """An item that waits. `deadline` is a moment of the schedule's clock in seconds; `abandoned` when nobody waits."""

    item: Item
    shape: ItemShape
    deadline: float
    bulk: bool = False
    abandoned: bool = field(default=False, init=False)

    @property
    def urgency(self) -> float:
        """Smaller is sooner."""
        return self.deadline + BULK_DELAY_S if self.bulk else self.deadline


@dataclass(frozen=True, slots=True)
class NextBatch(Generic[Item]):
    """What to run now, and what expired while it waited. Both empty: nothing waits."""

    batch: list[WorkItem[Item]]
    expired: list[WorkItem[Item]]


class Scheduler(Generic[Item]):
    """The queue in front of one model. Not for several threads at once."""

    def __init__(self, limits: BatchLimits) -> None:
        self._limits = limits
        self._queue: list[WorkItem[Item]] = []  # by urgency, equals in the order of their arrival
        self._tokens = 0  # of the queue
        self._running = 0  # tokens of the batch that runs
        self._s_per_token = INITIAL_S_PER_TOKEN

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def wait_s(self) -> float:
        """How long what comes now would wait, if it came last."""
        return (self._tokens + self._running) * self._s_per_token

    def check_room(self, items: int = 1) -> None:
        """Raises `Overloaded` where so many more are too many to wait, or would wait for too long."""
        too_long = bool(self._queue) and self.wait_s > self._limits.max_wait_s
        if too_long or len(self._queue) + items > self._limits.max_waiting:
            raise _overloaded("The models have more waiting than they can answer in time.", self.wait_s)

    def check_time(self, tokens: Sequence[int], deadline: float, now: float) -> None:
        """Check before bulk work is prepared that work with these numbers of tokens would be admitted.

        An idle model admits everything.

        Raises:
            Overloaded: the queue is full, or the work would miss its deadline.
        """
        if self._queue or self._running:
            self.check_room(len(tokens))
            self._check_deadline(self._completion_time_s(deadline + BULK_DELAY_S, sum(tokens)), deadline, now)

    def admit(self, work_items: list[WorkItem[Item]], now: float) -> None:
        """Take all of `work_items`, which share deadline and kind, or none. An idle model takes anything.

        Raises:
            Overloaded: the queue is full, or these would not be done before their deadline.
        """
        if self._queue or self._running:
            self.check_room(len(work_items))
            tokens = sum(work.shape.tokens for work in work_items)
            self._check_deadline(self._completion_time_s(work_items[0].urgency, tokens), work_items[0].deadline, now)
        for work in work_items:
            insort(self._queue, work, key=_urgency)
            self._tokens += work.shape.tokens

    def next_batch(self, now: float) -> NextBatch[Item]:
        """The next batch, which counts as running until `record_run` is called. Forgotten and expired work is dropped."""
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
        """The batch of the last `next_batch` has run for `took_s` seconds."""
        if self._running:
            self._s_per_token += SMOOTHING * (took_s / self._running - self._s_per_token)
        self._running = 0

    def _select_batch(self, candidates: list[WorkItem[Item]]) -> list[WorkItem[Item]]:
        """The most urgent, and those of its lane that are nearest to it in length, as many as the limits allow."""
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
        """Return the seconds until work of `own` tokens would be done, after running and more urgent work."""
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
