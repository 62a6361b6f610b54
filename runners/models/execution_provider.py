"""Which onnxruntime execution provider runs the encoders: the choice, a function of values, and what each one is told.

Only encoder graphs go to a GPU. The trees, the linear model and the candidate scorers take 0.006 to 0.06 ms on one CPU
core (FACTS), less than carrying their rows to a GPU and back, so they always stay on the CPU.

`auto` means CUDA where it works, else the CPU. TensorRT has to be asked for: the graphs in a bundle are fused into
onnxruntime's own operators, for which CUDA has kernels and TensorRT has none, and it builds its engines, for minutes,
where a new length of text arrives. Does not know what a machine has: `onnx_session.py` tries that.
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
"""The GPU providers that a wish makes worth trying, best first."""

INSTALL_HINT = (
    "For a GPU: an NVIDIA driver, then `make ACCELERATOR=gpu serve` (onnxruntime-gpu in place of onnxruntime); "
    "`frontdesk gpu-check` says what is missing. Without one: model.provider auto or cpu."
)


@dataclass(frozen=True, slots=True)
class Provider:
    """Where encoders run in this process, and why there.

    `engines` is the folder that TensorRT keeps its built engines in; the other providers need none.
    """

    name: ProviderName
    because: str
    engines: Path | None = None

    @property
    def is_gpu(self) -> bool:
        return self.name != "cpu"

    def session_providers(self) -> list[tuple[str, dict[str, Any]]]:
        """What onnxruntime is given: providers in order of preference, each with its options.

        The last is always the CPU: it runs the nodes that compute shapes, also beside a GPU.
        """
        cpu: tuple[str, dict[str, Any]] = (ONNXRUNTIME_NAMES["cpu"], {})
        if self.name == "cpu":
            return [cpu]
        cuda: tuple[str, dict[str, Any]] = (
            ONNXRUNTIME_NAMES["cuda"],
            {
                "arena_extend_strategy": "kSameAsRequested",  # doubling would take memory from other processes' arenas
                "use_tf32": "0",  # ten bits of mantissa are too few to reproduce the golden rows of an fp32 graph
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


ON_CPU = Provider("cpu", "always")
"""For the graphs that never leave the CPU, and for training and evaluation, whose figures are those of the CPU."""


def choose_provider(setting: ProviderSetting, problems: Mapping[ProviderName, str | None], engines: Path) -> Provider:
    """The provider that `setting` gets on a machine with these `problems`.

    Args:
        wish: the setting `model.provider`.
        problems: for each provider of `GPU_CANDIDATES[setting]`, why it does not work here; None where it does.
        engines: a folder for TensorRT's engines.

    Raises:
        ConfigurationError: when a provider is asked for by name and does not work here, saying why.
    """
    for name in GPU_CANDIDATES[setting]:
        if problems[name] is None:
            return Provider(
                name, "asked for" if name == setting else "it works here", engines if name == "tensorrt" else None
            )
    if setting == "cpu":
        return Provider("cpu", "asked for")
    reasons = "; ".join(f"{name}: {problems[name]}" for name in GPU_CANDIDATES[setting])
    if setting == "auto":
        return Provider("cpu", reasons)
    raise ConfigurationError(
        f"model.provider is {setting}, which does not work on this machine ({reasons}).", hint=INSTALL_HINT
    )
