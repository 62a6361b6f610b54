"""The model of every peer: the ensemble of one bundle, in the precision of the run, with answers as JSON.

Peers get the optimizations of Frontdesk's own workers: one onnxruntime thread per process, length bucketing within a
batch, a garbage collector that does not traverse the models, and JSON by pydantic. Only the servers are compared. Does
not depend on any server.
"""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any, cast

from pydantic import TypeAdapter

from frontdesk.types import Understanding
from model_store.bundle import Bundle, open_bundle
from runners.ensemble.ensemble import Ensemble
from runners.ensemble.warm_up import load_warm_ensemble
from runners.models.onnx_encoder import Precision

BUNDLE_VARIABLE = "FRONTDESK_MODEL__BUNDLE"
PRECISION_VARIABLE = "FRONTDESK_MODEL__PRECISION"
CORES = len(os.sched_getaffinity(0))

_UNDERSTANDING = TypeAdapter(Understanding)


def bundle() -> Bundle:
    """Open and verify the bundle that the harness names."""
    return open_bundle(Path(os.environ[BUNDLE_VARIABLE]))


def precision() -> Precision:
    """Return the precision of the encoders that the harness names."""
    return cast(Precision, os.environ[PRECISION_VARIABLE])


def load_ensemble() -> Ensemble:
    """Load the ensemble and warm it up with the golden rows."""
    ensemble = load_warm_ensemble(bundle(), threads=1, precision=precision())
    gc.collect()
    gc.freeze()
    return ensemble


def to_json(understanding: Understanding) -> bytes:
    return _UNDERSTANDING.dump_json(understanding)


def to_python(understanding: Understanding) -> dict[str, Any]:
    """Return dictionaries and lists, for a server that writes the JSON itself."""
    rendered: dict[str, Any] = _UNDERSTANDING.dump_python(understanding, mode="json")
    return rendered
