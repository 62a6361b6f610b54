from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frontdesk.deadline import Deadline
from frontdesk.errors import DeadlineExceeded, Overloaded
from runners.batching.batcher import Batcher
from runners.batching.scheduler import BatchLimits


class Model:
    """Doubles numbers, records its batches, raises for 13, is unavailable for 99, and can be blocked."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.free = threading.Event()
        self.free.set()
        self.entered = threading.Event()

    def run(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        self.entered.set()
        assert self.free.wait(5)
        if 13 in items:
            raise ValueError("13")
        if 99 in items:
            raise Overloaded("A part is away.", retry_after_s=5)
        return [item * 2 for item in items]


@pytest.fixture
def model() -> Model:
    return Model()


def batcher(model: Model, *, max_batch: int = 4, max_waiting: int = 100) -> Batcher[int, int]:
    return Batcher(model.run, BatchLimits(max_batch, max_waiting))


def later() -> Deadline:
    return Deadline.after(5)


async def held(model: Model, queue: Batcher[int, int]) -> asyncio.Task[list[int]]:
    """Start a first call that keeps the model busy until `model.free` is set."""
    model.free.clear()
    first = asyncio.create_task(queue.submit([0], later()))
    while not model.entered.is_set():
        await asyncio.sleep(0.001)
    return first


async def test_an_idle_model_runs_a_single_item_immediately(model: Model) -> None:
    assert await batcher(model).submit([3], later()) == [6]
    assert model.batches == [[3]]


async def test_items_that_wait_while_the_model_is_busy_run_together(model: Model) -> None:
    queue = batcher(model)
    first = await held(model, queue)
    others = [asyncio.create_task(queue.submit([n], later())) for n in (1, 2, 3)]
    await asyncio.sleep(0.01)
    assert queue.waiting == 3
    model.free.set()
    assert [await task for task in (first, *others)] == [[0], [2], [4], [6]]
    assert model.batches == [[0], [1, 2, 3]]


async def test_a_large_call_is_split_and_comes_back_in_order(model: Model) -> None:
    assert await batcher(model).submit(list(range(10)), later()) == [n * 2 for n in range(10)]
    assert [len(batch) for batch in model.batches] == [4, 4, 2]


async def test_a_bad_item_fails_alone(model: Model) -> None:
    queue = batcher(model)
    first = await held(model, queue)
    good, bad = (asyncio.create_task(queue.submit([n], later())) for n in (1, 13))
    await asyncio.sleep(0.01)
    model.free.set()
    assert await good == [2]
    with pytest.raises(ValueError, match="13"):
        await bad
    await first


async def test_a_batch_that_fails_is_split_and_its_good_halves_run(model: Model) -> None:
    queue = batcher(model, max_batch=8)
    first = await held(model, queue)
    tasks = [asyncio.create_task(queue.submit([n], later())) for n in (1, 2, 3, 4, 5, 6, 7, 13)]
    await asyncio.sleep(0.01)
    model.free.set()
    outcomes = await asyncio.gather(first, *tasks, return_exceptions=True)
    assert outcomes[1:-1] == [[n * 2] for n in range(1, 8)]
    assert isinstance(outcomes[-1], ValueError)
    assert model.batches[2:] == [[1, 2, 3, 4], [5, 6, 7, 13], [5, 6], [7, 13], [7], [13]]


async def test_an_unavailable_service_fails_all_items_and_nothing_is_retried(model: Model) -> None:
    queue = batcher(model)
    first = await held(model, queue)
    tasks = [asyncio.create_task(queue.submit([n], later())) for n in (1, 99)]
    await asyncio.sleep(0.01)
    model.free.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    await first
    assert [type(outcome) for outcome in outcomes] == [Overloaded, Overloaded]
    assert model.batches == [[0], [1, 99]]


async def test_a_failing_item_fails_its_call_and_its_other_items_are_abandoned(model: Model) -> None:
    queue = batcher(model, max_batch=2, max_waiting=5000)
    with pytest.raises(ValueError, match="13"):
        await queue.submit([13, *range(100, 2000)], later())
    await queue.close()
    assert len(model.batches) < 500


async def test_callers_that_call_again_after_an_answer_run_together_again() -> None:
    batches: list[int] = []

    def slow(items: Sequence[int]) -> list[int]:
        batches.append(len(items))
        time.sleep(0.05)
        return list(items)

    queue: Batcher[int, int] = Batcher(slow, BatchLimits(max_batch=8, max_waiting=100))

    async def ask_twice(number: int) -> None:
        for _ in range(2):
            await queue.submit([number], later())

    first = asyncio.create_task(queue.submit([0], later()))
    await asyncio.sleep(0.01)
    await asyncio.gather(first, *(ask_twice(number) for number in range(4)))
    assert batches == [1, 4, 4]


async def test_interactive_items_overtake_bulk_items(model: Model) -> None:
    queue = batcher(model)
    first = await held(model, queue)
    deadline = later()
    bulk = asyncio.create_task(queue.submit([1, 2, 3, 4, 5, 6], deadline, bulk=True))
    await asyncio.sleep(0.01)
    person = asyncio.create_task(queue.submit([7], deadline))
    await asyncio.sleep(0.01)
    model.free.set()
    await asyncio.gather(first, bulk, person)
    assert model.batches[1:3] == [[7], [1, 2, 3, 4]]


async def test_an_expired_item_never_reaches_the_model(model: Model) -> None:
    queue = batcher(model)
    first = await held(model, queue)
    late = asyncio.create_task(queue.submit([7], Deadline.after(0.005)))
    await asyncio.sleep(0.02)
    model.free.set()
    with pytest.raises(DeadlineExceeded):
        await late
    await first
    assert [7] not in model.batches


async def test_items_of_a_cancelled_caller_are_abandoned(model: Model) -> None:
    queue = batcher(model)
    first = await held(model, queue)
    gone = asyncio.create_task(queue.submit([7], later()))
    await asyncio.sleep(0.01)
    gone.cancel()
    await asyncio.sleep(0.01)
    model.free.set()
    await first
    await queue.close()
    assert model.batches == [[0]]


async def test_items_beyond_the_queue_limit_are_refused_with_a_retry_time(model: Model) -> None:
    queue = batcher(model, max_waiting=2)
    first = await held(model, queue)
    waiting = asyncio.create_task(queue.submit([1, 2], later()))
    await asyncio.sleep(0.01)
    with pytest.raises(Overloaded) as refused:
        await queue.submit([3], later())
    assert refused.value.retry_after_s >= 1
    model.free.set()
    assert await waiting == [2, 4]
    await first


async def test_close_finishes_accepted_items(model: Model) -> None:
    queue = batcher(model)
    first = await held(model, queue)
    waiting = asyncio.create_task(queue.submit([1], later()))
    await asyncio.sleep(0.01)
    model.free.set()
    await queue.close()
    assert await first == [0]
    assert await waiting == [2]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(100, 1000), st.booleans(), st.booleans()), min_size=1, max_size=40),
    st.integers(1, 6),
)
def test_cancelled_callers_and_failing_models_do_not_affect_other_answers(
    calls: list[tuple[int, bool, bool]], max_batch: int
) -> None:
    async def ask() -> list[object]:
        queue = batcher(Model(), max_waiting=1000, max_batch=max_batch)
        tasks = [asyncio.create_task(queue.submit([n, 13] if bad else [n], later())) for n, bad, _ in calls]
        await asyncio.sleep(0)
        for task, (_, _, leaves) in zip(tasks, calls, strict=True):
            if leaves:
                task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        await queue.close()
        return outcomes

    for outcome, (number, bad, leaves) in zip(asyncio.run(ask()), calls, strict=True):
        if leaves:
            assert isinstance(outcome, asyncio.CancelledError)
        elif bad:
            assert isinstance(outcome, ValueError)
        else:
            assert outcome == [number * 2]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.integers(100, 1000), min_size=1, max_size=9), min_size=1, max_size=12))
def test_every_caller_gets_its_own_answers_and_none_is_lost(calls: list[list[int]]) -> None:
    async def ask() -> list[list[int]]:
        queue = batcher(Model(), max_waiting=1000)
        answers = await asyncio.gather(*(queue.submit(call, later()) for call in calls))
        await queue.close()
        return answers

    assert asyncio.run(ask()) == [[item * 2 for item in call] for call in calls]
