"""Bounded sets of calls that wait for their peer. A surplus ends the oldest call of the peer that holds the most."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from itertools import islice, takewhile

CHECK_INTERVAL_S = 0.25
MOST_AT_ONCE = 64
PAUSE_S = 0.01
"""More than `MOST_AT_ONCE` are ended in portions with this pause between, because ending a call costs about 0.2 ms."""


class Slot:
    """One waiting call. `since` and `until` are times of the event loop, in seconds."""

    __slots__ = ("end", "peer", "since", "until")

    def __init__(self, peer: str, since: float, until: float, end: Callable[[bool], None]) -> None:
        self.peer = peer
        self.since = since
        self.until = until
        self.end = end


class Slots:
    """At most `most` calls that have waited for `patience_s` or longer; each waits until its own time at most.

    One timer serves all slots, because a timer for each call costs more than the call may. So a call is ended up to
    `CHECK_INTERVAL_S` after its time, but with `patience_s=0` a surplus is ended at once.
    """

    def __init__(self, most: int, *, patience_s: float = 0.0) -> None:
        self._most = most
        self._patience_s = patience_s
        self._slots: dict[Slot, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._slots)

    def take(self, peer: str, wait_s: float, end: Callable[[bool], None]) -> Slot:
        """Add a call. `end(overdue)` is called once if it has to end before it is removed: not overdue is surplus."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        slot = Slot(peer, now, now + wait_s, end)
        self._slots[slot] = None
        if len(self._slots) > self._most and not self._patience_s:
            self._end_surplus(now)
        if self._timer is None:
            self._timer = loop.call_later(CHECK_INTERVAL_S, self._check)
        return slot

    def remove(self, slot: Slot) -> None:
        self._slots.pop(slot, None)

    def end_all(self) -> None:
        self._end(list(self._slots), overdue=False)

    def _check(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        overdue = list(islice((slot for slot in self._slots if slot.until <= now), MOST_AT_ONCE))
        self._end(overdue, overdue=True)
        ended = len(overdue) + self._end_surplus(now)
        wait_s = PAUSE_S if ended >= MOST_AT_ONCE else CHECK_INTERVAL_S
        self._timer = loop.call_later(wait_s, self._check) if self._slots else None

    def _end_surplus(self, now: float) -> int:
        latest = now - self._patience_s
        waiting = list(takewhile(lambda slot: slot.since <= latest, self._slots))
        surplus = min(len(waiting) - self._most, MOST_AT_ONCE)
        if surplus <= 0:
            return 0
        by_peer: defaultdict[str, deque[Slot]] = defaultdict(deque)
        for slot in waiting:
            by_peer[slot.peer].append(slot)
        for _ in range(surplus):
            self._end([max(by_peer.values(), key=len).popleft()], overdue=False)
        return surplus

    def _end(self, slots: Iterable[Slot], *, overdue: bool) -> None:
        for slot in slots:
            self.remove(slot)
            slot.end(overdue)
