"""OpenAPI paths of the Open Inference Protocol, whose routes are not defined in FastAPI.

A short description for `/docs`; the specification of the protocol is complete.
"""

from __future__ import annotations

from typing import Any

from bentos.schemas.json_bounds import MAX_BATCH_ITEMS

_ERROR: dict[str, Any] = {
    "description": "Error of the protocol; 400 and 404 are errors of the client",
    "content": {
        "application/json": {
            "schema": {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
        }
    },
}
_INFERENCE: dict[str, Any] = {
    "required": True,
    "description": "JSON, followed by binary tensors if the header Inference-Header-Content-Length is set.",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["inputs"],
                "properties": {
                    "id": {"type": "string"},
                    "inputs": {"type": "array", "items": {"type": "object"}},
                    "outputs": {"type": "array", "items": {"type": "object"}},
                    "parameters": {"type": "object"},
                },
            },
            "example": {
                "inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["Where is my parcel?"]}]
            },
        },
        "application/octet-stream": {},
    },
}
_MODEL_ROUTES = {
    "": ("get", "Inputs and outputs of a model", {}),
    "/config": ("get", "Triton's model configuration; its parameters contain the labels of the output columns", {}),
    "/ready": ("get", "200 while the model is ready", {}),
    "/infer": ("post", f"Scores of up to {MAX_BATCH_ITEMS} texts", {"requestBody": _INFERENCE}),
}


def oip_paths() -> dict[str, Any]:
    """Return the path items for the document's `paths`, by path template."""
    paths = {
        "/v2": {"get": _operation("Name, version and extensions of the server")},
        "/v2/health/live": {"get": _operation("200 while the server is live", security=[])},
        "/v2/health/ready": {"get": _operation("200 while every model is ready", security=[])},
        "/v2/repository/index": {"post": _operation("All models and whether they are ready")},
    }
    for version in ("", "/versions/{version}"):
        parameters = [_openapi_path_parameter(name) for name in ("model", "version") if name == "model" or version]
        for action, (method, summary, more) in _MODEL_ROUTES.items():
            operation = _operation(summary, parameters=parameters, **more)
            paths[f"/v2/models/{{model}}{version}{action}"] = {method: operation}
    return paths


def _operation(summary: str, **more: Any) -> dict[str, Any]:
    responses = {"200": {"description": "Response of the protocol"}, "default": _ERROR}
    return {"tags": ["open inference"], "summary": summary, "security": [{"token": []}], "responses": responses, **more}


def _openapi_path_parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
