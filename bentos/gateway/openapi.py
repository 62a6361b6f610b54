"""The OpenAPI document. Routes of the hot path parse their bodies themselves, so their schemas are added here."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from bentos.admission.errors import PROBLEM_JSON
from bentos.admission.headers import MAX_KEY_CHARACTERS
from bentos.oip.openapi_paths import oip_paths
from bentos.schemas.queries import BatchIn, FeedbackIn, QueryIn, RevokeIn
from frontdesk.errors import MAX_VIOLATIONS

PROBLEM: dict[str, Any] = {"content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}}

PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"description": "The request cannot be accepted; `violations` says which field and why", **PROBLEM},
    401: {"description": "No valid token", **PROBLEM},
    403: {"description": "The token lacks the scope", **PROBLEM},
    413: {"description": "The body is too large", **PROBLEM},
    415: {"description": "The body is not JSON", **PROBLEM},
    429: {"description": "A rate limit is used up; see Retry-After", **PROBLEM},
    503: {"description": "The server is overloaded, or the answer could not be stored; see Retry-After", **PROBLEM},
    504: {"description": "The deadline passed", **PROBLEM},
}
IDEMPOTENT_PROBLEMS: dict[int | str, dict[str, Any]] = {
    **PROBLEMS,
    409: {"description": "A request with this Idempotency-Key is being answered; see Retry-After", **PROBLEM},
    422: {"description": "The Idempotency-Key was used for another request", **PROBLEM},
}

NO_BODY_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: customize_openapi for status, customize_openapi in PROBLEMS.items() if status != 415
}
"""Problems of routes without a body."""

_UNUSED_DESCRIPTION = "Validation Error"
"""Description of the 422 that FastAPI adds to each route with parameters. This API sends 400 instead."""
_REFERENCE = "#/components/schemas/{model}"
_PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "RFC 9457 problem details.",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:frontdesk:invalid-query"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "violations": {
            "type": "array",
            "maxItems": MAX_VIOLATIONS,
            "items": {
                "type": "object",
                "required": ["field", "problem"],
                "properties": {"field": {"type": "string"}, "problem": {"type": "string"}},
            },
        },
    },
}


_IDEMPOTENCY_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A new key for each new request. The same request with the same key gets the same answer, with "
    "the header `Idempotency-Replayed: true`.",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY_CHARACTERS},
    "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
}


def openapi_json_body(schema: str, *, has_idempotency_key: bool = False) -> dict[str, Any]:
    """`openapi_extra` of a route with the named schema as body, and with the header Idempotency-Key if requested."""
    reference = {"$ref": _REFERENCE.format(model=schema)}
    body = {"requestBody": {"required": True, "content": {"application/json": {"schema": reference}}}}
    return {**body, "parameters": [_IDEMPOTENCY_KEY]} if has_idempotency_key else body


def customize_openapi(app: FastAPI) -> None:
    """Add schemas and the bearer token to the OpenAPI document of `app`. It is generated once, on first use."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
            components = schema.setdefault("components", {})
            components.setdefault("schemas", {}).update(_component_schemas())
            for unused in ("HTTPValidationError", "ValidationError"):
                components["schemas"].pop(unused, None)
            components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
            for path, operations in schema["paths"].items():
                for operation in operations.values():
                    _correct_openapi_operation(operation)
                    if path.startswith("/v1/"):
                        operation["security"] = [{"token": []}]
            schema["paths"].update(oip_paths())
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way to extend its document


def _correct_openapi_operation(operation: dict[str, Any]) -> None:
    """Remove wrong parts that FastAPI adds for parameters: status 422 and the type null."""
    if operation["responses"].get("422", {}).get("description") == _UNUSED_DESCRIPTION:
        del operation["responses"]["422"]
    for parameter in operation.get("parameters", ()):
        schema = parameter["schema"]
        if {"type": "null"} in schema.get("anyOf", ()):
            (kind,) = (kind for kind in schema.pop("anyOf") if kind != {"type": "null"})
            parameter["schema"] = {**kind, **schema}


def _component_schemas() -> dict[str, Any]:
    schemas: dict[str, Any] = {"Problem": _PROBLEM_SCHEMA}
    for model in (QueryIn, BatchIn, FeedbackIn, RevokeIn):
        schema = model.model_json_schema(ref_template=_REFERENCE)
        schemas.update(schema.pop("$defs", {}))
        schemas[model.__name__] = schema
    # Items are validated one by one, so the model accepts any item. Clients should send QueryIn.
    schemas["BatchIn"]["properties"]["queries"]["items"] = {"$ref": _REFERENCE.format(model="QueryIn")}
    return schemas
