"""Bounded sets of waiting calls. Beyond the limit, the oldest call of the peer with the most calls is ended."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from itertools import islice, takewhile

CHECK_INTERVAL_S = 0.25
MAX_ENDED_AT_ONCE = 64
PAUSE_S = 0.01
"""Pause after `MAX_ENDED_AT_ONCE` ended calls, because ending a call takes about 0.2 ms."""


class WaitingCall:
    """One waiting call. `started_at` and `deadline` are times of the event loop, in seconds."""

    __slots__ = ("deadline", "end", "peer", "started_at")

    def __init__(self, peer: str, started_at: float, deadline: float, end: Callable[[bool], None]) -> None:
        self.peer = peer
        self.started_at = started_at
        self.deadline = deadline
        self.end = end


class WaitingCalls:
    """At most `capacity` calls that have waited for `counted_after_s` or longer, each until its own deadline.

    One timer serves all slots, because a timer for each call is too expensive. A call is therefore ended up to
    `CHECK_INTERVAL_S` after its deadline. With `counted_after_s=0`, surplus calls are ended immediately.
    """

    def __init__(self, capacity: int, *, counted_after_s: float = 0.0) -> None:
        self._capacity = capacity
        self._counted_after_s = counted_after_s
        self._slots: dict[WaitingCall, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._slots)

    def add(self, peer: str, timeout_s: float, end: Callable[[bool], None]) -> WaitingCall:
        """Add a call. `end(overdue)` is called at most once, if the call has to end before its slot is removed.

        `overdue` is True if the deadline has passed, and False for a surplus call.
        """
        loop = asyncio.get_running_loop()
        now = loop.time()
        slot = WaitingCall(peer, now, now + timeout_s, end)
        self._slots[slot] = None
        if len(self._slots) > self._capacity and not self._counted_after_s:
            self._end_surplus(now)
        if self._timer is None:
            self._timer = loop.call_later(CHECK_INTERVAL_S, self._end_overdue_and_surplus_calls)
        return slot

    def remove(self, slot: WaitingCall) -> None:
        """Remove a call. Removing it twice has no effect."""
        self._slots.pop(slot, None)

    def end_all(self) -> None:
        """End all calls as surplus calls."""
        self._end(list(self._slots), overdue=False)

    def _end_overdue_and_surplus_calls(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        overdue = list(islice((slot for slot in self._slots if slot.deadline <= now), MAX_ENDED_AT_ONCE))
        self._end(overdue, overdue=True)
        ended = len(overdue) + self._end_surplus(now)
        delay_s = PAUSE_S if ended >= MAX_ENDED_AT_ONCE else CHECK_INTERVAL_S
        self._timer = loop.call_later(delay_s, self._end_overdue_and_surplus_calls) if self._slots else None

    def _end_surplus(self, now: float) -> int:
        latest_start = now - self._counted_after_s
        waiting = list(takewhile(lambda slot: slot.started_at <= latest_start, self._slots))
        surplus = min(len(waiting) - self._capacity, MAX_ENDED_AT_ONCE)
        if surplus <= 0:
            return 0
        by_peer: defaultdict[str, deque[WaitingCall]] = defaultdict(deque)
        for slot in waiting:
            by_peer[slot.peer].append(slot)
        for _ in range(surplus):
            self._end([max(by_peer.values(), key=len).popleft()], overdue=False)
        return surplus

    def _end(self, slots: Iterable[WaitingCall], *, overdue: bool) -> None:
        for slot in slots:
            self.remove(slot)
            slot.end(overdue)
