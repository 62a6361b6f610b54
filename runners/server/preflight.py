"""Preflight check: load a bundle in a separate process and run its golden rows before workers start.

The master needs only the precision in which the golden rows are reproduced. If the master loaded the models itself,
their 250 MB, and on a machine with a GPU also a GPU context, would remain in the master until it ends.
"""

from __future__ import annotations

import logging
import multiprocessing
import signal
from multiprocessing.connection import Connection
from pathlib import Path

from frontdesk.errors import BundleError
from model_store.bundle import Bundle
from runners.ensemble.warm_up import load_warm_ensemble
from runners.models.execution_provider import ProviderSetting
from runners.models.onnx_encoder import Precision, PrecisionSetting
from runners.models.onnx_session import find_execution_provider

_log = logging.getLogger("bentoml.frontdesk")  # a child of BentoML's logger, so that its master prints it


def run_preflight(
    bundle: Bundle, threads: int, *, provider: ProviderSetting, precision: PrecisionSetting, engines: Path
) -> Precision:
    """Load the bundle as a worker does and return the precision in which it reproduces its golden rows.

    Raises:
        BundleError: the bundle cannot be served, or the process that loaded it was killed.
        ConfigurationError: the provider does not work on this machine.
    """
    context = multiprocessing.get_context("spawn")  # after a fork, onnxruntime may have inherited a locked lock
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(
        target=_send_outcome, args=(sender, bundle, threads, provider, precision, engines), daemon=True
    )
    with receiver:
        process.start()
        sender.close()  # only the child has it open now, so `recv` raises EOFError when the child ends
        try:
            outcome: Precision | Exception = receiver.recv()
        except EOFError:
            process.join()
            raise _child_process_error(bundle.version, process.exitcode or 0) from None
    process.join()
    if isinstance(outcome, Exception):
        raise outcome
    if precision == "auto" and outcome == "fp32":
        _log.warning("Only fp32 reproduces the golden rows on this machine: the encoders run in fp32, which is slower.")
    return outcome


def _child_process_error(version: str, exit_code: int) -> BundleError:
    """Return the error for a child that ended without an outcome. `exit_code` is negative after a signal."""
    if exit_code < 0:
        return BundleError(
            f"The process that loaded bundle {version} was killed by {signal.Signals(-exit_code).name}, "
            "most often because memory ran out.",
            field="bundle",
            hint="A server needs about 0.5 GB for each worker: see server.workers.",
        )
    return BundleError(
        f"The process that should load bundle {version} exited with status {exit_code} before it had loaded it.",
        field="bundle",
        hint="The traceback above names the cause. For ModuleNotFoundError, set PYTHONPATH to the folder of this code.",
    )


def _send_outcome(
    sender: Connection,
    bundle: Bundle,
    threads: int,
    provider: ProviderSetting,
    precision: PrecisionSetting,
    engines: Path,
) -> None:
    """Load the bundle in the child process and send the precision, or the exception that loading raised."""
    with sender:
        try:
            sender.send(_find_bundle_precision(bundle, threads, provider, precision, engines))
        except Exception as error:  # noqa: BLE001 - raised again in the parent
            sender.send(error)


def _find_bundle_precision(
    bundle: Bundle, threads: int, provider: ProviderSetting, precision: PrecisionSetting, engines: Path
) -> Precision:
    _log.addHandler(logging.NullHandler())  # the child has no BentoML handlers: Python would print a second copy
    selected = find_execution_provider(provider, engines)
    return load_warm_ensemble(bundle, threads, provider=selected, precision=precision).precision
