"""Opens the onnxruntime sessions of all models, and tests once per process which execution provider works.

onnxruntime falls back to the CPU without an error if a GPU provider cannot be loaded, so the provider of each session
is checked. `execution_provider.py` decides which graphs run on a GPU.
"""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import onnxruntime

from frontdesk.errors import BundleError, ConfigurationError
from frontdesk.verified_files import ReadableFile
from runners.models.execution_provider import (
    GPU_CANDIDATES,
    INSTALL_HINT,
    ON_CPU,
    ONNXRUNTIME_NAMES,
    ExecutionProvider,
    ProviderName,
    ProviderSetting,
    choose_execution_provider,
)

PROBE = bytes.fromhex(
    "080812003a400a110a01780a017812017922064d61744d756c1201675a130a0178120e0a0c080112080a0208020a0208026213"
    "0a0179120e0a0c080112080a0208020a02080242040a001011"
)
"""The smallest ONNX graph that needs a kernel and cuBLAS: y = x @ x, both (2, 2) float32, opset 17."""

_MAX_REASON_CHARACTERS = 240
"""Maximum number of characters of an onnxruntime error that are shown."""


def open_session(
    path: ReadableFile, threads: int, provider: ExecutionProvider = ON_CPU
) -> onnxruntime.InferenceSession:
    """Open an ONNX graph with `threads` threads on the CPU, or on the provider that was chosen for encoders.

    Spinning is disabled: with a worker on every core, a spinning thread takes CPU time from another worker.

    Raises:
        BundleError: onnxruntime cannot read the file.
        ConfigurationError: the session does not run on `provider`.
    """
    content = path.read_bytes()  # load the verified bytes, not the path
    try:
        session = _open(content, threads, provider)
    except Exception as error:  # onnxruntime raises exceptions without a common base class
        raise BundleError(f"onnxruntime cannot read {path.name}: {type(error).__name__}.", field=path.name) from error
    if (problem := _describe_provider_fallback(session, provider)) is not None:
        raise ConfigurationError(f"{path.name} cannot run on {provider.name}: {problem}.", hint=INSTALL_HINT)
    return session


def find_execution_provider(setting: ProviderSetting, engines: Path) -> ExecutionProvider:
    """Choose the execution provider for encoders, by testing the candidates of the setting.

    Call this once per process, before models are loaded. On a machine with a GPU it takes one to two seconds.

    Args:
        setting: the value of `model.provider`: `auto` (CUDA if it works, else the CPU) or the name of a provider.
        engines: a folder for TensorRT's engines; created only if TensorRT is configured.

    Raises:
        ConfigurationError: the configured provider does not work on this machine.
    """
    return choose_execution_provider(
        setting, {name: find_execution_provider_problem(name, engines) for name in GPU_CANDIDATES[setting]}, engines
    )


def find_execution_provider_problem(name: ProviderName, engines: Path) -> str | None:
    """Return why a GPU provider does not work on this machine; None if a test graph was computed on it."""
    if ONNXRUNTIME_NAMES[name] not in onnxruntime.get_available_providers():
        return f"this build, {find_onnxruntime_build()}, does not offer it"
    if name == "tensorrt":
        engines.mkdir(parents=True, exist_ok=True, mode=0o700)
    provider = ExecutionProvider(name, "tried", engines)
    with redirect_stdout(sys.stderr):  # it prints missing libraries, and stdout may be JSON
        onnxruntime.preload_dlls()  # CUDA libraries from Python packages, if installed
    try:
        session = _open(PROBE, 1, provider)
        session.run(["y"], {"x": np.ones((2, 2), dtype=np.float32)})
    except Exception as error:  # noqa: BLE001 - no common base class, as above; after any error the provider does not work
        return " ".join(str(error).split())[-_MAX_REASON_CHARACTERS:]  # the cause is at the end, after paths
    return _describe_provider_fallback(session, provider)


def _open(graph: bytes, threads: int, provider: ExecutionProvider) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    # without `enable_fallback=0`, a provider that raises is replaced by the CPU, with a message on stdout
    return onnxruntime.InferenceSession(graph, options, providers=provider.session_providers(), enable_fallback=0)


def _describe_provider_fallback(session: onnxruntime.InferenceSession, provider: ExecutionProvider) -> str | None:
    """Describe the problem of a session that onnxruntime opened on another provider; None without a problem."""
    first = session.get_providers()[0]
    if first == ONNXRUNTIME_NAMES[provider.name]:
        return None
    return (
        f"onnxruntime fell back to {first}: the NVIDIA driver or a library of CUDA, cuDNN or TensorRT is missing or "
        "too old, as its line on stderr says"
    )


def find_onnxruntime_build() -> str:
    """Return the installed build of onnxruntime, as `name version`.

    Raises:
        ConfigurationError: no build is installed, or both, which overwrite each other's files.
    """
    installed_versions = {
        name: installed for name in ("onnxruntime", "onnxruntime-gpu") if (installed := _installed_version(name))
    }
    if len(installed_versions) == 2:
        raise ConfigurationError(
            "Both onnxruntime and onnxruntime-gpu are installed; they overwrite each other's files.",
            hint="Uninstall both, then install one: pip install 'frontdesk[cpu]' or 'frontdesk[gpu]'.",
        )
    if not installed_versions:
        raise ConfigurationError(
            "onnxruntime is not installed.", hint="Install one: pip install 'frontdesk[cpu]' or 'frontdesk[gpu]'."
        )
    ((name, installed),) = installed_versions.items()
    return f"{name} {installed}"


def _installed_version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
