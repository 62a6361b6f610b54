from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from frontdesk.errors import Overloaded
from runners.batching.scheduler import BatchLimits, ItemShape, NextBatch, Scheduler, WorkItem

LIMITS = BatchLimits(max_batch=4, max_waiting=100, max_tokens=100)


def work(name: str, *, tokens: int = 10, deadline: float = 10.0, lane: str = "", bulk: bool = False) -> WorkItem[str]:
    return WorkItem(name, ItemShape(lane, tokens), deadline, bulk=bulk)


def schedule(*works: WorkItem[str], limits: BatchLimits = LIMITS) -> Scheduler[str]:
    queue: Scheduler[str] = Scheduler(limits)
    for one in works:
        queue.admit([one], now=0.0)
    return queue


def names(selection: NextBatch[str]) -> list[str]:
    return [one.item for one in selection.batch]


def test_nothing_waiting_gives_an_empty_batch() -> None:
    assert schedule().next_batch(0.0) == NextBatch([], [])


def test_the_first_item_runs_first() -> None:
    queue = schedule(*(work(name) for name in "abcdef"))
    assert [names(queue.next_batch(0.0)), names(queue.next_batch(0.0))] == [list("abcd"), list("ef")]


def test_the_earliest_deadline_runs_first() -> None:
    queue = schedule(work("late", deadline=9), work("soon", deadline=1), work("later", deadline=99))
    assert names(queue.next_batch(0.0)) == ["soon", "late", "later"]


def test_interactive_work_runs_before_bulk_work_with_an_earlier_deadline() -> None:
    queue = schedule(work("bulk", deadline=1, bulk=True), work("a person", deadline=10), work("another", deadline=99))
    assert [names(queue.next_batch(0.0)), names(queue.next_batch(0.0))] == [["a person", "another"], ["bulk"]]


def test_every_fourth_batch_is_bulk_work_while_both_kinds_wait() -> None:
    limits = BatchLimits(max_batch=1, max_waiting=100)
    queue = schedule(
        *(work(f"person {n}") for n in range(8)), *(work(f"bulk {n}", bulk=True) for n in range(3)), limits=limits
    )
    order = [names(queue.next_batch(0.0))[0].split()[0] for _ in range(11)]
    assert order == ["person"] * 3 + ["bulk"] + ["person"] * 3 + ["bulk"] + ["person"] * 2 + ["bulk"]


def test_waiting_bulk_work_takes_no_room_of_interactive_work() -> None:
    limits = BatchLimits(max_batch=4, max_waiting=4, max_wait_s=1.0)
    queue: Scheduler[str] = Scheduler(limits)
    queue.admit([WorkItem(f"bulk {n}", ItemShape("", 10, cost_s=0.9), 99.0, bulk=True) for n in range(4)], 0.0)
    queue.check_room()
    with pytest.raises(Overloaded):
        queue.check_room(bulk=True)
    queue.admit([work("a person")], 0.0)
    assert names(queue.next_batch(0.0)) == ["a person"]


def test_a_bulk_batch_is_short_because_interactive_work_may_wait_for_it() -> None:
    works = [WorkItem(str(n), ItemShape("", 10, cost_s=0.1), 99.0, bulk=True) for n in range(4)]
    queue: Scheduler[str] = Scheduler(LIMITS)
    queue.admit(works, 0.0)
    assert names(queue.next_batch(0.0)) == ["0", "1"]


def test_the_size_of_a_batch_that_is_done_in_time_follows_from_costs_and_speed() -> None:
    queue: Scheduler[str] = Scheduler(LIMITS)
    costs = [0.1] * 200

    def in_time() -> int:
        return queue.predict_bulk(costs, deadline=10.0, now=0.0).in_time

    assert queue.predict_bulk(costs, deadline=10.0, now=0.0) == (90, pytest.approx(20.0), pytest.approx(9.0))
    queue.admit([WorkItem("slow", ItemShape("", 10, cost_s=1.0), 99.0)], 0.0)
    assert in_time() == 80
    queue.next_batch(0.0)
    queue.record_run(took_s=6.0)
    assert in_time() == 90
    queue.admit([WorkItem("slow", ItemShape("", 10, cost_s=1.0), 99.0, bulk=True)], 0.0)
    queue.next_batch(0.0)
    queue.record_run(took_s=6.0)  # a fifth of the way from 1 to 6: half as fast
    assert in_time() == 45


