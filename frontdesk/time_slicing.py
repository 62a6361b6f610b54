"""Cooperative time slicing: long CPU work of many requests shares the event loop without blocking it for long.

The event loop of a worker serves every request, health check and heartbeat. Work that may take longer than a few
milliseconds (masking 256 texts, parsing 8 MB) is written as a generator that yields between its steps. `TimeSlicer`
runs the steps of one request for `SLICE_S`, then lets the loop run everything else, then runs the steps of the next
request. The loop is blocked for one slice or one step at most, regardless of the number of requests.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from typing import TypeVar

from frontdesk.deadline import Deadline

T = TypeVar("T")
R = TypeVar("R")

SLICE_S = 0.004
CooperativeSteps = Generator[None, None, R]


class TimeSlicer:
    """Round-robin scheduler of one event loop: one slice in each pass of the loop, in order of arrival."""

    __slots__ = ("_is_open", "_slice_s", "_until", "_waiting")

    def __init__(self, slice_s: float = SLICE_S) -> None:
        self._slice_s = slice_s
        self._is_open = True  # no slice has run in this pass of the loop
        self._until = 0.0  # the end of the slice of this pass
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def run(self, steps: CooperativeSteps[R], deadline: Deadline, activity: str) -> R:
        """Run a generator to its end and return its result.

        Raises:
            DeadlineExceeded: the deadline passed before the end; the message contains `activity`.
            Exception: of a step.
        """
        while True:
            deadline.check(activity)
            if self._is_open and not self._waiting:
                self._begin_slice()
            elif self._waiting or time.perf_counter() >= self._until:
                await deadline.wait_for(self._wait_for_turn(), activity)
                self._begin_slice()
            try:
                next(steps)
                while time.perf_counter() < self._until:
                    next(steps)
            except StopIteration as end:
                result: R = end.value
                return result

    async def run_each(
        self, function: Callable[[T], R], items: Iterable[T], deadline: Deadline, activity: str
    ) -> list[R]:
        """Return the results of `function` for each item, in order; raises as `run` does."""
        return await self.run(_apply_each(function, items), deadline, activity)

    def _begin_slice(self) -> None:
        self._is_open = False
        self._until = time.perf_counter() + self._slice_s
        asyncio.get_running_loop().call_soon(self._wake_next_waiting)

    def _wake_next_waiting(self) -> None:
        """End the pass: wake the first waiting request, or let the next request start without waiting."""
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(None)
                return
        self._is_open = True

    async def _wait_for_turn(self) -> None:
        """Wait for this request's turn."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self._wake_next_waiting()  # pass the turn on
            raise


def run_steps(steps: CooperativeSteps[R]) -> R:
    """Run all steps of a generator without yielding and return its result, for callers without an event loop."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: R = end.value
            return result


def chain_steps(function: Callable[[T], CooperativeSteps[R]], items: Iterable[T]) -> CooperativeSteps[list[R]]:
    """Run the steps of `function` for one item after another and return the results, in order."""
    results: list[R] = []
    for item in items:
        results.append((yield from function(item)))
        yield
    return results


def _apply_each(function: Callable[[T], R], items: Iterable[T]) -> CooperativeSteps[list[R]]:
    results: list[R] = []
    for item in items:
        results.append(function(item))
        yield
    return results
