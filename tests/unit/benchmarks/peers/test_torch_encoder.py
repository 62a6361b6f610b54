"""Encoders read back from their ONNX graphs into PyTorch."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from benchmarks.peers.torch_encoder import TorchEncoder, pooled_layers
from frontdesk.features.row import FeatureRows
from model_store.bundle import Bundle
from runners.models.base_model import Batch
from runners.models.encoder import Encoder

TEXTS = ["Where is my parcel?", "I want my money back, and I want it today, not next week!", "hi"]


@pytest.mark.parametrize("name", ["distilbert", "roberta"])
def test_a_restored_encoder_says_what_its_fp32_graph_says(name: str, encoder_bundle: Bundle) -> None:
    folder = encoder_bundle.path / "members"
    batch = Batch(TEXTS, FeatureRows((), np.empty((0, 0), np.float32)), sampling=True)

    restored = TorchEncoder(name, folder).scores(batch)
    graph = Encoder(name, folder, threads=1, precision="fp32").scores(batch)

    assert np.abs(restored.intent - graph.intent).max() < 1e-5
    assert np.abs(restored.sentiment - graph.sentiment).max() < 1e-5
    assert restored.sampled is not None
    assert graph.sampled is not None
    assert np.abs(restored.sampled.mean - graph.sampled.mean).max() < 1e-5
    assert np.abs(restored.sampled.entropy - graph.sampled.entropy).max() < 1e-4


def test_the_layers_that_the_heads_read_are_found_in_their_order() -> None:
    hidden = ["/body/encoder/layer.5/output/LayerNorm", "/body/encoder/layer.2/output/LayerNorm", "embedded"]
    nodes = []
    for number, name in enumerate(hidden):
        nodes += [
            onnx.helper.make_node("Mul", [name, "mask"], [f"masked{number}"]),
            onnx.helper.make_node("ReduceSum", [f"masked{number}"], [f"sum{number}"]),
            onnx.helper.make_node("Div", [f"sum{number}", "lengths"], [f"mean{number}"]),
        ]
    nodes.append(onnx.helper.make_node("Concat", ["mean0", "mean1", "mean2"], ["pooled"], name="/Concat", axis=1))

    assert pooled_layers(onnx.helper.make_graph(nodes, "encoder", [], [])) == [6, 3, 0]
