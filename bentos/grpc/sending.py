"""Ends calls whose client does not take the response: an HTTP/2 window of zero, or a socket that nobody reads.

Such a call cannot be ended with a status, which would wait behind the response. `grpc.aio` offers no way to reset a
stream, but it does so when the outer task of a call is cancelled: that task holds the last reference to the stream.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Sequence, Set
from typing import Any

from grpc.aio import ServicerContext

from bentos.grpc.slots import MOST_AT_ONCE, PAUSE_S, Slots

Context = ServicerContext[bytes, bytes]

RPC_TASK = "rpc_task"
"""Name that `grpc.aio` gives to the outer task of a call, which waits for the end of the stream."""
TAKEN_WITHIN_S = 10.0
"""Time for a client to take one message."""
SLOW_S = 1.0
COLLECT_S = 0.1
"""Streams to reset are collected for this long, because the search for their tasks looks at all calls."""
MOST_SLOW = 256
"""Responses that may wait for longer than `SLOW_S` at the same time."""


class Sender:
    """Watches responses that are on their way to their clients."""

    def __init__(self) -> None:
        self._slots = Slots(MOST_SLOW, patience_s=SLOW_S)
        self._stuck: set[asyncio.Task[Any]] = set()

    def watch(self, peer: str) -> None:
        """Reset the stream of the current task's call if the task has not ended in time."""
        task = asyncio.current_task()
        assert task is not None
        watched = task
        slot = self._slots.take(peer, TAKEN_WITHIN_S, lambda _: self.reset(watched))
        task.add_done_callback(lambda _: self._slots.remove(slot))

    async def write(self, context: Context, peer: str, message: bytes) -> None:
        """Send one message of several; the call is cancelled and its stream reset if the message is not taken."""
        task = asyncio.current_task()
        assert task is not None
        watched = task
        slot = self._slots.take(peer, TAKEN_WITHIN_S, lambda _: self.reset(watched))
        try:
            await context.write(message)
        finally:
            self._slots.remove(slot)

    def reset(self, task: asyncio.Task[Any]) -> None:
        """Reset the stream of the call that `task` serves, together with others a little later."""
        if not self._stuck:
            asyncio.get_running_loop().call_later(COLLECT_S, self._reset_stuck)
        self._stuck.add(task)

    def _reset_stuck(self) -> None:
        stuck, self._stuck = self._stuck, set()
        calls = [outer for outer in asyncio.all_tasks() if outer.get_name() == RPC_TASK]
        _cancel([task for outer in calls if (inner := stuck & _tasks_within(outer)) for task in (outer, *inner)])


def _cancel(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks[:MOST_AT_ONCE]:
        task.cancel()
    if len(tasks) > MOST_AT_ONCE:
        asyncio.get_running_loop().call_later(PAUSE_S, _cancel, tasks[MOST_AT_ONCE:])


def _tasks_within(outer: asyncio.Task[Any]) -> Set[asyncio.Task[Any]]:
    """Tasks among the local variables of a coroutine that Cython compiled; it has no frame to read them from."""
    scopes = gc.get_referents(outer.get_coro())
    return {held for held in gc.get_referents(*scopes) if isinstance(held, asyncio.Task)}
