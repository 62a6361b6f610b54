"""A transformer encoder with an intent and a sentiment head, as one ONNX graph per precision, and its tokenizer.

int8 runs on a CPU, fp16 on CUDA, and fp32 if the other precision does not reproduce the golden rows. Texts of similar
length run together with padding (`length_bucketing.py`). Each token is quantised with its own scale
(`training/models/quantisation.py`), so the result of a text does not depend on the other texts; parity tests check
this. The same graph call can sample the intent head under dropout (Gal & Ghahramani 2016). The masks have a constant
seed, so a text has the same samples in every process and batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding

from frontdesk.decision.uncertainty import entropy
from frontdesk.scores import DropoutStatistics, Floats, Scores
from frontdesk.verified_files import ReadableFile
from runners.models.base_model import ModelBatch
from runners.models.execution_provider import ON_CPU, ExecutionProvider
from runners.models.length_bucketing import ON_CPU as GROUPS_ON_CPU
from runners.models.length_bucketing import ON_GPU as GROUPS_ON_GPU
from runners.models.length_bucketing import group_by_length, load_tokenizer
from runners.models.onnx_graph import open_graph

ENCODER_MEMBERS = ("distilbert", "roberta")
_OUTPUTS = ("intent", "sentiment", "intent_samples")

SAMPLES = 16
MASKS_SEED = 20160619
HEAD_DROPOUT = 0.1
"""Dropout rate of the masks for sampling; also the dropout rate in training unless a profile changes it."""

Precision = Literal["int8", "fp16", "fp32"]
PrecisionSetting = Literal["auto", "int8", "fp16", "fp32"]


def default_precision(provider: ExecutionProvider) -> Precision:
    """Return the best precision for a provider. Dynamic int8 has no advantage on a GPU."""
    return "fp16" if provider.is_gpu else "int8"


def graph_file_name(member: str, precision: Precision) -> str:
    """Return the file name of an encoder's graph."""
    return f"{member}.onnx" if precision == "int8" else f"{member}.{precision}.onnx"


def dropout_masks(seed: int, samples: int, width: int, rate: float) -> Floats:
    """Return masks (samples, width): 0 with probability `rate`, else 1 / (1 - rate); deterministic for a seed."""
    keep_mask = np.random.default_rng(seed).random((samples, width)) >= rate
    return (keep_mask / (1 - rate)).astype(np.float32)


class Encoder:
    """An encoder member, loaded from the graph of one precision and `<name>.tokenizer.json`."""

    def __init__(
        self,
        name: str,
        folder: ReadableFile,
        threads: int,
        provider: ExecutionProvider = ON_CPU,
        precision: Precision = "int8",
    ) -> None:
        self.name = name
        self.precision = precision
        self._graph = open_graph(folder / graph_file_name(name, precision), threads, provider)
        self._tokenizer = load_tokenizer((folder / f"{name}.tokenizer.json").read_bytes().decode())
        self._grouping = GROUPS_ON_GPU if provider.is_gpu else GROUPS_ON_CPU
        self.width = self._graph.input_width("dropout_masks")  # of the pooled features, the input of the heads
        masks = dropout_masks(MASKS_SEED, SAMPLES, self.width, HEAD_DROPOUT)
        self._masks = {
            True: self._graph.copy_to_device(masks),
            False: self._graph.copy_to_device(masks[:0]),
        }  # by `sampling`

    def scores(self, batch: ModelBatch) -> Scores:
        """Return probabilities per task: intent (texts, intents) and sentiment (texts, 3), float32, rows sum to 1."""
        encoded = batch.encodings(self._tokenizer)
        buckets = group_by_length([len(text.ids) for text in encoded], self._grouping)
        outputs = [self._forward([encoded[index] for index in group], batch.sampling) for group in buckets]
        order = np.argsort(np.array([index for group in buckets for index in group], dtype=np.intp))
        intent, sentiment, samples = (np.concatenate(parts)[order] for parts in zip(*outputs, strict=True))
        sampled = DropoutStatistics(samples.mean(axis=1), entropy(samples).mean(axis=1)) if batch.sampling else None
        return Scores(intent, sentiment, sampled)

    def _forward(self, encoded: Sequence[Encoding], sampling: bool) -> list[Floats]:
        ids, mask = _pad_token_ids([text.ids for text in encoded])
        inputs = {"input_ids": ids, "attention_mask": mask}
        return self._graph.run(_OUTPUTS, inputs, {"dropout_masks": self._masks[sampling]})


def _pad_token_ids(rows: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return token ids and attention mask (texts, longest), padded with 0."""
    ids = np.zeros((len(rows), max(len(row) for row in rows)), dtype=np.int64)
    mask = np.zeros_like(ids)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = row
        mask[index, : len(row)] = 1
    return ids, mask
