"""Choice of the onnxruntime execution provider for encoders, as a pure function, and the options of each provider.

Only encoder graphs run on a GPU. The trees, the linear model and the candidate scorers take 0.006 to 0.06 ms on one CPU
core (measured), less than copying their rows to a GPU and back, so they always run on the CPU.

`auto` means CUDA if it works, else the CPU. TensorRT must be configured explicitly: bundles contain graphs that are
fused into onnxruntime's own operators, for which CUDA has kernels and TensorRT has none, and TensorRT builds an engine,
which takes minutes, for each new text length. `onnx_session.py` tests which providers work on a machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from frontdesk.errors import ConfigurationError

ProviderSetting = Literal["auto", "tensorrt", "cuda", "cpu"]
ProviderName = Literal["tensorrt", "cuda", "cpu"]

ONNXRUNTIME_NAMES: Mapping[ProviderName, str] = MappingProxyType(
    {"tensorrt": "TensorrtExecutionProvider", "cuda": "CUDAExecutionProvider", "cpu": "CPUExecutionProvider"}
)
GPU_CANDIDATES: Mapping[ProviderSetting, tuple[ProviderName, ...]] = MappingProxyType(
    {"auto": ("cuda",), "tensorrt": ("tensorrt",), "cuda": ("cuda",), "cpu": ()}
)
"""The GPU providers to try for each setting, best first."""

INSTALL_HINT = (
    "For a GPU: an NVIDIA driver, then `make ACCELERATOR=gpu serve` (onnxruntime-gpu in place of onnxruntime); "
    "`frontdesk gpu-check` says what is missing. Without one: model.provider auto or cpu."
)


@dataclass(frozen=True, slots=True)
class ExecutionProvider:
    """The execution provider of the encoders in this process, and the reason for its choice.

    `engines` is the folder for the engines that TensorRT builds; other providers do not use it.
    """

    name: ProviderName
    because: str
    engines: Path | None = None

    @property
    def is_gpu(self) -> bool:
        return self.name != "cpu"

    def session_providers(self) -> list[tuple[str, dict[str, Any]]]:
        """Return onnxruntime's providers in order of preference, each with its options.

        The last is always the CPU, which runs the nodes that compute shapes, even with a GPU.
        """
        cpu: tuple[str, dict[str, Any]] = (ONNXRUNTIME_NAMES["cpu"], {})
        if self.name == "cpu":
            return [cpu]
        cuda: tuple[str, dict[str, Any]] = (
            ONNXRUNTIME_NAMES["cuda"],
            {
                "arena_extend_strategy": "kSameAsRequested",  # doubling would take memory from other processes
                "use_tf32": "0",  # its mantissa of ten bits cannot reproduce the golden rows of an fp32 graph
            },
        )
        if self.name == "cuda":
            return [cuda, cpu]
        folder = str(self.engines)
        cached = {
            "trt_engine_cache_enable": True,
            "trt_engine_cache_path": folder,
            "trt_timing_cache_enable": True,
            "trt_timing_cache_path": folder,
        }
        return [(ONNXRUNTIME_NAMES["tensorrt"], cached), cuda, cpu]


ON_CPU = ExecutionProvider("cpu", "always")
"""For graphs that always run on the CPU, and for training and evaluation, whose metrics are those of the CPU."""


def choose_execution_provider(
    setting: ProviderSetting, problems: Mapping[ProviderName, str | None], engines: Path
) -> ExecutionProvider:
    """Choose the provider for a setting on a machine with these `problems`.

    Args:
        setting: the value of `model.provider`.
        problems: for each provider in `GPU_CANDIDATES[setting]`, why it does not work here; None if it works.
        engines: a folder for TensorRT's engines.

    Raises:
        ConfigurationError: the configured provider does not work on this machine; names the reason.
    """
    for name in GPU_CANDIDATES[setting]:
        if problems[name] is None:
            return ExecutionProvider(
                name, "configured" if name == setting else "it works here", engines if name == "tensorrt" else None
            )
    if setting == "cpu":
        return ExecutionProvider("cpu", "configured")
    reasons = "; ".join(f"{name}: {problems[name]}" for name in GPU_CANDIDATES[setting])
    if setting == "auto":
        return ExecutionProvider("cpu", reasons)
    raise ConfigurationError(
        f"model.provider is {setting}, which does not work on this machine ({reasons}).", hint=INSTALL_HINT
    )
