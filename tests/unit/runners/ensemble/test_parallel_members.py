from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import current_thread

import numpy as np
import pytest

from model_store.bundle import Bundle
from runners.ensemble.ensemble import Ensemble
from runners.ensemble.parallel_members import score_members
from runners.models.base_model import ModelBatch

TEXTS = ["Where is my parcel?", "I want my money back, this is a disgrace!", "hi"]


@dataclass
class Threads:
    """A pool that records its calls."""

    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "beside"))
    ran: list[str] = field(default_factory=list)

    def submit(self, work: object, *arguments: object) -> object:
        def run() -> object:
            self.ran.append(current_thread().name.partition("_")[0])
            return work(*arguments)

        return self.pool.submit(run)


@pytest.fixture
def threads() -> Iterator[Threads]:
    recording_threads = Threads()
    yield recording_threads
    recording_threads.pool.shutdown()


def test_scores_are_the_same_in_parallel_and_in_sequence(encoder_bundle: Bundle, threads: Threads) -> None:
    ensemble = Ensemble.load(encoder_bundle)
    batch = ModelBatch(TEXTS, ensemble.features.extract(TEXTS), sampling=True)
    for one, other in zip(
        score_members(ensemble.members, batch), score_members(ensemble.members, batch, threads), strict=True
    ):
        np.testing.assert_array_equal(one.intent, other.intent)
        np.testing.assert_array_equal(one.sentiment, other.sentiment)
    assert threads.ran == ["beside"]


def test_without_an_encoder_everything_runs_in_sequence(tiny_bundle: Bundle, threads: Threads) -> None:
    ensemble = Ensemble.load(tiny_bundle)
    batch = ModelBatch(TEXTS, ensemble.features.extract(TEXTS))
    assert len(score_members(ensemble.members, batch, threads)) == len(ensemble.members)
    assert threads.ran == []
