"""A transformer encoder with an intent and a sentiment head, as one ONNX graph a precision, and its tokenizer.

int8 on a CPU, fp16 on CUDA, fp32 where the other one does not reproduce the golden rows. Texts of similar length are
run together, padded: every token is quantised by a scale of its own (`training/quantisation.py`), so a text's result
does not depend on its company, which parity tests check. The same graph call can sample the intent head under dropout
(Gal & Ghahramani 2016), by masks of a constant seed: a text gets the same figures in every process and batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from frontdesk.decision.uncertainty import entropy
from frontdesk.scores import Floats, Sampled, Scores
from runners.models.member import Batch
from runners.models.provider import ON_CPU, Provider
from runners.models.session import open_session

ENCODER_MEMBERS = ("distilbert", "roberta")
GROUP_ON_CPU, GROUP_ON_GPU = 8, 64  # texts in one call: a CPU gains nothing beyond (FACTS), and padding costs

SAMPLES = 16
MASKS_SEED = 20160619
HEAD_DROPOUT = 0.1
"""Of the masks that serving samples with; the share that encoders drop in training unless a profile says otherwise."""

Precision = Literal["int8", "fp16", "fp32"]
PrecisionWish = Literal["auto", "int8", "fp16", "fp32"]


def default_precision(provider: Provider) -> Precision:
    """What runs best where: dynamic int8 gains nothing on a GPU."""
    return "fp16" if provider.on_gpu else "int8"


def graph_name(member: str, precision: Precision) -> str:
    """The file of an encoder's graph."""
    return f"{member}.onnx" if precision == "int8" else f"{member}.{precision}.onnx"


def dropout_masks(seed: int, samples: int, width: int, rate: float) -> Floats:
    """(samples, width): 0 with probability `rate`, else 1 / (1 - rate). The same seed gives the same masks."""
    kept = np.random.default_rng(seed).random((samples, width)) >= rate
    return (kept / (1 - rate)).astype(np.float32)


class Encoder:
    """An encoder member, read from the graph of a precision and `<name>.tokenizer.json`."""

    def __init__(
        self, name: str, folder: Path, threads: int, provider: Provider = ON_CPU, precision: Precision = "int8"
    ) -> None:
        self.name = name
        self.precision = precision
        self._session = open_session(folder / graph_name(name, precision), threads, provider)
        self._tokenizer = Tokenizer.from_file(str(folder / f"{name}.tokenizer.json"))
        self._group = GROUP_ON_GPU if provider.on_gpu else GROUP_ON_CPU
        self.width = int(self._session.get_inputs()[2].shape[1])  # of the pooled features that the heads read
        self._masks = dropout_masks(MASKS_SEED, SAMPLES, self.width, HEAD_DROPOUT)

    def scores(self, batch: Batch) -> Scores:
        """Probabilities per task: intent (texts, intents) and sentiment (texts, 3), float32, rows sum to 1."""
        intent, sentiment, samples = self._outputs(batch.texts, self._masks if batch.sampling else self._masks[:0])
        sampled = Sampled(samples.mean(axis=1), entropy(samples).mean(axis=1)) if batch.sampling else None
        return Scores(intent, sentiment, sampled)

    def _outputs(self, texts: Sequence[str], masks: Floats) -> list[Floats]:
        """Groups of similar length; the results in the order of `texts`."""
        encoded = self._tokenizer.encode_batch_fast(list(texts))
        order = sorted(range(len(encoded)), key=lambda row: len(encoded[row].ids))
        groups = [order[start : start + self._group] for start in range(0, len(order), self._group)]
        outputs = [self._forward([encoded[row] for row in group], masks) for group in groups]
        place = np.argsort(np.array(order, dtype=np.intp))
        return [np.concatenate(parts)[place] for parts in zip(*outputs, strict=True)]

    def _forward(self, encoded: Sequence[Encoding], masks: Floats) -> list[Floats]:
        ids, mask = _padded([row.ids for row in encoded])
        outputs: list[Floats] = self._session.run(
            ["intent", "sentiment", "intent_samples"],
            {"input_ids": ids, "attention_mask": mask, "dropout_masks": masks},
        )
        return outputs


def _padded(rows: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Token ids and mask, (texts, longest), padded with 0."""
    ids = np.zeros((len(rows), max(len(row) for row in rows)), dtype=np.int64)
    mask = np.zeros_like(ids)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = row
        mask[place, : len(row)] = 1
    return ids, mask
