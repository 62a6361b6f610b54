from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from frontdesk.deadline import Deadline
from frontdesk.errors import DeadlineExceeded
from frontdesk.turns import Turns, finished

STEP_S = 0.002


def slow(item: int) -> int:
    until = time.perf_counter() + STEP_S
    while time.perf_counter() < until:
        pass
    return item


async def longest_stall(ends: asyncio.Event) -> float:
    longest = 0.0
    while not ends.is_set():
        before = time.perf_counter()
        await asyncio.sleep(0)
        longest = max(longest, time.perf_counter() - before)
    return longest


async def test_results_come_in_order_and_the_loop_is_held_for_a_slice_at_a_time() -> None:
    ends = asyncio.Event()
    watching = asyncio.create_task(longest_stall(ends))
    assert await Turns(0.004).each(slow, range(100), Deadline.after(30), "it was tried") == list(range(100))
    ends.set()
    assert await watching < 0.05  # 0.2 s of work; the rest is for a machine that does other things


async def test_many_requests_share_the_loop_and_none_starves() -> None:
    """Ten at once hold the loop no longer than one, and the last to come does not wait for the others' ends."""
    ends, turns = asyncio.Event(), Turns(0.004)
    watching = asyncio.create_task(longest_stall(ends))
    long_ones = [asyncio.create_task(turns.each(slow, range(40), Deadline.after(30), "x")) for _ in range(10)]
    await asyncio.sleep(0.01)
    await turns.each(slow, range(1), Deadline.after(30), "x")
    assert not any(task.done() for task in long_ones)
    await asyncio.gather(*long_ones)
    ends.set()
    assert await watching < 0.05


async def test_a_deadline_is_met_in_the_middle_of_the_work_and_while_waiting_for_a_turn() -> None:
    turns = Turns(0.004)
    started = time.monotonic()
    asking = [turns.each(slow, range(1000), Deadline.after(0.1), "it was tried") for _ in range(5)]
    outcomes = await asyncio.gather(*asking, return_exceptions=True)
    assert time.monotonic() - started < 0.5
    assert [str(outcome)[:41] for outcome in outcomes] == ["The deadline passed while it was tried. A"] * 5
    assert await turns.each(slow, [7], Deadline.after(5), "x") == [7]  # the turns of those who left are not lost


async def test_a_request_that_is_cancelled_gives_its_turn_away() -> None:
    turns = Turns(0.004)
    asking = [asyncio.create_task(turns.each(slow, range(200), Deadline.after(30), "x")) for _ in range(4)]
    await asyncio.sleep(0.02)
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    async with asyncio.timeout(5):
        assert await turns.each(slow, range(3), Deadline.after(30), "x") == [0, 1, 2]


async def test_what_a_step_raises_reaches_the_caller() -> None:
    with pytest.raises(ZeroDivisionError):
        await Turns().each(lambda item: 1 // item, [1, 0], Deadline.after(5), "x")


async def test_nothing_is_begun_after_the_deadline() -> None:
    begun: list[int] = []
    with pytest.raises(DeadlineExceeded):
        await Turns().each(begun.append, [1], Deadline.after(-1), "x")
    assert begun == []


def test_a_caller_without_a_loop_gets_the_result_at_once() -> None:
    def steps() -> Iterator[None]:
        yield
        yield
        return 7  # type: ignore[return-value]

    assert finished(steps()) == 7  # type: ignore[arg-type]
