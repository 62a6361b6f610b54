"""Requests that are refused, as they are sent: bodies, headers, tokens, paths and methods."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.golden.exchange import ALL_SCOPES, GrpcRequest, HttpRequest

GOOD = b'{"text": "Where is my parcel?", "store": false}'
POSTED = ("/v1/understand", "/v1/understand/batch", "/v1/queries", "/v1/queries/stream", "/understand", "/answer")
CONTENT_TYPES = (
    "",
    "text/plain",
    "application/jsonx",
    "multipart/form-data; boundary=x",
    "application/vnd.bentoml+pickle",
)
DEADLINES = ("0", "-1", "1.5", "soon", "9999999999")
PATHS = (
    "//v1/understand",
    "/v1/understand/",
    "/v1%2funderstand",
    "/V1/Understand",
    "/v1/queries/..%2f..%2fetc%2fpasswd",
    "/v1/queries/none",
    "/v1/customers/a/b",
    "/static_content/nothing.js",
    "/healthz",
    "/nowhere",
    "/" + "a" * 60_000,
)
PROTECTED = (
    ("GET", "/v1/queries"),
    ("GET", "/v1/queries/export"),
    ("DELETE", "/v1/queries/none"),
    ("DELETE", "/v1/sessions/none"),
    ("DELETE", "/v1/customers/none"),
    ("POST", "/v1/queries/none/feedback"),
    ("GET", "/v1/customers/none/history"),
    ("GET", "/v1/analytics/summary"),
    ("GET", "/v1/admin/models"),
    ("POST", "/v1/admin/tokens/revoke"),
    ("GET", "/v2"),
    ("POST", "/v2/models/ensemble/infer"),
)
QUERY_STRINGS = ("limit=0", "limit=x", "cursor=x", "from=yesterday", "no_such=1", "priority=none", "limit=1&limit=2")
INFERENCES: tuple[dict[str, Any], ...] = (
    {},
    {"inputs": []},
    {"inputs": [{"name": "texts", "shape": [1], "datatype": "BYTES", "data": ["x"]}]},
    {"inputs": [{"name": "text", "shape": [2], "datatype": "BYTES", "data": ["x"]}]},
    {"inputs": [{"name": "text", "shape": [1], "datatype": "FP32", "data": [1.0]}]},
    {"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["x\u0000"]}]},
)
GRPC: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Understand", {"text": " "}),
    ("Understand", {"text": "x" * 4001}),
    ("Understand", {"text": "x", "customer_id": ""}),
    ("Understand", {"text": "x", "language": "not a language"}),
    ("Answer", {"text": "\u0000"}),
    ("UnderstandBatch", {}),
    ("UnderstandBatch", {"queries": [{"text": "x"}] * 257}),
    ("UnderstandBatch", {"queries": [{"text": "Where is my parcel?"}, {"text": " "}]}),
    ("AnswerStream", {"text": ""}),
)


def refused_requests() -> Iterator[HttpRequest | GrpcRequest]:
    """Every request that is refused, in a fixed order."""
    for body in _bodies():
        yield from (HttpRequest("POST", path, body=body) for path in POSTED)
    yield from _headers()
    for path in PATHS:
        yield from (HttpRequest(method, path, body=GOOD) for method in ("GET", "POST"))
    for path in POSTED:
        yield from (HttpRequest(method, path, body=GOOD) for method in ("GET", "PUT", "DELETE", "OPTIONS"))
    for query_string in QUERY_STRINGS:
        yield HttpRequest("GET", f"/v1/queries?{query_string}")
        yield HttpRequest("GET", f"/v1/analytics/timeseries?{query_string}")
    for inference in INFERENCES:
        yield HttpRequest("POST", "/v2/models/ensemble/infer", body=json.dumps(inference).encode())
    yield HttpRequest("POST", "/v2/models/nobody/infer", body=b"{}")
    for method, message in GRPC:
        yield GrpcRequest(method, message)
    for token in ("", "Bearer x.y.z", "scopes metrics:read"):
        yield GrpcRequest("Understand", {"text": "x"}, token)


def _bodies() -> list[bytes]:
    """The bodies of the tests against bad input, where this checkout has them."""
    try:
        from tests.hostile.test_bad_input import BODIES
    except ImportError:
        return [b"", b"{}", b"[]", b'{"text": ""}', b'{"text": "x", "unknown": 1}', b'{"text": "\xff"}']
    return [_without_time(body) for body in BODIES.values()]


def _without_time(body: bytes) -> bytes:
    """A gzip body without the time at which it was compressed."""
    return body[:4] + bytes(4) + body[8:] if body.startswith(b"\x1f\x8b") else body


def _headers() -> Iterator[HttpRequest]:
    for path in POSTED:
        for content_type in CONTENT_TYPES:
            yield HttpRequest("POST", path, (("content-type", content_type),), GOOD)
        for deadline in DEADLINES:
            headers = (("content-type", "application/json"), ("x-request-deadline-ms", deadline))
            yield HttpRequest("POST", path, headers, GOOD)
        for token in ("", "Bearer x.y.z", "Basic eDp5", "scopes metrics:read"):
            yield HttpRequest("POST", path, body=GOOD, token=token)
    for method, path in PROTECTED:
        for token in ("", "scopes metrics:read"):
            yield HttpRequest(method, path, body=b"{}", token=token)
    yield HttpRequest("POST", "/v1/queries/none/feedback", body=b'{"satisfaction": 9}', token=ALL_SCOPES)
    yield HttpRequest("POST", "/v1/understand/batch", (*_JSON, ("idempotency-key", "golden")), b'{"queries": []}')


_JSON = (("content-type", "application/json"),)
