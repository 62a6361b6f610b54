from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from runners.models.onnx_graph import OnnxGraph
from runners.models.onnx_session import PROBE


@pytest.fixture(params=[None, "cpu"], ids=["plain", "bound"])
def graph(request: pytest.FixtureRequest) -> OnnxGraph:
    session = onnxruntime.InferenceSession(PROBE, providers=["CPUExecutionProvider"])
    return OnnxGraph(session, request.param)


def test_a_graph_returns_its_outputs(graph: OnnxGraph) -> None:
    (product,) = graph.run(["y"], {"x": np.full((2, 2), 2, np.float32)}, {})
    assert product.tolist() == [[8, 8], [8, 8]]


def test_device_inputs_can_be_used_for_many_calls(graph: OnnxGraph) -> None:
    device_inputs = {"x": graph.copy_to_device(np.eye(2, dtype=np.float32) * 3)}
    for _ in range(3):
        (product,) = graph.run(["y"], {}, device_inputs)
        assert product.tolist() == [[9, 0], [0, 9]]


def test_a_width_is_that_of_the_graph(graph: OnnxGraph) -> None:
    assert graph.input_width("x") == 2
