"""The Open Inference Protocol over gRPC: `inference.GRPCInferenceService`, with the messages of Triton's client.

A method gets its message and an admitted call, and returns a response or raises a `FrontdeskError`. Inputs can have raw
or typed contents; outputs are raw, with the same bytes as over REST. Streaming inference, shared memory, loading of
models and statistics are not supported.

Only the messages of `tritonclient.grpc` are used. Importing them also imports the client, which costs a worker 3 MB and
15 ms.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.json_format import ParseDict
from tritonclient.grpc import service_pb2

from bentos.grpc.call_handlers import Behaviour, CallState
from bentos.oip.inference import InferenceRequest, check_tensor_parameters, infer
from bentos.oip.model_metadata import (
    all_ready,
    is_ready,
    model_config,
    model_metadata,
    repository_index,
    server_metadata,
)
from bentos.oip.tensors import InputTensor
from bentos.worker.worker_context import WorkerContext
from frontdesk.errors import InvalidQuery


class InferenceService:
    """The methods of the protocol, for one worker."""

    descriptor = service_pb2.DESCRIPTOR.services_by_name["GRPCInferenceService"]

    def __init__(self, worker: WorkerContext) -> None:
        self._worker = worker
        self._models = worker.models.champion

    def methods(self) -> dict[str, Behaviour]:
        return {
            "ServerLive": self.server_live,
            "ServerReady": self.server_ready,
            "ServerMetadata": self.server_metadata,
            "ModelReady": self.model_ready,
            "ModelMetadata": self.model_metadata,
            "ModelConfig": self.model_config,
            "RepositoryIndex": self.repository_index,
            "ModelInfer": self.model_infer,
        }

    async def server_live(self, _: Any, __: CallState) -> Any:
        return service_pb2.ServerLiveResponse(live=True)

    async def server_ready(self, _: Any, __: CallState) -> Any:
        return service_pb2.ServerReadyResponse(ready=all_ready(self._models))

    async def server_metadata(self, _: Any, __: CallState) -> Any:
        return ParseDict(server_metadata(), service_pb2.ServerMetadataResponse())

    async def model_ready(self, request: Any, _: CallState) -> Any:
        return service_pb2.ModelReadyResponse(ready=is_ready(self._models, request.name, request.version))

    async def model_metadata(self, request: Any, _: CallState) -> Any:
        metadata = model_metadata(self._models, request.name, request.version)
        return ParseDict(metadata, service_pb2.ModelMetadataResponse(), ignore_unknown_fields=True)

    async def model_config(self, request: Any, _: CallState) -> Any:
        config = model_config(self._models, request.name, request.version)
        return ParseDict({"config": config}, service_pb2.ModelConfigResponse())

    async def repository_index(self, request: Any, _: CallState) -> Any:
        index = repository_index(self._models, only_ready=request.ready)
        return ParseDict({"models": index}, service_pb2.RepositoryIndexResponse())

    async def model_infer(self, request: Any, call: CallState) -> Any:
        inference, pipeline = parse_inference_message(request), self._worker.models.pipeline
        outputs = await infer(self._models, pipeline.mask_steps, inference, call.deadline, pipeline.time_slicer)
        response = service_pb2.ModelInferResponse(
            model_name=inference.model,
            model_version=self._models.version,
            id=request.id,
            raw_output_contents=[output.binary() for output in outputs],
        )
        for output in outputs:
            response.outputs.add(name=output.name, datatype=output.datatype, shape=output.shape)
        return response


def parse_inference_message(request: Any) -> InferenceRequest:
    """Read the tensors of a `ModelInferRequest`.

    Raises:
        InvalidQuery: only some of the inputs have raw contents, or there are raw and typed contents.
    """
    raw = request.raw_input_contents
    if raw and (len(raw) != len(request.inputs) or any(tensor.HasField("contents") for tensor in request.inputs)):
        raise InvalidQuery("Either all inputs must have raw contents and no others, or none may have raw contents.")
    for tensor in (*request.inputs, *request.outputs):
        check_tensor_parameters(tensor.parameters)
    inputs = tuple(
        InputTensor(
            tensor.name, tensor.datatype, tuple(tensor.shape), raw[index] if raw else tensor.contents.bytes_contents
        )
        for index, tensor in enumerate(request.inputs)
    )
    return InferenceRequest(
        request.model_name, request.model_version, inputs, tuple(output.name for output in request.outputs)
    )
