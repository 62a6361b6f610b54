from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path

import numpy as np
import pytest

from frontdesk.deadline import Deadline
from frontdesk.errors import Overloaded, StorageUnavailable
from frontdesk.scores import Scores
from frontdesk.types import MaskedText, Understanding
from runners.batching.scheduler import Limits
from runners.server.model_server import CORES, BatchedChampion
from runners.server.score_cache import Outcome
from tests.support.fakes import understanding


class FakeEnsemble:
    """Understands a text as itself; scores are the lengths of text and model name. It can be held."""

    version = "v1"
    models = ("ensemble", "roberta")

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.beside: Executor | None = None
        self.free = threading.Event()
        self.free.set()

    def understand(self, texts: Sequence[str], beside: Executor | None = None) -> list[Understanding]:
        self.seen += texts
        self.beside = beside
        assert self.free.wait(5)
        return [understanding(label=text) for text in texts]

    def scores(self, model: str, texts: Sequence[str]) -> Scores:
        column = np.array([[len(text), len(model)] for text in texts], np.float32)
        return Scores(column, column)


def champion(ensemble: FakeEnsemble, *, max_waiting: int = 100, **more: object) -> BatchedChampion:
    return BatchedChampion(ensemble, Limits(max_batch=4, max_waiting=max_waiting), **more)


def masked(*texts: str) -> list[MaskedText]:
    return [MaskedText(text) for text in texts]


def later() -> Deadline:
    return Deadline.after(5)


async def labels(asked: BatchedChampion, *texts: str, fresh: bool = False) -> list[str]:
    return [found.intent.label for found in await asked.understand(masked(*texts), later(), tenant="acme", fresh=fresh)]


async def test_scores_are_those_of_the_model_and_in_the_order_of_the_texts() -> None:
    asked = champion(FakeEnsemble())
    understood, scores = await asyncio.gather(
        labels(asked, "a", "bb", "ccc"), asked.scores("roberta", masked("dddd", "e"), later())
    )
    assert understood == ["a", "bb", "ccc"]
    assert scores.intent.tolist() == [[4, 7], [1, 7]]


async def test_there_are_no_scores_of_a_model_that_is_not_there() -> None:
    with pytest.raises(KeyError):
        await champion(FakeEnsemble()).scores("gpt", masked("a"), later())


async def test_what_was_read_is_remembered_unless_a_fresh_answer_is_asked_for() -> None:
    ensemble, outcomes = FakeEnsemble(), list[Outcome]()
    asked = champion(ensemble, cached_texts=10, observe_cache=outcomes.append)
    await labels(asked, "a")
    await labels(asked, "a")
    assert ensemble.seen == ["a"]
    await labels(asked, "a", fresh=True)
    assert ensemble.seen == ["a", "a"]
    assert outcomes == [Outcome.MISS, Outcome.HIT]


async def test_without_a_cache_nothing_is_remembered() -> None:
    ensemble = FakeEnsemble()
    asked = champion(ensemble)
    await labels(asked, "a")
    await labels(asked, "a")
    assert ensemble.seen == ["a", "a"]


async def test_there_is_no_room_while_too_much_waits() -> None:
    ensemble = FakeEnsemble()
    asked = champion(ensemble, max_waiting=2)
    ensemble.free.clear()
    calls = [asyncio.create_task(labels(asked, "running"))]
    while not ensemble.seen:
        await asyncio.sleep(0.001)
    asked.check_room()
    calls.append(asyncio.create_task(labels(asked, "b", "c")))
    await asyncio.sleep(0.01)
    with pytest.raises(Overloaded):
        asked.check_room()
    ensemble.free.set()
    await asyncio.gather(*calls)
    asked.check_room()


async def test_there_is_no_room_if_the_answer_could_not_be_stored() -> None:
    asked = champion(FakeEnsemble())
    disk_is_full = True

    def check() -> None:
        if disk_is_full:
            raise StorageUnavailable("The disk is nearly full.")

    asked.refuse_when(check)
    with pytest.raises(StorageUnavailable):
        asked.check_room()
    disk_is_full = False
    asked.check_room()


async def test_what_would_wait_here_is_read_by_a_neighbour_with_nothing_to_do(tmp_path: Path) -> None:
    ensembles = FakeEnsemble(), FakeEnsemble()
    busy, idle = (champion(ensemble) for ensemble in ensembles)
    for index, worker in enumerate((busy, idle)):
        await worker.meet(tmp_path, index, 2)
    ensembles[0].free.clear()
    held = asyncio.create_task(labels(busy, "held"))
    await asyncio.sleep(0.01)
    assert await labels(busy, "next") == ["next"]
    assert ensembles[1].seen == ["next"]
    ensembles[0].free.set()
    assert await held == ["held"]
    await busy.close()
    await idle.close()


async def test_a_core_that_no_other_worker_needs_is_used_too(tmp_path: Path) -> None:
    ensembles = FakeEnsemble(), FakeEnsemble()
    workers = [champion(ensemble) for ensemble in ensembles]
    for index, worker in enumerate(workers):
        await worker.meet(tmp_path, index, 2)
    await labels(workers[0], "alone")
    assert (ensembles[0].beside is not None) == (CORES > 1)
    ensembles[1].free.clear()
    held = asyncio.create_task(labels(workers[1], "held"))
    await asyncio.sleep(0.01)
    await labels(workers[0], "not alone")
    assert (ensembles[0].beside is None) == (CORES <= 2)
    ensembles[1].free.set()
    await held
    for worker in workers:
        await worker.close()


async def test_a_large_call_is_shared_and_comes_back_in_order(tmp_path: Path) -> None:
    ensembles = FakeEnsemble(), FakeEnsemble()
    workers = [champion(ensemble) for ensemble in ensembles]
    for index, worker in enumerate(workers):
        await worker.meet(tmp_path, index, 2)
    texts = [f"text {number}" for number in range(32)]
    assert await labels(workers[0], *texts) == texts
    assert [len(ensemble.seen) for ensemble in ensembles] == [16, 16]
    for worker in workers:
        await worker.close()


async def test_when_the_neighbour_has_gone_everything_is_read_here(tmp_path: Path) -> None:
    ensembles = FakeEnsemble(), FakeEnsemble()
    stays, goes = (champion(ensemble) for ensemble in ensembles)
    await stays.meet(tmp_path, 0, 2)
    await goes.meet(tmp_path, 1, 2)
    await goes.close()
    texts = [f"text {number}" for number in range(32)]
    assert await labels(stays, *texts) == texts
    assert len(ensembles[0].seen) == 32
    await stays.close()
