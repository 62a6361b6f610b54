"""onnxruntime sessions, opened the same way for every model, and the execution provider chosen once."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import onnxruntime

from frontdesk.errors import BundleError, ConfigurationError


def open_session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    """Open an ONNX graph on the CPU with `threads` threads.

    Spinning is off: with a worker on every core, a spinning thread takes its time from a neighbour.

    Raises:
        BundleError: when onnxruntime cannot read the file.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises classes of its own C extension, without a common root
        raise BundleError(f"onnxruntime cannot read {path.name}: {type(error).__name__}.", field=path.name) from error


def check_runtime() -> str:
    """The installed onnxruntime, as `name version`.

    Raises:
        ConfigurationError: when both builds are installed, because they overwrite each other's files.
    """
    found = {name: installed for name in ("onnxruntime", "onnxruntime-gpu") if (installed := _version(name))}
    if len(found) == 2:
        raise ConfigurationError(
            "Both onnxruntime and onnxruntime-gpu are installed; they overwrite each other's files.",
            hint="Uninstall both, then install one: pip install 'frontdesk[cpu]' or 'frontdesk[gpu]'.",
        )
    if not found:
        raise ConfigurationError(
            "onnxruntime is not installed.", hint="Install one: pip install 'frontdesk[cpu]' or 'frontdesk[gpu]'."
        )
    ((name, installed),) = found.items()
    return f"{name} {installed}"


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
