"""Bundles in BentoML's model store, where `bentoml build`, `containerize` and `export` pick up what a Bento carries.

Knows nothing of Bentos; the bundle's own seal stays the proof that nothing was changed on the way.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bentoml
from bentoml.exceptions import NotFound

from frontdesk.errors import BundleError
from model_store.bundle import Bundle, open_bundle
from model_store.manifest import SIGNATURE

NAME = "frontdesk-ensemble"
_FOLDER = "bundle"  # BentoML writes its model.yaml beside it: a sealed bundle tolerates no file that is not its own


def store_bundle(bundle: Bundle) -> str:
    """Copy a bundle that was opened by its signature into the model store, unless the store has this version.

    Verifies the copy: a Bento is trusted by the signature that it carries.

    Returns:
        The model's tag: `frontdesk-ensemble:` and the bundle's version.
    """
    tag = f"{NAME}:{bundle.version}"
    manifest = bundle.manifest
    try:
        bentoml.models.get(tag)
    except NotFound:
        metadata = {
            "intents": len(manifest.intents),
            "feature_fingerprint": manifest.feature_fingerprint,
            "figures": _without_nulls(manifest.metrics),
        }
        with bentoml.models.create(tag, labels={"profile": manifest.profile}, metadata=metadata) as model:
            shutil.copytree(bundle.path, model.path_of(_FOLDER))
            _check_copy(Path(model.path_of(_FOLDER)), bundle)
            Path(model.path_of(SIGNATURE)).write_text(bundle.signature, encoding="ascii")
    return tag


def path_of(tag: str) -> Path:
    """The stored bundle's folder, to be opened (and so verified) with `open_bundle`.

    Raises:
        bentoml.exceptions.NotFound: the model store in force has no model of that tag.
    """
    return Path(bentoml.models.get(tag).path_of(_FOLDER))


def signer_of(tag: str) -> str:
    """The public key of who let the bundle be served. A Bento is trusted as a whole: its code is as open to change."""
    signature = Path(bentoml.models.get(tag).path_of(SIGNATURE)).read_text(encoding="ascii")
    return signature.split()[0]


def _check_copy(folder: Path, bundle: Bundle) -> None:
    """Raise `BundleError` if the copy differs from the opened bundle, which changed while it was copied."""
    if open_bundle(folder).manifest != bundle.manifest:
        raise BundleError(f"The bundle {bundle.version} changed while it was copied.", field="path", hint="Try again.")


def _without_nulls(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """BentoML's metadata holds no null: a figure that could not be computed is left out."""
    return {
        name: _without_nulls(value) if isinstance(value, Mapping) else value
        for name, value in metrics.items()
        if value is not None
    }
