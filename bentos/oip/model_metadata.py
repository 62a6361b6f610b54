"""Metadata of the models in the Open Inference Protocol: the ensemble and every base model, by name.

All models are parts of one bundle and have its version. Metadata are dictionaries in the JSON of the protocol, from
which the gRPC messages are built.

The labels of output columns are in the model configuration (Triton's extension, in `parameters`) and, over REST, also
in the metadata of each output. The gRPC message for metadata has no field for them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import frontdesk
from bentos.oip.tensors import Datatype
from frontdesk.deadline import Deadline
from frontdesk.errors import NotFound
from frontdesk.scores import Scores
from frontdesk.types import MaskedText
from runners.ensemble.ensemble import ENSEMBLE

PLATFORM = "frontdesk"
EXTENSIONS = ("binary_tensor_data", "model_configuration")

_CONFIG_TYPES = {"BYTES": "TYPE_STRING", "FP32": "TYPE_FP32"}


class ServedModels(Protocol):
    """The models of the served bundle, by name. `labels` and `sentiments` are the column names of the scores."""

    @property
    def version(self) -> str: ...

    @property
    def models(self) -> tuple[str, ...]: ...

    @property
    def labels(self) -> tuple[str, ...]: ...

    @property
    def sentiments(self) -> tuple[str, ...]: ...

    def is_up(self, model: str) -> bool: ...

    def check_batch(self, lengths: Sequence[int], deadline: Deadline) -> None: ...

    async def scores(self, model: str, texts: Sequence[MaskedText], deadline: Deadline) -> Scores: ...


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """Description of a tensor. The dimension -1 is the number of texts; `labels` are the columns of the last one."""

    name: str
    datatype: Datatype
    shape: tuple[int, ...]
    labels: tuple[str, ...] = ()


TEXT = TensorSpec("text", "BYTES", (-1,))


def list_outputs(models: ServedModels, name: str) -> tuple[TensorSpec, ...]:
    """Return all outputs of a model, in order."""
    common = (
        TensorSpec("intent", "BYTES", (-1,)),
        TensorSpec("intent_probabilities", "FP32", (-1, len(models.labels)), models.labels),
        TensorSpec("sentiment", "BYTES", (-1,)),
        TensorSpec("sentiment_probabilities", "FP32", (-1, len(models.sentiments)), models.sentiments),
    )
    return (*common, TensorSpec("out_of_scope_probability", "FP32", (-1,))) if name == ENSEMBLE else common


def check_model_exists(models: ServedModels, name: str, version: str) -> None:
    """Check that a model exists in this version. An empty version means the current version.

    Raises:
        NotFound: it does not exist.
    """
    if name not in models.models:
        raise NotFound("There is no such model.", hint=f"There are {', '.join(models.models)}.")
    if version not in ("", models.version):
        raise NotFound("The model does not exist in this version.", hint=f"Its version is {models.version}.")


def is_ready(models: ServedModels, name: str, version: str) -> bool:
    """Whether the processes that the model needs are available. Raises `NotFound` as `check_model_exists`."""
    check_model_exists(models, name, version)
    return models.is_up(name)


def all_ready(models: ServedModels) -> bool:
    return all(models.is_up(name) for name in models.models)


def server_metadata() -> dict[str, Any]:
    return {"name": "frontdesk", "version": frontdesk.__version__, "extensions": list(EXTENSIONS)}


def model_metadata(models: ServedModels, name: str, version: str) -> dict[str, Any]:
    """Return names, types and shapes of a model's tensors; raises `NotFound` as `check_model_exists`."""
    check_model_exists(models, name, version)
    return {
        "name": name,
        "versions": [models.version],
        "platform": PLATFORM,
        "inputs": [_tensor_metadata(TEXT)],
        "outputs": [_tensor_metadata(spec) for spec in list_outputs(models, name)],
    }


def model_config(models: ServedModels, name: str, version: str) -> dict[str, Any]:
    """Return Triton's `ModelConfig` of a model; raises `NotFound` as `check_model_exists`.

    `max_batch_size` is 0, because the number of texts is an ordinary dimension of the tensors.
    """
    check_model_exists(models, name, version)
    outputs = list_outputs(models, name)
    return {
        "name": name,
        "platform": PLATFORM,
        "backend": PLATFORM,
        "max_batch_size": 0,
        "input": [_tensor_config(TEXT)],
        "output": [_tensor_config(spec) for spec in outputs],
        "parameters": {
            f"{spec.name}.labels": {"string_value": json.dumps(spec.labels)} for spec in outputs if spec.labels
        },
    }


def repository_index(models: ServedModels, *, only_ready: bool) -> list[dict[str, Any]]:
    """Return every model and whether its processes are available."""
    states = {name: "READY" if models.is_up(name) else "UNAVAILABLE" for name in models.models}
    return [
        {"name": name, "version": models.version, "state": state, "reason": ""}
        for name, state in states.items()
        if state == "READY" or not only_ready
    ]


def _tensor_metadata(spec: TensorSpec) -> dict[str, Any]:
    metadata = {"name": spec.name, "datatype": spec.datatype, "shape": list(spec.shape)}
    return {**metadata, "parameters": {"labels": list(spec.labels)}} if spec.labels else metadata


def _tensor_config(spec: TensorSpec) -> dict[str, Any]:
    return {"name": spec.name, "data_type": _CONFIG_TYPES[spec.datatype], "dims": list(spec.shape)}
