from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tritonclient.grpc import service_pb2
from tritonclient.utils import deserialize_bytes_tensor

from bentos.grpc.oip_service import InferenceService, parse_inference_message
from bentos.oip.tensors import encode_bytes_tensor
from frontdesk.deadline import Deadline
from frontdesk.errors import InvalidQuery, NotFound
from tests.support.open_inference import FakeModels, FakeWorker

DESK = FakeWorker()
SERVICE = InferenceService(DESK)
VERSION = DESK.champion.version


def call() -> Any:
    return SimpleNamespace(deadline=Deadline.after(5))


def asking(*texts: bytes, raw: bool = False, **more: Any) -> service_pb2.ModelInferRequest:
    request = service_pb2.ModelInferRequest(model_name="ensemble", **more)
    tensor = request.inputs.add(name="text", datatype="BYTES", shape=[len(texts)])
    if raw:
        request.raw_input_contents.append(encode_bytes_tensor(texts))
    else:
        tensor.contents.bytes_contents.extend(texts)
    return request


@pytest.mark.parametrize("raw", [True, False])
async def test_raw_and_typed_contents_are_answered_raw(raw: bool) -> None:
    response = await SERVICE.model_infer(asking(b"abc", b"ab", raw=raw, id="7"), call())
    assert (response.model_name, response.model_version, response.id) == ("ensemble", VERSION, "7")
    outputs = {
        output.name: (list(output.shape), raw_output)
        for output, raw_output in zip(response.outputs, response.raw_output_contents, strict=True)
    }
    assert list(deserialize_bytes_tensor(outputs["intent"][1])) == [b"refund", b"cancel"]
    shape, probabilities = outputs["intent_probabilities"]
    np.testing.assert_array_equal(
        np.frombuffer(probabilities, "<f4").reshape(shape), [[0.5, 0.125, 0.125], [0.125, 0.125, 0.5]]
    )


async def test_outputs_are_returned_as_requested() -> None:
    request = asking(b"abc", model_version=VERSION)
    request.outputs.add(name="sentiment")
    response = await SERVICE.model_infer(request, call())
    assert [output.name for output in response.outputs] == ["sentiment"]


def test_all_inputs_or_none_must_have_raw_contents() -> None:
    too_many, both = asking(b"secret", raw=True), asking(b"secret")
    too_many.raw_input_contents.append(b"")
    both.raw_input_contents.append(b"")
    for request in (too_many, both):
        with pytest.raises(InvalidQuery, match="raw contents"):
            parse_inference_message(request)


@pytest.mark.parametrize("raw", [True, False])
async def test_a_tensor_of_numbers_is_refused(raw: bool) -> None:
    request = service_pb2.ModelInferRequest(model_name="ensemble")
    tensor = request.inputs.add(name="text", datatype="FP32", shape=[1])
    if raw:
        request.raw_input_contents.append(b"\0\0\0\0")
    else:
        tensor.contents.fp32_contents.append(1.0)
    with pytest.raises(InvalidQuery, match="datatype BYTES"):
        await SERVICE.model_infer(request, call())
    tensor.datatype = "BYTES"
    with pytest.raises(InvalidQuery, match=r"at least 1|has 0 elements"):
        await SERVICE.model_infer(request, call())


@pytest.mark.parametrize("place", ["inputs", "outputs"])
def test_parameters_that_would_change_the_answer_are_refused(place: str) -> None:
    request = asking(b"secret")
    request.outputs.add(name="intent")
    getattr(request, place)[0].parameters["shared_memory_region"].string_param = "secret"
    with pytest.raises(InvalidQuery, match="shared_memory_region is not supported"):
        parse_inference_message(request)


async def test_models_describe_themselves() -> None:
    metadata = await SERVICE.model_metadata(service_pb2.ModelMetadataRequest(name="trees"), call())
    assert [(output.name, list(output.shape)) for output in metadata.outputs][:2] == [
        ("intent", [-1]),
        ("intent_probabilities", [-1, 3]),
    ]
    config = await SERVICE.model_config(service_pb2.ModelConfigRequest(name="trees", version=VERSION), call())
    assert config.config.parameters["intent_probabilities.labels"].string_value == '["refund", "track_order", "cancel"]'
    assert (await SERVICE.server_metadata(None, call())).name == "frontdesk"


async def test_readiness_is_that_of_the_models_processes() -> None:
    service = InferenceService(FakeWorker(FakeModels(down=frozenset({"trees"}))))
    assert (await service.server_live(None, call())).live
    assert not (await service.server_ready(None, call())).ready
    assert not (await service.model_ready(service_pb2.ModelReadyRequest(name="trees"), call())).ready
    assert (await service.model_ready(service_pb2.ModelReadyRequest(name="ensemble"), call())).ready
    index = await service.repository_index(service_pb2.RepositoryIndexRequest(ready=True), call())
    assert [row.name for row in index.models] == ["ensemble"]


async def test_another_model_is_not_found_by_any_method() -> None:
    unknown = {"name": "nobody"}
    for behaviour, request in (
        (SERVICE.model_ready, service_pb2.ModelReadyRequest(**unknown)),
        (SERVICE.model_metadata, service_pb2.ModelMetadataRequest(**unknown)),
        (SERVICE.model_config, service_pb2.ModelConfigRequest(**unknown)),
        (SERVICE.model_infer, service_pb2.ModelInferRequest(model_name="nobody")),
    ):
        with pytest.raises(NotFound):
            await behaviour(request, call())
