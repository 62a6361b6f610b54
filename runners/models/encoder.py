"""A transformer encoder with an intent and a sentiment head, as one ONNX graph, and its tokenizer.

Texts are run one at a time, without padding. Dynamic int8 takes its scale from everything in the call, so in company a
text's probabilities moved by up to 0.08 (measured, groups of eight), and the same message must not be understood
differently under load. It costs about a third of the throughput that groups of eight would give.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from frontdesk.scores import Floats, Scores
from runners.models.member import Batch
from runners.models.provider import ON_CPU, Provider
from runners.models.session import open_session

ENCODER_MEMBERS = ("distilbert", "roberta")


class Encoder:
    """An encoder member, read from `<folder>/<name>.onnx` and `<name>.tokenizer.json`."""

    def __init__(self, name: str, folder: Path, threads: int, provider: Provider = ON_CPU) -> None:
        self.name = name
        self.precision = "int8"
        self._session = open_session(folder / f"{name}.onnx", threads, provider)
        self._tokenizer = Tokenizer.from_file(str(folder / f"{name}.tokenizer.json"))

    def scores(self, batch: Batch) -> Scores:
        """Probabilities per task: intent (texts, intents) and sentiment (texts, 3), float32, rows sum to 1."""
        outputs = [self._forward(encoding.ids) for encoding in self._tokenizer.encode_batch_fast(list(batch.texts))]
        return Scores(
            np.concatenate([intent for intent, _ in outputs]), np.concatenate([sentiment for _, sentiment in outputs])
        )

    def _forward(self, tokens: Sequence[int]) -> tuple[Floats, Floats]:
        ids = np.array([tokens], dtype=np.int64)
        intent, sentiment = self._session.run(
            ["intent", "sentiment"], {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        )
        return intent, sentiment
