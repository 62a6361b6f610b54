"""The bundle's encoders as PyTorch modules again: their weights, read from the fp32 ONNX graphs, in the class that
trained them.

A bundle holds graphs, not checkpoints. Exporting kept the names of embeddings, norms and biases; the matrices of linear
layers lie transposed under the names of their nodes, and attention's three biases in one row. Works for encoders that
began as MiniLM (`training/models/backbones.py`), whose architecture is known. The harness proves that nothing was lost:
a peer must give the intents and confidences of the fp32 graphs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from tokenizers import Tokenizer

from benchmarks.peers.model import bundle
from frontdesk.decision.uncertainty import entropy
from frontdesk.scores import Sampled, Scores
from runners.ensemble.ensemble import Ensemble
from runners.models.base_model import Batch
from runners.models.encoder import ENCODER_MEMBERS, HEAD_DROPOUT, MASKS_SEED, SAMPLES, dropout_masks, graph_name
from training.models.backbones import MINILM, load_backbone
from training.models.encoder import EncoderModel, padded

_LINEAR = re.compile(r"(/body/.+)/MatMul")
_LAYER = re.compile(r"/layer\.(\d+)/")


def with_torch_encoders(ensemble: Ensemble) -> Ensemble:
    """The same ensemble, its encoders run by PyTorch with one thread."""
    torch.set_num_threads(1)
    folder = bundle().path / "members"
    members = (TorchEncoder(of.name, folder) if of.name in ENCODER_MEMBERS else of for of in ensemble.members)
    return replace(ensemble, members=tuple(members))


class TorchEncoder:
    """An encoder member that runs eagerly in fp32; its dropout samples are those of the graph that is served."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._model = restore(onnx.load(folder / graph_name(name, "fp32")).graph, name)
        self._tokenizer = Tokenizer.from_file(str(folder / f"{name}.tokenizer.json"))
        self._masks = torch.from_numpy(dropout_masks(MASKS_SEED, SAMPLES, self._model.intent.in_features, HEAD_DROPOUT))

    @torch.inference_mode()
    def scores(self, batch: Batch) -> Scores:
        """Probabilities per task: intent (texts, intents) and sentiment (texts, 3), float32, rows sum to 1."""
        encoded = self._tokenizer.encode_batch_fast(list(batch.texts))
        features = self._model.pooled(*padded([row.ids for row in encoded]))
        samples = self._model.intent(features.unsqueeze(1) * self._masks).softmax(2).numpy()
        return Scores(
            self._model.intent(features).softmax(1).numpy(),
            self._model.sentiment(features).softmax(1).numpy(),
            Sampled(samples.mean(axis=1), entropy(samples).mean(axis=1)),
        )


def restore(graph: onnx.GraphProto, architecture: str) -> EncoderModel:
    """The trained module of an fp32 graph; raises RuntimeError naming the weights that the graph does not have."""
    state = {name: torch.from_numpy(array.copy()) for name, array in weights(graph).items()}
    layers = 1 + max(int(found[1]) for name in state if (found := re.search(r"\.layer\.(\d+)\.", name)))
    model = EncoderModel(
        load_backbone(architecture, MINILM, layers),
        intents=len(state["intent.bias"]),
        sentiments=len(state["sentiment.bias"]),
        pooled_layers=pooled_layers(graph),
        dropout=0.0,
    )
    model.load_state_dict(state)
    model.body.set_attn_implementation("sdpa")  # exporting needed the slower one
    return model.eval()


def weights(graph: onnx.GraphProto) -> Mapping[str, np.ndarray]:
    """Every weight of the encoder by its name in `EncoderModel`."""
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    found = {name.removeprefix("model."): array for name, array in arrays.items() if name.startswith("model.")}
    for node in graph.node:
        if linear := _LINEAR.fullmatch(node.name):
            found[_parameter(linear[1], "weight")] = arrays[node.input[1]].T
        if node.op_type == "MultiHeadAttention":  # query, key, value, and their biases in one row
            for product, bias in zip(node.input[:3], np.split(arrays[node.input[3]], 3), strict=True):
                found[_parameter(product.removesuffix("/MatMul_output_0"), "bias")] = bias
    return found


def pooled_layers(graph: onnx.GraphProto) -> list[int]:
    """Which layers' outputs the heads read, counted as `EncoderModel` does: followed back from their concatenation."""
    made_by = {output: node for node in graph.node for output in node.output}
    (concatenated,) = (node for node in graph.node if node.name == "/Concat")
    pooled = []
    for mean in concatenated.input:
        total = made_by[made_by[mean].input[0]]  # mean = total / lengths; total = sum(hidden * mask)
        hidden = made_by[total.input[0]].input[0]
        layer = _LAYER.search(hidden)
        pooled.append(int(layer[1]) + 1 if layer else 0)
    return pooled


def _parameter(node: str, kind: str) -> str:
    """/body/encoder/layer.0/output/dense -> body.encoder.layer.0.output.dense.weight"""
    return f"{node.removeprefix('/').replace('/', '.')}.{kind}"
