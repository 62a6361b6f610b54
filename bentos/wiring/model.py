"""Which bundle is served and how its models are opened: here, or as runners that other processes hold."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from frontdesk.config import Settings
from frontdesk.errors import BundleError
from frontdesk.observability.metrics import Metrics
from model_store.bundle import Bundle, open_bundle
from model_store.manifest import SIGNATURE
from model_store.promotion import champion_path
from model_store.signature import open_signed
from runners.batching.scheduler import Limits
from runners.ensemble.warm_up import open_warm
from runners.models.execution_provider import Provider
from runners.models.onnx_session import find_provider
from runners.remote.placement import connect
from runners.server.model_server import BatchedChampion


def served_bundle(settings: Settings) -> Path:
    """The bundle to serve: the one that settings (or the serving master) name, else the champion."""
    return settings.model.bundle or champion_path(settings.bundles)


def trusted_bundle(settings: Settings) -> Bundle:
    """The bundle to serve, verified, and signed by a machine that is trusted.

    Raises:
        BundleError: naming what is wrong and what to do.
    """
    return open_signed(served_bundle(settings), settings.keys, settings.security.bundle_keys)


def open_named(settings: Settings, path: Path) -> Bundle:
    """Open the bundle at `path`. The served bundle must be signed; for another one a missing signature is only noted.

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
    print(f"note {note} This bundle is not served until it is promoted.", file=sys.stderr)  # noqa: T201 - for a person
    return open_bundle(path)


def _is_served(settings: Settings, path: Path) -> bool:
    champions = [settings.model.bundle]
    with suppress(BundleError):
        champions.append(champion_path(settings.bundles))
    return any(champion is not None and champion.resolve() == path.resolve() for champion in champions)


def open_champion(
    settings: Settings, path: Path, provider: Provider, runners: Mapping[str, str | None] | None, metrics: Metrics
) -> BatchedChampion:
    """The golden rows run as every request will: through the services of the placement."""
    model = settings.model
    bundle = open_signed(path, settings.keys, settings.security.bundle_keys)
    elsewhere = connect(
        "embedded" if runners is None else model.placement,
        bundle.manifest,
        runners or {},
        timeout_s=settings.server.request_timeout_s,
        start_timeout_s=model.runner_start_timeout_s,
    )
    ensemble = open_warm(bundle, model.onnx_threads, provider=provider, precision=model.precision, elsewhere=elsewhere)
    limits = Limits(model.max_batch_texts, model.max_waiting_texts, model.max_batch_tokens, model.max_wait_s)
    return BatchedChampion(ensemble, limits, cached_texts=model.cached_texts, observe_cache=metrics.observe_cache)


def placed_provider(settings: Settings, runners: Mapping[str, str | None] | None) -> Provider:
    """Where the encoders of this process run; a process without any leaves the GPU to the one that has them."""
    if runners:
        return Provider("cpu", "the encoders are in another process")
    return find_provider(settings.model.provider, settings.engines)
