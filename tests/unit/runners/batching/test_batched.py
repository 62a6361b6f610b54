from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Executor

import numpy as np
import pytest

from frontdesk.deadline import Deadline
from frontdesk.errors import Overloaded
from frontdesk.scores import Scores
from frontdesk.types import MaskedText, Understanding
from runners.batching.batched import Batched
from runners.batching.scheduler import BatchLimits
from runners.batching.spare_core import SpareCoreExecutor
from runners.batching.text_costs import TextCosts
from tests.support.fakes import understanding


class FakeEnsemble:
    """Returns each text as its label; scores are the lengths of text and model name. Can be blocked."""

    models = ("ensemble", "roberta")

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.executors: list[Executor | None] = []
        self.free = threading.Event()
        self.free.set()

    def understand(self, texts: Sequence[str], encoder_executor: Executor | None = None) -> list[Understanding]:
        self.batches.append(list(texts))
        self.executors.append(encoder_executor)
        assert self.free.wait(5)
        return [understanding(label=text) for text in texts]

    def scores(self, model: str, texts: Sequence[str]) -> Scores:
        column = np.array([[len(text), len(model)] for text in texts], np.float32)
        return Scores(column, column)


class FakeSpareCore(SpareCoreExecutor):
    """Offers its thread as the test requires, regardless of the machine."""

    is_free = True
    is_closed = False

    def executor(self) -> Executor | None:
        return self._executor if self.is_free else None

    def close(self) -> None:
        self.is_closed = True
        super().close()


@pytest.fixture
def ensemble() -> FakeEnsemble:
    return FakeEnsemble()


@pytest.fixture
def spare_core() -> FakeSpareCore:
    return FakeSpareCore()


@pytest.fixture
async def batched(ensemble: FakeEnsemble, spare_core: FakeSpareCore) -> AsyncIterator[Batched]:
    layer = Batched(ensemble, BatchLimits(max_batch=4, max_waiting=4), spare_core)
    yield layer
    ensemble.free.set()
    await layer.close()


def masked(*texts: str) -> list[MaskedText]:
    return [MaskedText(text) for text in texts]


def later() -> Deadline:
    return Deadline.after(5)


async def labels(batched: Batched, *texts: str) -> list[str]:
    return [result.intent.label for result in await batched.understand(masked(*texts), later())]


async def running(ensemble: FakeEnsemble, batched: Batched) -> asyncio.Task[list[str]]:
    """Start a call that occupies the ensemble until it is released."""
    ensemble.free.clear()
    call = asyncio.create_task(labels(batched, "running"))
    while not ensemble.batches:
        await asyncio.sleep(0.001)
    return call


async def test_scores_are_those_of_the_model_and_in_the_order_of_the_texts(batched: Batched) -> None:
    understood, scores = await asyncio.gather(
        labels(batched, "a", "bb"), batched.scores("roberta", masked("dddd", "e"), later())
    )
    assert understood == ["a", "bb"]
    assert scores.intent.tolist() == [[4, 7], [1, 7]]


async def test_an_unknown_model_has_no_scores(batched: Batched) -> None:
    with pytest.raises(KeyError):
        await batched.scores("gpt", masked("a"), later())


async def test_waiting_texts_run_together(ensemble: FakeEnsemble, batched: Batched) -> None:
    first = await running(ensemble, batched)
    second = asyncio.create_task(labels(batched, "b", "c"))
    await asyncio.sleep(0.01)
    assert batched.waiting == 2
    ensemble.free.set()
    assert await asyncio.gather(first, second) == [["running"], ["b", "c"]]
    assert ensemble.batches == [["running"], ["b", "c"]]
    assert batched.waiting == 0


async def test_a_full_queue_has_no_room(ensemble: FakeEnsemble, batched: Batched) -> None:
    first = await running(ensemble, batched)
    batched.check_room()
    second = asyncio.create_task(labels(batched, *"bcde"))
    await asyncio.sleep(0.01)
    batched.check_room()
    with pytest.raises(Overloaded):
        batched.check_room(bulk=True)
    with pytest.raises(Overloaded):
        batched.check_batch([1], later())
    ensemble.free.set()
    await asyncio.gather(first, second)
    batched.check_room()
    batched.check_batch([1], later())


async def test_a_batch_that_takes_too_long_is_refused_with_the_size_that_would_be_accepted(
    ensemble: FakeEnsemble, spare_core: FakeSpareCore
) -> None:
    limits = BatchLimits(max_batch=4, max_waiting=300)
    layer = Batched(ensemble, limits, spare_core, TextCosts([(100, 0.01), (4000, 0.4)]))
    layer.check_batch([100] * 256, Deadline.after(10))
    layer.check_batch([4000] * 20, Deadline.after(10))
    with pytest.raises(Overloaded, match=r"256 messages with 1024000 characters") as refused:
        layer.check_batch([4000] * 256, Deadline.after(10))
    assert refused.value.accepted is not None
    assert 20 <= refused.value.accepted.messages <= 22
    assert refused.value.accepted.characters == 4000 * refused.value.accepted.messages
    assert refused.value.retry_after_s == 1.0
    layer.check_batch([4000] * refused.value.accepted.messages, Deadline.after(10))
    layer.check_batch([4000] * 40, Deadline.after(10), local_share=0.5)
    assert ensemble.batches == []
    await layer.close()


async def test_the_spare_core_is_offered_for_each_batch(
    ensemble: FakeEnsemble, batched: Batched, spare_core: FakeSpareCore
) -> None:
    await labels(batched, "a")
    spare_core.is_free = False
    await labels(batched, "b")
    assert [executor is None for executor in ensemble.executors] == [False, True]


async def test_closing_finishes_accepted_work_and_ends_the_spare_thread(
    ensemble: FakeEnsemble, spare_core: FakeSpareCore
) -> None:
    layer = Batched(ensemble, BatchLimits(max_batch=4, max_waiting=2), spare_core)
    call = asyncio.create_task(labels(layer, "a"))
    await asyncio.sleep(0)
    await layer.close()
    assert await call == ["a"]
    assert spare_core.is_closed
