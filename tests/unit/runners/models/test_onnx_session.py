"""Sessions of the real onnxruntime. A configured GPU must not silently be replaced by the CPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from frontdesk.errors import BundleError, ConfigurationError
from runners.models.execution_provider import ExecutionProvider
from runners.models.onnx_session import PROBE, find_execution_provider, find_execution_provider_problem, open_session

without_cuda = pytest.mark.skipif(
    "CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="this onnxruntime offers CUDA"
)


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    path = tmp_path / "graph.onnx"
    path.write_bytes(PROBE)
    return path


def test_the_probe_is_one_product_of_matrices_that_onnx_accepts() -> None:
    model = onnx.load_from_string(PROBE)
    onnx.checker.check_model(model, full_check=True)
    assert [(node.op_type, list(node.input)) for node in model.graph.node] == [("MatMul", ["x", "x"])]


def test_a_graph_opens_on_the_cpu_by_default(graph: Path) -> None:
    session = open_session(graph, threads=1)
    (product,) = session.run(["y"], {"x": np.eye(2, dtype=np.float32) * 3})
    assert session.get_providers() == ["CPUExecutionProvider"]
    assert product.tolist() == [[9.0, 0.0], [0.0, 9.0]]


def test_a_file_that_is_no_graph_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"not a graph")
    with pytest.raises(BundleError, match=r"cannot read broken\.onnx"):
        open_session(tmp_path / "broken.onnx", threads=1)


@without_cuda
@pytest.mark.filterwarnings("ignore:Specified provider")
def test_a_session_that_fell_back_to_the_cpu_is_refused(graph: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"graph\.onnx cannot run on cuda: onnxruntime fell back to CPU"):
        open_session(graph, 1, ExecutionProvider("cuda", "configured"))


@without_cuda
def test_a_build_without_cuda_is_named_and_creates_no_folder(tmp_path: Path) -> None:
    assert "does not offer it" in str(find_execution_provider_problem("tensorrt", tmp_path / "engines"))
    assert not (tmp_path / "engines").exists()
    provider = find_execution_provider("auto", tmp_path / "engines")
    assert provider.name == "cpu"
    assert f"onnxruntime {onnxruntime.__version__}" in provider.because


@without_cuda
def test_cuda_by_name_is_refused_on_a_machine_without_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"model\.provider is cuda"):
        find_execution_provider("cuda", tmp_path)


def test_the_configured_cpu_is_not_tested(tmp_path: Path) -> None:
    assert find_execution_provider("cpu", tmp_path).because == "configured"
