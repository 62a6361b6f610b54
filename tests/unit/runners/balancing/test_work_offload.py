from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.deadline import Deadline
from frontdesk.errors import Overloaded
from frontdesk.types import MaskedText, Understanding
from runners.balancing.shared_load import LoadBoard
from runners.balancing.work_offload import PeerUnavailable, WorkOffload, count_texts_to_offload
from tests.support.fakes import understanding


class Reader:
    """Returns each text as its label, records the texts, and can be blocked or full."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.free = asyncio.Event()
        self.free.set()
        self.full = False

    async def understand_locally(self, texts: Sequence[MaskedText], _: Deadline) -> list[Understanding]:
        self.seen += [text.text for text in texts]
        await self.free.wait()
        if self.full:
            raise Overloaded("Too much waits.", retry_after_s=1)
        return [understanding(label=text.text) for text in texts]


def masked(*texts: str) -> list[MaskedText]:
    return [MaskedText(text) for text in texts]


def later() -> Deadline:
    return Deadline.after(5)


@pytest.fixture
def other() -> Reader:
    return Reader()


@pytest.fixture
async def workers(tmp_path: Path, other: Reader) -> AsyncIterator[list[WorkOffload]]:
    both = [
        WorkOffload(LoadBoard(tmp_path, 0, 2), version="v1", understand_locally=Reader().understand_locally),
        WorkOffload(LoadBoard(tmp_path, 1, 2), version="v1", understand_locally=other.understand_locally),
    ]
    for worker in both:
        await worker.open()
    yield both
    for worker in both:
        await worker.close()


async def test_a_peer_answers_texts_in_order(workers: list[WorkOffload], other: Reader) -> None:
    result = await workers[0].understand(1, masked("a", "b"), later())
    assert result == [understanding(label="a"), understanding(label="b")]
    assert other.seen == ["a", "b"]


async def test_many_calls_at_once_each_get_their_own_answer(workers: list[WorkOffload]) -> None:
    calls = [workers[0].understand(1, masked(f"text {number}"), later()) for number in range(50)]
    labels = [result[0].intent.label for result in await asyncio.gather(*calls)]
    assert labels == [f"text {number}" for number in range(50)]


async def test_a_full_peer_is_unavailable(workers: list[WorkOffload], other: Reader) -> None:
    other.full = True
    with pytest.raises(PeerUnavailable):
        await workers[0].understand(1, masked("a"), later())


async def test_a_stopped_peer_is_not_used_for_a_while(workers: list[WorkOffload]) -> None:
    assert workers[0].plan_offload(own_load=10, texts=1) == (1, 1)
    await workers[1].close()
    with pytest.raises(PeerUnavailable):
        await workers[0].understand(1, masked("a"), later())
    assert workers[0].plan_offload(own_load=10, texts=1)[0] == 0


async def test_a_peer_that_stops_during_a_call_is_unavailable(workers: list[WorkOffload], other: Reader) -> None:
    other.free.clear()
    asking = asyncio.create_task(workers[0].understand(1, masked("a"), later()))
    while not other.seen:
        await asyncio.sleep(0.001)
    await workers[1].close()
    with pytest.raises(PeerUnavailable):
        await asking


async def test_after_a_cancelled_call_the_next_gets_its_own_answer(workers: list[WorkOffload], other: Reader) -> None:
    await workers[0].understand(1, masked("first"), later())
    other.free.clear()
    gone = asyncio.create_task(workers[0].understand(1, masked("gone"), later()))
    while "gone" not in other.seen:
        await asyncio.sleep(0.001)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    other.free.set()
    (result,) = await workers[0].understand(1, masked("mine"), later())
    assert result.intent.label == "mine"


async def test_a_peer_with_another_bundle_is_unavailable(tmp_path: Path, other: Reader) -> None:
    old = WorkOffload(LoadBoard(tmp_path, 0, 2), version="v1", understand_locally=Reader().understand_locally)
    new = WorkOffload(LoadBoard(tmp_path, 1, 2), version="v2", understand_locally=other.understand_locally)
    await new.open()
    with pytest.raises(PeerUnavailable):
        await old.understand(1, masked("a"), later())
    assert other.seen == []
    await new.close()
    await old.close()


async def test_unanswered_offloaded_texts_count_as_load_of_the_peer(workers: list[WorkOffload], other: Reader) -> None:
    other.free.clear()
    asking = [asyncio.create_task(workers[0].understand(1, masked(str(n)), later())) for n in range(4)]
    await asyncio.sleep(0.01)
    assert workers[0].plan_offload(own_load=3, texts=1)[0] == 0
    other.free.set()
    await asyncio.gather(*asking)
    assert workers[0].plan_offload(own_load=3, texts=1) == (1, 1)


async def test_a_peer_publishes_its_own_load(tmp_path: Path, workers: list[WorkOffload]) -> None:
    neighbour = LoadBoard(tmp_path, 1, 2)
    neighbour.publish(40)
    assert workers[0].plan_offload(own_load=10, texts=1)[0] == 0
    neighbour.publish(0)
    assert workers[0].plan_offload(own_load=10, texts=1) == (1, 1)


async def test_a_worker_that_has_not_started_offloads_nothing(tmp_path: Path, workers: list[WorkOffload]) -> None:
    assert (
        WorkOffload(
            LoadBoard(tmp_path, 0, 2), version="v1", understand_locally=Reader().understand_locally
        ).plan_offload(own_load=10, texts=1)[0]
        == 0
    )
    assert workers[0].plan_offload(own_load=10, texts=1)[0] == 1
    await workers[0].close()
    assert workers[0].plan_offload(own_load=10, texts=1)[0] == 0


@pytest.mark.parametrize(
    ("own_load", "texts", "theirs", "offloaded"),
    [
        (0, 1, 0, 0),
        (1, 1, 0, 1),
        (1, 1, 1, 0),
        (0, 32, 0, 16),
        (0, 2, 1, 0),
        (40, 1, 34, 0),
        (40, 1, 20, 1),
        (3, 1, 9, 0),
    ],
)
def test_the_number_of_offloaded_texts(own_load: int, texts: int, theirs: int, offloaded: int) -> None:
    assert count_texts_to_offload(own_load, texts, theirs) == offloaded


@given(st.integers(0, 500), st.integers(1, 256), st.integers(0, 500))
def test_offloading_never_makes_the_peer_busier_than_this_worker(own_load: int, texts: int, theirs: int) -> None:
    offloaded = count_texts_to_offload(own_load, texts, theirs)
    assert 0 <= offloaded <= texts
    assert offloaded == 0 or theirs + offloaded <= own_load + texts - offloaded
