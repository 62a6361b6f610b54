"""Fake models with names, and a worker context for them, for tests of the Open Inference Protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np

from frontdesk.deadline import Deadline
from frontdesk.masking.masked_message import mask_message_steps
from frontdesk.scores import Scores
from frontdesk.time_slicing import TimeSlicer
from frontdesk.types import MaskedText


@dataclass
class FakeModels:
    """Predicts the intent with the index text length modulo 3; "trees" has the inverse scores. Records the texts."""

    version: str = "20260101-0123456789ab"
    models: tuple[str, ...] = ("ensemble", "trees")
    labels: tuple[str, ...] = ("refund", "track_order", "cancel")
    sentiments: tuple[str, ...] = ("negative", "neutral", "positive")
    down: frozenset[str] = frozenset()
    seen: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def is_up(self, model: str) -> bool:
        return model not in self.down

    def check_batch(self, lengths: Sequence[int], deadline: Deadline) -> None:
        pass

    async def scores(self, model: str, texts: Sequence[MaskedText], deadline: Deadline) -> Scores:
        await asyncio.sleep(0)  # lets an expired deadline cancel this call
        self.seen.append((model, tuple(text.text for text in texts)))
        intent = np.full((len(texts), 3), 0.125, np.float32)
        intent[range(len(texts)), [len(text.text) % 3 for text in texts]] = 0.5
        sentiment = np.tile(np.array([0.25, 0.5, 0.25], np.float32), (len(texts), 1))
        return Scores(intent if model == "ensemble" else 1 - intent, sentiment)


@dataclass
class FakeWorker:
    """The parts of a worker context that the protocol uses."""

    champion: FakeModels = field(default_factory=FakeModels)
    pipeline: SimpleNamespace = field(
        default_factory=lambda: SimpleNamespace(mask_steps=mask_message_steps, time_slicer=TimeSlicer())
    )

    @property
    def models(self) -> FakeWorker:
        return self
