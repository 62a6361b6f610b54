"""Choose the served bundle, and load its models in this process or connect to runners with them."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from frontdesk.config import ModelSettings, Settings
from frontdesk.errors import BundleError
from frontdesk.masking.masker import check_masking_version
from frontdesk.observability.metrics import Metrics
from model_store.bundle import Bundle, open_bundle
from model_store.manifest import SIGNATURE
from model_store.promotion import champion_path
from model_store.signature import open_signed
from runners.balancing.balanced import Balanced
from runners.balancing.shared_load import LoadBoard
from runners.batching.batched import Batched
from runners.batching.scheduler import BatchLimits
from runners.batching.spare_core import SpareCoreExecutor
from runners.batching.text_costs import TextCosts
from runners.ensemble.ensemble import Ensemble
from runners.ensemble.warm_up import load_warm_ensemble
from runners.models.execution_provider import ExecutionProvider
from runners.models.onnx_session import find_execution_provider
from runners.remote.placement import connect_services
from runners.server.cached import Cached
from runners.server.model_server import ModelServer

_log = logging.getLogger("bentoml.frontdesk")  # a child of BentoML's logger, so that a worker prints it


def served_bundle_path(settings: Settings) -> Path:
    """Path of the bundle to serve: the one that the settings (or the serving master) name, else the champion."""
    return settings.model.bundle or champion_path(settings.bundles)


def open_trusted_bundle(settings: Settings) -> Bundle:
    """Open the bundle to serve; it is verified and signed with a trusted key.

    Raises:
        BundleError: the message names the problem and the solution.
    """
    bundle = open_signed(served_bundle_path(settings), settings.keys, settings.security.bundle_keys)
    check_masking_version(bundle.version, bundle.manifest.masking_version, settings.masking.name_tagger)
    return bundle


def open_bundle_at(settings: Settings, path: Path) -> Bundle:
    """Open the bundle at `path`. The served bundle must be signed; for another one a note is printed if it is not.

    A challenger is signed when it is promoted.

    Raises:
        BundleError: as `open_bundle`; for the served bundle as `open_signed`.
    """
    try:
        return open_signed(path, settings.keys, settings.security.bundle_keys)
    except BundleError as error:
        if error.field != SIGNATURE or _is_served(settings, path):
            raise
        note = error.message
    print(f"note {note} This bundle is not served until it is promoted.", file=sys.stderr)  # noqa: T201 - for the user
    return open_bundle(path)


def _is_served(settings: Settings, path: Path) -> bool:
    champions = [settings.model.bundle]
    with suppress(BundleError):
        champions.append(champion_path(settings.bundles))
    return any(champion is not None and champion.resolve() == path.resolve() for champion in champions)


def open_ensemble(
    settings: Settings, path: Path, provider: ExecutionProvider, runners: Mapping[str, str | None] | None
) -> Ensemble:
    """Load and warm up the bundle. The golden rows use the services of the placement, as requests do."""
    model = settings.model
    bundle = open_signed(path, settings.keys, settings.security.bundle_keys)
    check_masking_version(bundle.version, bundle.manifest.masking_version, settings.masking.name_tagger)
    remote_services = connect_services(
        "embedded" if runners is None else model.placement,
        bundle.manifest,
        runners or {},
        timeout_s=settings.server.request_timeout_s,
        start_timeout_s=model.runner_start_timeout_s,
    )
    return load_warm_ensemble(
        bundle, model.onnx_threads, provider=provider, precision=model.precision, remote_services=remote_services
    )


def build_model_server(
    ensemble: Ensemble,
    model: ModelSettings,
    metrics: Metrics,
    board: LoadBoard | None = None,
    costs: TextCosts | None = None,
) -> ModelServer:
    """Wrap a warm ensemble in the layers of serving. Without `board` work is not shared with other workers.

    `costs` are the measured times of the ensemble; None for rough estimates.
    """
    limits = BatchLimits(model.max_batch_texts, model.max_waiting_texts, model.max_batch_tokens, model.max_wait_s)
    spare_core = SpareCoreExecutor(board.count_busy_others) if board else SpareCoreExecutor()
    batched = Batched(ensemble, limits, spare_core, costs)
    balanced = Balanced(batched, board, ensemble.version) if board else None
    cached = Cached(balanced or batched, model.cached_texts, metrics.observe_score_cache)
    return ModelServer(ensemble, batched, cached, balanced)


def open_load_board(folder: Path, index: int, workers: int) -> LoadBoard | None:
    """Open the load of all workers, a file in `folder`; None for a single worker, or if the file cannot be created."""
    if workers == 1:
        return None
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return LoadBoard(folder, index, workers)
    except OSError as error:
        warn_load_not_shared(folder, error)
        return None


def warn_load_not_shared(folder: Path, error: OSError) -> None:
    _log.warning("Workers cannot share their work: %s is no path for a socket (%s).", folder, error)


def find_execution_provider_for_worker(
    settings: Settings, runners: Mapping[str, str | None] | None
) -> ExecutionProvider:
    """The execution provider of this process. A process without encoders leaves the GPU to the one that has them."""
    if runners:
        return ExecutionProvider("cpu", "the encoders are in another process")
    return find_execution_provider(settings.model.provider, settings.engines)
