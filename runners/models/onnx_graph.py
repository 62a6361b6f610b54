"""Calls of an encoder graph: with arrays on a CPU, with bound memory on a GPU.

A plain call copies every input to the GPU. With IO binding, constant inputs (the dropout masks) are copied only once,
and outputs are allocated on the device that computes them. On a CPU there is nothing to copy, and binding costs more
than it saves (0.02 ms per call, measured), so plain calls are used. This code has not run on a GPU yet; binding is
tested on the CPU.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import onnxruntime
from numpy.typing import NDArray

from frontdesk.verified_files import ReadableFile
from runners.models.execution_provider import ON_CPU, ExecutionProvider
from runners.models.onnx_session import open_session

Array = NDArray[Any]


class OnnxGraph:
    """An ONNX session. With a `device`, inputs and outputs are bound to its memory (onnxruntime's I/O binding)."""

    def __init__(self, session: onnxruntime.InferenceSession, device: str | None = None) -> None:
        self._session = session
        self._device = device

    def input_width(self, name: str) -> int:
        """Return the last dimension of the input `name`."""
        return next(
            int(model_input.shape[-1]) for model_input in self._session.get_inputs() if model_input.name == name
        )

    def copy_to_device(self, array: Array) -> Any:
        """Copy an array to the device, as an input for many calls of `run`."""
        return array if self._device is None else onnxruntime.OrtValue.ortvalue_from_numpy(array, self._device, 0)

    def run(self, outputs: Sequence[str], inputs: Mapping[str, Array], device_inputs: Mapping[str, Any]) -> list[Array]:
        """Return the outputs with the names `outputs`, in order. `device_inputs` are results of `copy_to_device`."""
        if self._device is None:
            plain: list[Array] = self._session.run(outputs, {**inputs, **device_inputs})
            return plain
        binding = self._session.io_binding()
        for name, array in inputs.items():
            binding.bind_cpu_input(name, array)
        for name, value in device_inputs.items():
            binding.bind_ortvalue_input(name, value)
        for name in outputs:
            binding.bind_output(name, self._device)
        self._session.run_with_iobinding(binding)
        bound: list[Array] = binding.copy_outputs_to_cpu()
        return bound


def open_graph(path: ReadableFile, threads: int, provider: ExecutionProvider = ON_CPU) -> OnnxGraph:
    """Open a graph on `provider`; raises as `open_session`."""
    return OnnxGraph(open_session(path, threads, provider), "cuda" if provider.is_gpu else None)