def test_an_idle_model_admits_a_few_bulk_items_whatever_its_speed_was() -> None:
    queue = schedule(work("slow", bulk=True))
    queue.next_batch(0.0)
    queue.record_run(took_s=1000.0)
    assert queue.predict_bulk([1.0] * 20, deadline=10.0, now=0.0).in_time == 8
    assert queue.predict_bulk([1.0] * 3, deadline=10.0, now=0.0).in_time == 3


def test_texts_of_similar_length_run_together() -> None:
    lengths = [10, 90, 11, 80, 12, 85, 13, 95]
    queue = schedule(*(work(str(tokens), tokens=tokens) for tokens in lengths), limits=BatchLimits(4, 100, 1000))
    assert names(queue.next_batch(0.0)) == ["10", "11", "12", "13"]
    assert names(queue.next_batch(0.0)) == ["90", "80", "85", "95"]


def test_a_batch_stays_within_the_budget_of_tokens_padding_counted() -> None:
    queue = schedule(work("a", tokens=40), work("b", tokens=10), work("long", tokens=60), work("c", tokens=10))
    assert names(queue.next_batch(0.0)) == ["a", "b"]


def test_a_text_longer_than_the_budget_runs_alone() -> None:
    queue = schedule(work("huge", tokens=5000), work("b"))
    assert names(queue.next_batch(0.0)) == ["huge"]


def test_different_lanes_never_share_a_batch() -> None:
    queue = schedule(work("a", lane="x"), work("b", lane="y"), work("c", lane="x"))
    assert [names(queue.next_batch(0.0)), names(queue.next_batch(0.0))] == [["a", "c"], ["b"]]


def test_expired_items_are_returned_and_abandoned_ones_are_not() -> None:
    gone = work("gone")
    queue = schedule(work("late", deadline=1), gone, work("good"))
    gone.abandoned = True
    selection = queue.next_batch(2.0)
    assert names(selection) == ["good"]
    assert [one.item for one in selection.expired] == ["late"]
    assert len(queue) == 0


def test_a_full_queue_refuses_all_items_of_a_call_with_a_retry_time() -> None:
    queue = schedule(work("a"), work("b"), limits=BatchLimits(max_batch=4, max_waiting=3))
    with pytest.raises(Overloaded) as refused:
        queue.admit([work("c"), work("d")], now=0.0)
    assert refused.value.retry_after_s >= 1
    assert len(queue) == 2


def test_a_queue_that_would_take_too_long_refuses_items_until_it_is_shorter() -> None:
    queue = schedule(work("slow"), limits=BatchLimits(max_batch=1, max_waiting=100, max_wait_s=2.5))
    queue.next_batch(0.0)
    queue.record_run(took_s=5.0)
    for name in "abc":
        queue.admit([work(name, deadline=1000)], now=0.0)
    with pytest.raises(Overloaded):
        queue.admit([work("d", deadline=1000)], now=0.0)
    with pytest.raises(Overloaded):
        queue.check_room()
    for _ in range(3):
        queue.next_batch(0.0)
        queue.record_run(took_s=0.001)
    queue.check_room()


def test_items_that_would_miss_their_deadline_are_refused_immediately() -> None:
    queue = schedule(*(work(str(index), tokens=100) for index in range(8)))
    queue.next_batch(0.0)
    queue.record_run(took_s=10.0)
    with pytest.raises(Overloaded) as refused:
        queue.admit([work("hopeless", deadline=10.0)], now=0.0)
    assert refused.value.retry_after_s > 1
    queue.admit([work("patient", deadline=1000.0)], now=0.0)


