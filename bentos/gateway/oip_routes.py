"""The Open Inference Protocol over HTTP: `/v2/...`, a plain ASGI application behind the gateway.

The gateway has admitted the request; paths, methods and scopes are in `bentos/admission/routes.py`. Errors are raised
as `FrontdeskError`, which the gateway converts to the protocol's error format (`oip/errors.py`). Content types are
ignored, because Triton's client does not send one.

Specification: kserve/open-inference-protocol, `inference_rest.md`; Triton's extensions "binary tensor data" and "model
configuration", and the index of its "model repository" extension.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bentos.gateway.request_state import get_admitted, get_worker
from bentos.oip.http_codec import encode_inference_response, parse_index_request, parse_inference_body
from bentos.oip.inference import InferenceRequest, infer
from bentos.oip.model_metadata import (
    all_ready,
    is_ready,
    model_config,
    model_metadata,
    repository_index,
    server_metadata,
)
from frontdesk.errors import NotFound

JSON = "application/json"
BINARY = "application/octet-stream"
JSON_LENGTH = "Inference-Header-Content-Length"


class OpenInferenceApp:
    """ASGI application. `is_draining` returns True during the drain."""

    def __init__(self, is_draining: Callable[[], bool] = bool) -> None:
        self._is_draining = is_draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._dispatch(Request(scope))
        await response(scope, receive, send)

    async def _dispatch(self, request: Request) -> Response:
        models = get_worker(request.scope).models.champion
        match _split_path_and_version(request.scope["path"]):
            case [], _:
                return _json_response(server_metadata())
            case ["health", "live"], _:
                return _json_response({"live": True})
            case ["health", "ready"], _:
                return _readiness_response({}, ready=all_ready(models) and not self._is_draining())
            case ["repository", "index"], _:
                return _json_response(
                    repository_index(models, only_ready=parse_index_request(get_admitted(request.scope).body))
                )
            case ["models", name], version:
                return _json_response(model_metadata(models, name, version))
            case ["models", name, "config"], version:
                return _json_response(model_config(models, name, version))
            case ["models", name, "ready"], version:
                return _readiness_response({"name": name}, ready=is_ready(models, name, version))
            case ["models", name, "infer"], version:
                return await self._infer(request, name, version)
            case _:
                raise NotFound("There is no such path.")

    async def _infer(self, request: Request, model: str, version: str) -> Response:
        worker, admitted = get_worker(request.scope), get_admitted(request.scope)
        time_slicer = worker.models.pipeline.time_slicer
        steps = parse_inference_body(admitted.body, request.headers.get(JSON_LENGTH))
        request_body = await time_slicer.run(steps, admitted.deadline, "the body was read")
        is_binary = dict(request_body.outputs)
        names = tuple(name for name, _ in request_body.outputs)
        inference = InferenceRequest(model, version, request_body.inputs, names)
        outputs = await infer(
            worker.models.champion, worker.models.pipeline.mask_steps, inference, admitted.deadline, time_slicer
        )
        head = {"model_name": model, "model_version": worker.models.champion.version}
        if request_body.id is not None:
            head["id"] = request_body.id
        outputs_with_encoding = [(output, is_binary.get(output.name, request_body.binary)) for output in outputs]
        body, json_length = encode_inference_response(head, outputs_with_encoding)
        if json_length is None:
            return Response(body, media_type=JSON)
        return Response(body, media_type=BINARY, headers={JSON_LENGTH: str(json_length)})


def _split_path_and_version(path: str) -> tuple[list[str], str]:
    """The segments after `/v2` without the version, and the version, empty if the path has none."""
    match path.split("/")[2:]:
        case ["models", name, "versions", version, *action]:
            return ["models", name, *action], version
        case parts:
            return parts, ""


def _json_response(content: Any) -> Response:
    return Response(to_json(content), media_type=JSON)


def _readiness_response(content: dict[str, Any], *, ready: bool) -> Response:
    return Response(to_json({**content, "ready": ready}), status_code=200 if ready else 503, media_type=JSON)
