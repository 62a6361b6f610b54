from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from frontdesk.deadline import Deadline
from frontdesk.errors import DeadlineExceeded
from frontdesk.time_slicing import TimeSlicer, run_steps
from tests.support.event_loop import longest_stall
from tests.support.machine_speed import slowness

STEP_S = 0.002


def slow(item: int) -> int:
    until = time.perf_counter() + STEP_S
    while time.perf_counter() < until:
        pass
    return item


async def test_results_are_in_order_and_the_loop_is_blocked_for_one_slice_at_a_time() -> None:
    ends = asyncio.Event()
    watching = asyncio.create_task(longest_stall(ends))
    assert await TimeSlicer(0.004).run_each(slow, range(100), Deadline.after(30), "it was tried") == list(range(100))
    ends.set()
    assert await watching < 0.05  # 0.2 s of work in total; the margin is for a busy machine


async def test_many_requests_share_the_loop_and_none_starves() -> None:
    """Ten requests block the loop no longer than one, and the last does not wait for the others to finish."""
    ends, time_slicer = asyncio.Event(), TimeSlicer(0.004)
    watching = asyncio.create_task(longest_stall(ends))
    long_ones = [asyncio.create_task(time_slicer.run_each(slow, range(40), Deadline.after(30), "x")) for _ in range(10)]
    await asyncio.sleep(0.01)
    await time_slicer.run_each(slow, range(1), Deadline.after(30), "x")
    assert not any(task.done() for task in long_ones)
    await asyncio.gather(*long_ones)
    ends.set()
    assert await watching < 0.05 * slowness()


async def test_a_deadline_is_met_in_the_middle_of_the_work_and_while_waiting_for_a_turn() -> None:
    time_slicer = TimeSlicer(0.004)
    started = time.monotonic()
    waiting = [time_slicer.run_each(slow, range(1000), Deadline.after(0.1), "it was tried") for _ in range(5)]
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert time.monotonic() - started < 0.5
    assert [str(outcome)[:41] for outcome in outcomes] == ["The deadline passed while it was tried. A"] * 5
    assert await time_slicer.run_each(slow, [7], Deadline.after(5), "x") == [
        7
    ]  # the turns of cancelled requests are not lost


async def test_a_cancelled_request_passes_its_turn_on() -> None:
    time_slicer = TimeSlicer(0.004)
    waiting = [asyncio.create_task(time_slicer.run_each(slow, range(200), Deadline.after(30), "x")) for _ in range(4)]
    await asyncio.sleep(0.02)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    async with asyncio.timeout(5):
        assert await time_slicer.run_each(slow, range(3), Deadline.after(30), "x") == [0, 1, 2]


async def test_an_exception_of_a_step_is_raised_to_the_caller() -> None:
    with pytest.raises(ZeroDivisionError):
        await TimeSlicer().run_each(lambda item: 1 // item, [1, 0], Deadline.after(5), "x")


async def test_no_step_runs_after_the_deadline() -> None:
    begun: list[int] = []
    with pytest.raises(DeadlineExceeded):
        await TimeSlicer().run_each(begun.append, [1], Deadline.after(-1), "x")
    assert begun == []


def test_a_caller_without_a_loop_gets_the_result_at_once() -> None:
    def steps() -> Iterator[None]:
        yield
        yield
        return 7  # type: ignore[return-value]

    assert run_steps(steps()) == 7  # type: ignore[arg-type]
