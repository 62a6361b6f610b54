"""What every peer serves: the whole ensemble of one bundle, in the precision of the run, and its answer as JSON.

The peers get what was found worth having in Frontdesk's own workers: one onnxruntime thread a process, texts of similar
length run together inside a batch, a collector that does not walk the models, and pydantic's own JSON writer. What is
compared is the server around the models. Knows nothing of any server.
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
    """The bundle that the harness names, verified."""
    return open_bundle(Path(os.environ[BUNDLE_VARIABLE]))


def precision() -> Precision:
    """That of the encoders, which the harness names."""
    return cast(Precision, os.environ[PRECISION_VARIABLE])


def load_ensemble() -> Ensemble:
    """The bundle's ensemble, warm: its golden rows have been run."""
    ensemble = load_warm_ensemble(bundle(), threads=1, precision=precision())
    gc.collect()
    gc.freeze()
    return ensemble


def to_json(understanding: Understanding) -> bytes:
    return _UNDERSTANDING.dump_json(understanding)


def to_python(understanding: Understanding) -> dict[str, Any]:
    """The same as dictionaries and lists, for a server that insists on writing the JSON itself."""
    rendered: dict[str, Any] = _UNDERSTANDING.dump_python(understanding, mode="json")
    return rendered
