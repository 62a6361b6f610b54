"""Bundles in BentoML's model store, from which `bentoml build`, `containerize` and `export` copy them into a Bento.

The bundle's own manifest proves that nothing was changed in between. Independent of Bentos.
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
_FOLDER = "bundle"  # BentoML writes its model.yaml next to it; a sealed bundle must not contain other files


def store_bundle(bundle: Bundle) -> str:
    """Copy a bundle that was opened by its signature into the model store, unless this version is there already.

    Verifies the copy, because a Bento is trusted by the signature that it contains.

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
    """The folder of a stored bundle. Open it with `open_bundle`, which verifies it.

    Raises:
        bentoml.exceptions.NotFound: the current model store has no model with that tag.
    """
    return Path(bentoml.models.get(tag).path_of(_FOLDER))


def signer_public_key(tag: str) -> str:
    """The public key that signed a stored bundle.

    A Bento is trusted as a whole: its code can be changed as easily as this key.
    """
    signature = Path(bentoml.models.get(tag).path_of(SIGNATURE)).read_text(encoding="ascii")
    return signature.split()[0]


def _check_copy(folder: Path, bundle: Bundle) -> None:
    """Raise `BundleError` if the copy differs from the opened bundle, which was changed during the copy."""
    if open_bundle(folder).manifest != bundle.manifest:
        raise BundleError(f"The bundle {bundle.version} changed while it was copied.", field="path", hint="Try again.")


def _without_nulls(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out metrics that could not be computed: BentoML's metadata cannot contain null."""
    return {
        name: _without_nulls(value) if isinstance(value, Mapping) else value
        for name, value in metrics.items()
        if value is not None
    }
