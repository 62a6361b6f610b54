"""The layers of serving, stacked as in a worker."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bentos.wiring.model import build_model_server, open_load_board
from frontdesk.config import ModelSettings
from frontdesk.deadline import Deadline
from frontdesk.types import MaskedText, Understanding
from runners.balancing.shared_load import LoadBoard
from runners.batching.spare_core import CORES
from runners.server.cached import CacheOutcome
from runners.server.model_server import ModelServer
from tests.support.fakes import understanding


class FakeEnsemble:
    """Returns the text as its label; waits while `free` is not set."""

    version = "v1"
    taxonomy = SimpleNamespace(labels=("a",))
    sentiments = ("negative", "neutral", "positive")
    models = ("ensemble",)

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.encoder_executor: Executor | None = None
        self.free = threading.Event()
        self.free.set()

    def is_up(self, _: str) -> bool:
        return True

    def understand(self, texts: Sequence[str], encoder_executor: Executor | None = None) -> list[Understanding]:
        self.seen += texts
        self.encoder_executor = encoder_executor
        assert self.free.wait(5)
        return [understanding(label=text) for text in texts]


def server(
    ensemble: Any, *, cached_texts: int = 0, board: LoadBoard | None = None
) -> tuple[ModelServer, list[CacheOutcome]]:
    outcomes: list[CacheOutcome] = []
    metrics: Any = SimpleNamespace(observe_score_cache=outcomes.append)
    return build_model_server(ensemble, ModelSettings(cached_texts=cached_texts), metrics, board), outcomes


async def labels(models: ModelServer, *texts: str) -> list[str]:
    masked = [MaskedText(text) for text in texts]
    return [result.intent.label for result in await models.understand(masked, Deadline.after(5), tenant="acme")]


async def test_a_lone_worker_caches_what_it_has_understood() -> None:
    ensemble = FakeEnsemble()
    models, outcomes = server(ensemble, cached_texts=10)
    assert await labels(models, "a") == await labels(models, "a") == ["a"]
    assert ensemble.seen == ["a"]
    assert outcomes == [CacheOutcome.MISS, CacheOutcome.HIT]
    assert models.balanced is None
    await models.close()


async def test_without_cached_texts_everything_is_understood_again() -> None:
    ensemble = FakeEnsemble()
    models, outcomes = server(ensemble)
    await labels(models, "a")
    await labels(models, "a")
    assert ensemble.seen == ["a", "a"]
    assert outcomes == []
    await models.close()


async def test_workers_share_their_work_and_a_core_that_none_of_them_needs(tmp_path: Path) -> None:
    ensembles = FakeEnsemble(), FakeEnsemble()
    workers = [server(each, board=open_load_board(tmp_path, place, 2))[0] for place, each in enumerate(ensembles)]
    for worker in workers:
        assert worker.balanced is not None
        await worker.balanced.start()
    texts = [f"text {number}" for number in range(32)]
    assert await labels(workers[0], *texts) == texts
    assert [len(ensemble.seen) for ensemble in ensembles] == [16, 16]
    await labels(workers[0], "alone")
    assert (ensembles[0].encoder_executor is not None) == (CORES > 1)
    ensembles[1].free.clear()
    held = asyncio.create_task(labels(workers[1], "held"))
    await asyncio.sleep(0.01)
    await labels(workers[0], "not alone")
    assert (ensembles[0].encoder_executor is None) == (CORES <= 2)
    ensembles[1].free.set()
    await held
    for worker in workers:
        await worker.close()


def test_only_several_workers_have_a_board(tmp_path: Path) -> None:
    assert open_load_board(tmp_path / "lending", 0, 1) is None
    assert not (tmp_path / "lending").exists()
    board = open_load_board(tmp_path / "lending", 1, 2)
    assert board is not None
    assert board.loads_of_others() == {0: 0}


def test_a_board_that_cannot_be_created_is_told_and_done_without(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "lending").write_text("a file")
    with caplog.at_level(logging.WARNING):
        assert open_load_board(tmp_path / "lending", 0, 2) is None
    assert "Workers cannot share their work" in caplog.text
