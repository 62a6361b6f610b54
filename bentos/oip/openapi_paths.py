"""What `/openapi.json` says of the Open Inference Protocol, whose routes are not FastAPI's own.

The protocol's specification says it in full; this is for people who look at `/docs`.
"""

from __future__ import annotations

from typing import Any

from bentos.schemas.json_bounds import MAX_BATCH_ITEMS

_ERROR: dict[str, Any] = {
    "description": "The protocol's error; 400 and 404 are the caller's",
    "content": {
        "application/json": {
            "schema": {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
        }
    },
}
_INFERENCE: dict[str, Any] = {
    "required": True,
    "description": "JSON, and behind it binary tensors where the header Inference-Header-Content-Length says so.",
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
    "": ("get", "What a model takes and gives", {}),
    "/config": ("get", "Triton's model configuration; its parameters have the labels of the columns", {}),
    "/ready": ("get", "200 while the model can be asked", {}),
    "/infer": ("post", f"Scores of up to {MAX_BATCH_ITEMS} texts", {"requestBody": _INFERENCE}),
}


def oip_paths() -> dict[str, Any]:
    """Path items by template, for the document's `paths`."""
    paths = {
        "/v2": {"get": _operation("The server's name, version and extensions")},
        "/v2/health/live": {"get": _operation("200 while the server answers", security=[])},
        "/v2/health/ready": {"get": _operation("200 while every model can be asked", security=[])},
        "/v2/repository/index": {"post": _operation("Every model and whether it can be asked")},
    }
    for version in ("", "/versions/{version}"):
        parameters = [_parameter(name) for name in ("model", "version") if name == "model" or version]
        for action, (method, summary, more) in _MODEL_ROUTES.items():
            operation = _operation(summary, parameters=parameters, **more)
            paths[f"/v2/models/{{model}}{version}{action}"] = {method: operation}
    return paths


def _operation(summary: str, **more: Any) -> dict[str, Any]:
    responses = {"200": {"description": "The protocol's answer"}, "default": _ERROR}
    return {"tags": ["open inference"], "summary": summary, "security": [{"token": []}], "responses": responses, **more}


def _parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
