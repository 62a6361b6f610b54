from __future__ import annotations

import json

import pytest
from google.protobuf.json_format import ParseDict
from tritonclient.grpc.model_config_pb2 import ModelConfig

from bentos.oip.model_metadata import (
    all_ready,
    check_model_exists,
    is_ready,
    list_outputs,
    model_config,
    model_metadata,
    repository_index,
)
from frontdesk.errors import NotFound
from tests.support.open_inference import FakeModels

MODELS = FakeModels()


@pytest.mark.parametrize("version", ["", MODELS.version])
def test_a_model_is_found_without_a_version_and_in_its_own(version: str) -> None:
    check_model_exists(MODELS, "trees", version)


@pytest.mark.parametrize(("name", "version"), [("Trees", ""), ("", ""), ("trees", "1"), ("forest", MODELS.version)])
def test_another_name_or_version_is_not_found_and_not_repeated(name: str, version: str) -> None:
    for ask in (check_model_exists, is_ready, model_metadata, model_config):
        with pytest.raises(NotFound) as refused:
            ask(MODELS, name, version)
        assert "forest" not in str(refused.value)


def test_only_the_ensemble_says_how_likely_no_intent_fits() -> None:
    ensemble, trees = list_outputs(MODELS, "ensemble"), list_outputs(MODELS, "trees")
    assert [spec.name for spec in ensemble[:-1]] == [spec.name for spec in trees]
    assert ensemble[-1].name == "out_of_scope_probability"


def test_metadata_names_the_columns_of_the_probabilities() -> None:
    outputs = {output["name"]: output for output in model_metadata(MODELS, "ensemble", "")["outputs"]}
    assert outputs["intent_probabilities"] == {
        "name": "intent_probabilities",
        "datatype": "FP32",
        "shape": [-1, 3],
        "parameters": {"labels": ["refund", "track_order", "cancel"]},
    }
    assert "parameters" not in outputs["intent"]


def test_the_configuration_is_valid_for_triton() -> None:
    config = ParseDict(model_config(MODELS, "ensemble", ""), ModelConfig())
    assert [list(output.dims) for output in config.output] == [[-1], [-1, 3], [-1], [-1, 3], [-1]]
    assert json.loads(config.parameters["sentiment_probabilities.labels"].string_value) == list(MODELS.sentiments)


def test_a_model_whose_process_is_unavailable_is_not_ready_and_neither_is_the_server() -> None:
    partly = FakeModels(down=frozenset({"trees"}))
    assert not is_ready(partly, "trees", "")
    assert is_ready(partly, "ensemble", "")
    assert not all_ready(partly)
    assert all_ready(MODELS)
    states = {row["name"]: row["state"] for row in repository_index(partly, only_ready=False)}
    assert states == {"ensemble": "READY", "trees": "UNAVAILABLE"}
    assert [row["name"] for row in repository_index(partly, only_ready=True)] == ["ensemble"]
