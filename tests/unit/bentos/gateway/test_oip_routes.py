from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from httpx2 import ASGITransport, AsyncClient, Response
from starlette.types import Receive, Scope, Send
from tritonclient.http import InferenceServerClient, InferInput, InferResult

from bentos.admission.defaults import ANONYMOUS
from bentos.gateway.oip_routes import OpenInferenceApp
from bentos.gateway.request_state import AdmittedRequest, set_request_state
from bentos.oip.error_response import error_response
from frontdesk.deadline import Deadline
from frontdesk.errors import FrontdeskError, Overloaded
from tests.support.open_inference import FakeModels, FakeWorker

VERSION = FakeModels().version


async def call(method: str, path: str, worker: FakeWorker | None = None, **request: Any) -> Response:
    """Call the application with the state that the gateway sets."""
    application = OpenInferenceApp()

    async def admitting_application(scope: Scope, receive: Receive, send: Send) -> None:
        body = (await receive()).get("body", b"")
        set_request_state(
            scope, worker or FakeWorker(), AdmittedRequest(ANONYMOUS, Deadline.after(5), "request-1", body)
        )
        try:
            await application(scope, receive, send)
        except FrontdeskError as error:
            await error_response(error)(scope, receive, send)

    async with AsyncClient(transport=ASGITransport(admitting_application), base_url="http://test") as client:
        return await client.request(method, path, **request)


def inference_request(*texts: str, **more: Any) -> dict[str, Any]:
    return {"inputs": [{"name": "text", "shape": [len(texts)], "datatype": "BYTES", "data": list(texts)}], **more}


@pytest.mark.parametrize("path", ["/v2/models/ensemble/infer", f"/v2/models/ensemble/versions/{VERSION}/infer"])
async def test_json_is_answered_with_json(path: str) -> None:
    response = await call("POST", path, json=inference_request("abc", "ab", id="7", outputs=[{"name": "intent"}]))
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "model_name": "ensemble",
        "model_version": VERSION,
        "id": "7",
        "outputs": [{"name": "intent", "datatype": "BYTES", "shape": [2], "data": ["refund", "cancel"]}],
    }


async def test_a_request_without_an_id_is_answered_without_one() -> None:
    assert "id" not in (await call("POST", "/v2/models/ensemble/infer", json=inference_request("abc"))).json()


async def test_binary_is_answered_with_binary() -> None:
    tensor = InferInput("text", [2], "BYTES")
    tensor.set_data_from_numpy(np.array(["abc", "ab"], dtype=np.object_))
    body, length = InferenceServerClient.generate_request_body([tensor])
    header = {"Inference-Header-Content-Length": str(length)}
    response = await call("POST", "/v2/models/trees/infer", content=body, headers=header)
    assert response.headers["content-type"] == "application/octet-stream"
    result = InferResult.from_response_body(
        response.content, header_length=int(response.headers["Inference-Header-Content-Length"])
    )
    np.testing.assert_array_equal(
        result.as_numpy("intent_probabilities"), np.array([[0.5, 0.875, 0.875], [0.875, 0.875, 0.5]], np.float32)
    )


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v2/models/nobody/infer", inference_request("secret"), 404),
        ("/v2/models/trees/versions/2/infer", inference_request("secret"), 404),
        ("/v2/models/trees/infer", {}, 400),
        ("/v2/models/trees/infer", inference_request("secret", outputs=[{"name": "secret"}]), 400),
        ("/v2/models/trees/infer", inference_request("secret\0"), 400),
        ("/v2/repository/index", {"ready": "secret"}, 400),
    ],
)
async def test_a_refusal_is_the_protocols_error_and_repeats_nothing(path: str, body: Any, status: int) -> None:
    response = await call("POST", path, json=body)
    assert response.status_code == status
    assert list(response.json()) == ["error"]
    assert "secret" not in response.text


async def test_an_error_keeps_the_headers_of_its_kind() -> None:
    response = error_response(Overloaded("Too much is waiting.", retry_after_s=1.5))
    assert (response.status_code, response.headers["retry-after"]) == (503, "2")


async def test_readiness_is_the_status() -> None:
    worker = FakeWorker(FakeModels(down=frozenset({"trees"})))
    statuses = {
        path: (await call("GET", path, worker)).status_code
        for path in (
            "/v2/health/live",
            "/v2/health/ready",
            "/v2/models/ensemble/ready",
            "/v2/models/trees/ready",
            "/v2/models/trees/versions/2/ready",
        )
    }
    assert list(statuses.values()) == [200, 503, 200, 503, 404]


async def test_the_server_and_its_models_describe_themselves() -> None:
    assert (await call("GET", "/v2")).json()["extensions"] == ["binary_tensor_data", "model_configuration"]
    for version in ("", f"/versions/{VERSION}"):
        assert (await call("GET", f"/v2/models/trees{version}")).json()["versions"] == [VERSION]
        assert (await call("GET", f"/v2/models/trees{version}/config")).json()["max_batch_size"] == 0
    assert [row["name"] for row in (await call("POST", "/v2/repository/index")).json()] == ["ensemble", "trees"]


@pytest.mark.parametrize("path", ["/v2/models/trees/stats", "/v2/logging", "/v2/models", "/v2/models/a/b/c/d/e"])
async def test_what_is_not_offered_does_not_exist(path: str) -> None:
    assert (await call("GET", path)).status_code == 404
