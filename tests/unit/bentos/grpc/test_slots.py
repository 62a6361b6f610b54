"""The calls that are ended when too many wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from bentos.grpc.slots import CHECK_INTERVAL_S, MAX_ENDED_AT_ONCE, PAUSE_S, WaitingCalls


def recorder(ended: list[tuple[str, bool]], name: str) -> Callable[[bool], None]:
    return lambda overdue: ended.append((name, overdue))


async def test_a_surplus_ends_the_oldest_call_of_the_peer_with_the_most() -> None:
    ended: list[tuple[str, bool]] = []
    slots = WaitingCalls(3)
    for name in ("b1", "a1", "a2", "a3"):
        slots.add(name[0], 60.0, recorder(ended, name))
    assert ended == [("a1", False)]
    slots.add("c", 60.0, recorder(ended, "c1"))
    assert ended == [("a1", False), ("a2", False)]
    assert len(slots) == 3


async def test_a_call_past_its_deadline_is_ended_as_overdue() -> None:
    ended: list[tuple[str, bool]] = []
    slots = WaitingCalls(3)
    slots.add("a", 0.0, recorder(ended, "a1"))
    slots.add("a", 60.0, recorder(ended, "a2"))
    await asyncio.sleep(1.5 * CHECK_INTERVAL_S)
    assert ended == [("a1", True)]


async def test_only_calls_that_have_waited_long_enough_are_surplus() -> None:
    ended: list[tuple[str, bool]] = []
    slots = WaitingCalls(2, counted_after_s=0.1)
    for number in range(5):
        slots.add("a", 60.0, recorder(ended, f"a{number}"))
    assert ended == []
    await asyncio.sleep(1.5 * CHECK_INTERVAL_S)
    assert [name for name, _ in ended] == ["a0", "a1", "a2"]


async def test_a_removed_call_is_never_ended() -> None:
    ended: list[tuple[str, bool]] = []
    slots = WaitingCalls(1)
    slot = slots.add("a", 0.0, recorder(ended, "a1"))
    slots.remove(slot)
    slots.remove(slot)
    await asyncio.sleep(1.5 * CHECK_INTERVAL_S)
    assert ended == []
    assert len(slots) == 0


async def test_all_can_be_ended_together() -> None:
    ended: list[tuple[str, bool]] = []
    slots = WaitingCalls(5)
    for name in ("a", "b"):
        slots.add(name, 60.0, recorder(ended, name))
    slots.end_all()
    assert ended == [("a", False), ("b", False)]
    assert len(slots) == 0


async def test_very_many_are_ended_in_portions() -> None:
    ended: list[tuple[str, bool]] = []
    slots = WaitingCalls(1000)
    for number in range(3 * MAX_ENDED_AT_ONCE):
        slots.add("a", 0.0, recorder(ended, f"a{number}"))
    portions, give_up_at = [0], time.monotonic() + CHECK_INTERVAL_S + 10 * PAUSE_S + 5
    while portions[-1] < 3 * MAX_ENDED_AT_ONCE and time.monotonic() < give_up_at:
        await asyncio.sleep(0)  # each pass of the loop
        if len(ended) != portions[-1]:
            portions.append(len(ended))
    assert portions == [0, MAX_ENDED_AT_ONCE, 2 * MAX_ENDED_AT_ONCE, 3 * MAX_ENDED_AT_ONCE]
