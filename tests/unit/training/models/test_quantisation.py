"""A graph of one product and one embedding, in fp32 and as int8."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.support.int8 import needs_exact_int8
from training.models.quantisation import LARGE_TABLE, quantise

WIDTH = 64


def graph(name: str) -> onnx.ModelProto:
    """ids (texts, tokens) -> embeddings -> product: a minimal encoder of two nodes."""
    values = np.random.default_rng(0)
    table = values.normal(size=(LARGE_TABLE, WIDTH)).astype(np.float32)
    weights = values.normal(size=(WIDTH, WIDTH)).astype(np.float32)
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["words"], name=f"{name}/words"),
        helper.make_node("MatMul", ["words", "weights"], ["out"], name=f"{name}/product"),
    ]
    onnx_graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["texts", "tokens"])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["texts", "tokens", WIDTH])],
        [numpy_helper.from_array(table, "table"), numpy_helper.from_array(weights, "weights")],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(onnx_graph, opset_imports=opsets, ir_version=10)


def run(model: onnx.ModelProto, ids: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(["out"], {"ids": ids})[0]


@pytest.fixture(scope="module")
def small() -> onnx.ModelProto:
    model = graph("/body")
    quantise(model, within="/body/")
    return model


@needs_exact_int8
def test_an_int8_graph_is_a_quarter_of_the_size_and_nearly_the_same(small: onnx.ModelProto) -> None:
    ids = np.arange(60).reshape(3, 20)
    exact, near = run(graph("/body"), ids), run(small, ids)
    assert np.abs(exact - near).max() < 0.03 * np.abs(exact).max()
    assert small.ByteSize() < graph("/body").ByteSize() / 3


def test_a_token_does_not_depend_on_the_batch(small: onnx.ModelProto) -> None:
    ids = np.arange(60).reshape(3, 20)
    together = run(small, ids)
    for row in range(3):
        np.testing.assert_array_equal(run(small, ids[row : row + 1])[0], together[row])


def test_a_token_of_nothing_but_zeros_stays_zero() -> None:
    model = graph("/body")
    table = np.zeros((LARGE_TABLE, WIDTH), dtype=np.float32)
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(table, "table"))
    quantise(model, within="/body/")
    assert (run(model, np.zeros((1, 4), dtype=np.int64)) == 0).all()


def test_what_lies_outside_is_left_as_it_is() -> None:
    model = graph("/head")
    before = model.SerializeToString()
    quantise(model, within="/body/")
    assert model.SerializeToString() == before
