"""An encoder's graph as it is called: on a CPU with arrays, on a GPU with bound memory.

A plain call copies every input to the GPU each time. With IO binding what never changes (the dropout masks) is copied
once and stays, and outputs are allocated where they are computed. On a CPU there is nothing to copy, and binding costs
more than it saves (0.02 ms a call, measured), so a plain call is made there. No GPU has run this yet; binding itself is
tested on the CPU.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import onnxruntime
from numpy.typing import NDArray

from frontdesk.verified_files import ReadableFile
from runners.models.execution_provider import ON_CPU, Provider
from runners.models.onnx_session import open_session

Array = NDArray[Any]


class Graph:
    """A session, and the device that it binds memory on; None for plain calls."""

    def __init__(self, session: onnxruntime.InferenceSession, device: str | None = None) -> None:
        self._session = session
        self._device = device

    def width(self, name: str) -> int:
        """The last dimension of the input `name`."""
        return next(
            int(model_input.shape[-1]) for model_input in self._session.get_inputs() if model_input.name == name
        )

    def copy_to_device(self, array: Array) -> Any:
        """`array` for many calls of `run`, copied to the device now."""
        return array if self._device is None else onnxruntime.OrtValue.ortvalue_from_numpy(array, self._device, 0)

    def run(self, outputs: Sequence[str], inputs: Mapping[str, Array], device_inputs: Mapping[str, Any]) -> list[Array]:
        """The outputs by name, in that order. `copy_to_device` are inputs that `copy_to_device` has made."""
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


def open_graph(path: ReadableFile, threads: int, provider: Provider = ON_CPU) -> Graph:
    """Open a graph on `provider`; raises what `open_session` raises."""
    return Graph(open_session(path, threads, provider), "cuda" if provider.is_gpu else None)
