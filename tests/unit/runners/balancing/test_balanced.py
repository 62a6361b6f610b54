from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from frontdesk.deadline import Deadline
from frontdesk.types import MaskedText, Understanding
from runners.balancing.balanced import Balanced
from runners.balancing.shared_load import LoadBoard
from tests.support.fakes import understanding


class Inner:
    """The inner layer: returns each text as its label, records the texts, and can be blocked."""

    def __init__(self) -> None:
        self.seen: list[MaskedText] = []
        self.free = asyncio.Event()
        self.free.set()
        self.is_closed = False

    async def understand(self, texts: Sequence[MaskedText], deadline: Deadline) -> list[Understanding]:
        assert 0 < deadline.remaining_s() <= 5
        self.seen += texts
        await self.free.wait()
        if any(text.text == "bad" for text in texts):
            raise ValueError("bad")
        return [understanding(label=text.text) for text in texts]

    async def close(self) -> None:
        self.is_closed = True

    def texts(self) -> list[str]:
        return [text.text for text in self.seen]


Worker = tuple[Balanced, Inner]


@pytest.fixture
async def workers(tmp_path: Path) -> AsyncIterator[list[Worker]]:
    inners = Inner(), Inner()
    pair = [(Balanced(inner, LoadBoard(tmp_path, index, 2), "v1"), inner) for index, inner in enumerate(inners)]
    for balanced, _ in pair:
        await balanced.start()
    yield pair
    for balanced, inner in pair:
        inner.free.set()
        await balanced.close()


def load_of(folder: Path, worker: int) -> int:
    """The load that a worker publishes."""
    return LoadBoard(folder, 2, 3).loads_of_others()[worker]


async def labels(balanced: Balanced, *texts: str) -> list[str]:
    results = await balanced.understand([MaskedText(text) for text in texts], Deadline.after(5))
    return [result.intent.label for result in results]


async def test_texts_that_would_wait_are_forwarded_to_an_idle_worker(workers: list[Worker]) -> None:
    (busy, inner), (_, other) = workers
    inner.free.clear()
    held = asyncio.create_task(labels(busy, "held"))
    await asyncio.sleep(0.01)
    assert await labels(busy, "next") == ["next"]
    assert other.texts() == ["next"]
    inner.free.set()
    assert await held == ["held"]


async def test_a_large_call_is_shared_and_comes_back_in_order(workers: list[Worker]) -> None:
    texts = [f"text {number}" for number in range(32)]
    assert await labels(workers[0][0], *texts) == texts
    assert [len(inner.seen) for _, inner in workers] == [16, 16]


async def test_no_original_leaves_the_worker(workers: list[Worker]) -> None:
    (balanced, inner), (_, other) = workers
    text = MaskedText("Where is [ORDER_1]?", {"[ORDER_1]": "48213"})
    await balanced.understand([text, text], Deadline.after(5))
    assert (inner.seen, other.seen) == ([text], [MaskedText("Where is [ORDER_1]?")])


async def test_if_the_other_worker_has_stopped_everything_is_handled_locally(workers: list[Worker]) -> None:
    (stays, inner), (goes, _) = workers
    await goes.close()
    texts = [f"text {number}" for number in range(32)]
    assert await labels(stays, *texts) == texts
    assert len(inner.seen) == 32


async def test_a_worker_that_has_not_started_forwards_nothing(tmp_path: Path) -> None:
    inner = Inner()
    alone = Balanced(inner, LoadBoard(tmp_path, 0, 2), "v1")
    assert await labels(alone, "a", "b", "c") == ["a", "b", "c"]
    assert inner.texts() == ["a", "b", "c"]
    await alone.close()


async def test_a_path_too_long_for_a_socket_is_reported(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    balanced = Balanced(Inner(), LoadBoard(folder, 0, 2), "v1")
    with pytest.raises(OSError, match="too long"):
        await balanced.start()
    assert await labels(balanced, "a", "b", "c") == ["a", "b", "c"]
    await balanced.close()


async def test_the_load_counts_texts_that_wait_or_run_here(workers: list[Worker], tmp_path: Path) -> None:
    """Texts from other workers count; texts that were forwarded to other workers do not."""
    (balanced, inner), (_, other) = workers
    inner.free.clear()
    other.free.clear()
    call = asyncio.create_task(labels(balanced, *(f"text {number}" for number in range(9))))
    while not inner.seen or not other.seen:
        await asyncio.sleep(0.001)
    assert (load_of(tmp_path, 0), load_of(tmp_path, 1)) == (5, 4)
    inner.free.set()
    other.free.set()
    await call
    assert (load_of(tmp_path, 0), load_of(tmp_path, 1)) == (0, 0)


async def test_the_load_falls_again_if_the_inner_layer_fails(workers: list[Worker], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="bad"):
        await labels(workers[0][0], "bad")
    assert load_of(tmp_path, 0) == 0


async def test_closing_closes_the_inner_layer(workers: list[Worker]) -> None:
    balanced, inner = workers[0]
    await balanced.close()
    assert inner.is_closed