def test_urgent_items_are_not_refused_because_of_items_that_they_overtake() -> None:
    queue = schedule(work("running", tokens=1), *(work(str(index), tokens=100, deadline=999) for index in range(8)))
    queue.next_batch(0.0)
    queue.record_run(took_s=0.2)
    queue.admit([work("urgent", tokens=1, deadline=1.0)], now=0.0)
    assert names(queue.next_batch(0.0))[0] == "urgent"


def test_an_idle_model_admits_everything_so_that_a_bad_estimate_cannot_persist() -> None:
    queue = schedule(work("slow"))
    queue.next_batch(0.0)
    queue.record_run(took_s=1000.0)
    queue.admit([work("next", deadline=0.5)], now=0.0)
    assert names(queue.next_batch(0.0)) == ["next"]
    queue.record_run(took_s=0.01)


@given(st.lists(st.tuples(st.integers(1, 60), st.floats(1, 9)), min_size=1, max_size=60))
def test_the_most_urgent_is_always_in_the_next_batch(waiting: list[tuple[int, float]]) -> None:
    queue = schedule(*(work(str(index), tokens=t, deadline=d) for index, (t, d) in enumerate(waiting)))
    order = sorted(range(len(waiting)), key=lambda index: waiting[index][1])
    left = [str(index) for index in order]
    while selection := names(queue.next_batch(0.0)):
        assert selection[0] == left[0]
        left = [name for name in left if name not in selection]
    assert left == []


@dataclass
class Seen:
    admitted: set[int] = field(default_factory=set)
    answered: list[int] = field(default_factory=list)
    abandoned: set[int] = field(default_factory=set)


class AnyOrder(RuleBasedStateMachine):
    """For any sequence of events: each admitted item is returned exactly once or was abandoned, and no others are."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: Scheduler[int] = Scheduler(BatchLimits(max_batch=3, max_waiting=12, max_tokens=50))
        self.works: list[WorkItem[int]] = []
        self.seen = Seen()
        self.now = 0.0

    @rule(sizes=st.lists(st.integers(1, 70), min_size=1, max_size=5), left=st.floats(0.1, 5), bulk=st.booleans())
    def come(self, sizes: list[int], left: float, bulk: bool) -> None:
        first = len(self.works)
        works = [
            WorkItem(first + i, ItemShape(i % 2, size), self.now + left, bulk=bulk) for i, size in enumerate(sizes)
        ]
        self.works += works
        try:
            self.queue.admit(works, self.now)
        except Overloaded:
            return
        self.seen.admitted |= {one.item for one in works}

    @rule(took=st.floats(0, 3))
    def run(self, took: float) -> None:
        selection = self.queue.next_batch(self.now)
        assert len(selection.batch) <= 3
        assert len({one.shape.lane for one in selection.batch}) <= 1
        assert all(one.deadline > self.now for one in selection.batch)
        self.seen.answered += [one.item for one in (*selection.batch, *selection.expired)]
        self.now += took
        self.queue.record_run(took)

    @rule(number=st.integers(0, 10_000))
    @precondition(lambda self: self.works)
    def go_away(self, number: int) -> None:
        gone = self.works[number % len(self.works)]
        if gone.item in self.seen.admitted and gone.item not in self.seen.answered:
            gone.abandoned = True
            self.seen.abandoned.add(gone.item)

    @invariant()
    def none_is_answered_twice_or_unasked(self) -> None:
        assert len(self.seen.answered) == len(set(self.seen.answered))
        assert set(self.seen.answered) <= self.seen.admitted - self.seen.abandoned

    def teardown(self) -> None:
        while len(self.queue):
            self.run(0.0)
        assert set(self.seen.answered) == self.seen.admitted - self.seen.abandoned
        assert self.queue.wait_s == pytest.approx(0.0)


TestAnyOrder = AnyOrder.TestCase
