"""Resets streams whose client does not read the response: the HTTP/2 window is zero, or the socket is not read.

Such a call cannot be ended with a status, because the status would wait behind the response. `grpc.aio` has no function
to reset a stream, but it resets the stream when the outer task of the call is cancelled, because that task has the last
reference to the stream.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Sequence, Set
from typing import Any

from grpc.aio import ServicerContext

from bentos.grpc.slots import MAX_ENDED_AT_ONCE, PAUSE_S, WaitingCalls

Context = ServicerContext[bytes, bytes]

RPC_TASK = "rpc_task"
"""Name of the outer task of a call in `grpc.aio`, which waits for the end of the stream."""
WRITE_TIMEOUT_S = 10.0
"""Time for a client to read one message."""
SLOW_S = 1.0
COLLECT_S = 0.1
"""Streams to reset are collected for this time, because each search for their tasks goes through all calls."""
MAX_SLOW = 256
"""Maximum number of responses that wait for longer than `SLOW_S` at the same time."""


class ResponseSender:
    """Limits the time and the number of responses that are being sent."""

    def __init__(self) -> None:
        self._slots = WaitingCalls(MAX_SLOW, counted_after_s=SLOW_S)
        self._stuck: set[asyncio.Task[Any]] = set()

    def reset_stream_if_not_sent_in_time(self, peer: str) -> None:
        """Reset the stream of the current task's call if the task has not ended within `WRITE_TIMEOUT_S`."""
        task = _current_task()
        slot = self._slots.add(peer, WRITE_TIMEOUT_S, lambda _: self.reset_stream(task))
        task.add_done_callback(lambda _: self._slots.remove(slot))

    async def write(self, context: Context, peer: str, message: bytes) -> None:
        """Send one message of a stream; if the client does not read it in time, reset the stream."""
        task = _current_task()
        slot = self._slots.add(peer, WRITE_TIMEOUT_S, lambda _: self.reset_stream(task))
        try:
            await context.write(message)
        finally:
            self._slots.remove(slot)

    def reset_stream(self, task: asyncio.Task[Any]) -> None:
        """Reset the stream of the call that `task` serves, within `COLLECT_S`."""
        if not self._stuck:
            asyncio.get_running_loop().call_later(COLLECT_S, self._reset_stuck)
        self._stuck.add(task)

    def _reset_stuck(self) -> None:
        stuck, self._stuck = self._stuck, set()
        calls = [outer for outer in asyncio.all_tasks() if outer.get_name() == RPC_TASK]
        _cancel([task for outer in calls if (inner := stuck & _tasks_within(outer)) for task in (outer, *inner)])


def _current_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None
    return task


def _cancel(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks[:MAX_ENDED_AT_ONCE]:
        task.cancel()
    if len(tasks) > MAX_ENDED_AT_ONCE:
        asyncio.get_running_loop().call_later(PAUSE_S, _cancel, tasks[MAX_ENDED_AT_ONCE:])


def _tasks_within(outer: asyncio.Task[Any]) -> Set[asyncio.Task[Any]]:
    """Return the tasks among the local variables of a coroutine that was compiled by Cython and has no frame."""
    scopes = gc.get_referents(outer.get_coro())
    return {referent for referent in gc.get_referents(*scopes) if isinstance(referent, asyncio.Task)}
