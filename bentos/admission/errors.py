"""HTTP and gRPC status of each kind of error, and HTTP responses with RFC 9457 problem details.

A test checks that the tables cover every kind. Error bodies never contain input of the caller. The details of a gRPC
error are in `bentos/grpc/error_status.py`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from grpc import StatusCode
from starlette.responses import Response

from frontdesk.errors import (
    DeadlineExceeded,
    ErrorKind,
    FrontdeskError,
    InvalidQuery,
    MethodNotAllowed,
    Overloaded,
    RateLimited,
    TooLarge,
    UnsupportedMedia,
)

PROBLEM_JSON = "application/problem+json"
STORAGE_RETRY_S = 5.0
KEY_RETRY_S = 1.0
SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]
"""Headers of every HTTP response."""


class HeadersTooLarge(TooLarge):
    """The header section of an HTTP request is larger than `server.max_header_bytes`."""


class TargetTooLong(TooLarge):
    """The target of an HTTP request is longer than `server.max_header_bytes`."""


class BodyTooLate(DeadlineExceeded):
    """The body of an HTTP request did not arrive within `server.request_timeout_s`."""


class UnsupportedTransferCoding(InvalidQuery):
    """The body of an HTTP request has a transfer coding other than chunked."""


class UnsupportedContentCoding(UnsupportedMedia):
    """The body of an HTTP request is compressed."""

    def __init__(self) -> None:
        super().__init__("Compressed bodies are not supported.", hint="Send the body without Content-Encoding.")


HTTP_STATUS: Mapping[ErrorKind, int] = MappingProxyType(
    {
        ErrorKind.INVALID_QUERY: 400,
        ErrorKind.UNAUTHENTICATED: 401,
        ErrorKind.FORBIDDEN: 403,
        ErrorKind.NOT_FOUND: 404,
        ErrorKind.METHOD_NOT_ALLOWED: 405,
        ErrorKind.TOO_LARGE: 413,
        ErrorKind.UNSUPPORTED_MEDIA: 415,
        ErrorKind.KEY_IN_FLIGHT: 409,
        ErrorKind.KEY_REUSED: 422,
        ErrorKind.RATE_LIMITED: 429,
        ErrorKind.OVERLOADED: 503,
        ErrorKind.DEADLINE_EXCEEDED: 504,
        ErrorKind.STORAGE_UNAVAILABLE: 503,
        ErrorKind.BUNDLE: 503,
        ErrorKind.CONFIGURATION: 500,
        ErrorKind.DATA: 400,
    }
)

GRPC_STATUS: Mapping[ErrorKind, StatusCode] = MappingProxyType(
    {
        ErrorKind.INVALID_QUERY: StatusCode.INVALID_ARGUMENT,
        ErrorKind.UNAUTHENTICATED: StatusCode.UNAUTHENTICATED,
        ErrorKind.FORBIDDEN: StatusCode.PERMISSION_DENIED,
        ErrorKind.NOT_FOUND: StatusCode.NOT_FOUND,
        ErrorKind.METHOD_NOT_ALLOWED: StatusCode.UNIMPLEMENTED,
        ErrorKind.TOO_LARGE: StatusCode.RESOURCE_EXHAUSTED,  # as gRPC itself for a message that is too large
        ErrorKind.UNSUPPORTED_MEDIA: StatusCode.INVALID_ARGUMENT,
        ErrorKind.KEY_IN_FLIGHT: StatusCode.ABORTED,
        ErrorKind.KEY_REUSED: StatusCode.INVALID_ARGUMENT,
        ErrorKind.RATE_LIMITED: StatusCode.RESOURCE_EXHAUSTED,
        ErrorKind.OVERLOADED: StatusCode.UNAVAILABLE,  # clients retry this code
        ErrorKind.DEADLINE_EXCEEDED: StatusCode.DEADLINE_EXCEEDED,
        ErrorKind.STORAGE_UNAVAILABLE: StatusCode.UNAVAILABLE,
        ErrorKind.BUNDLE: StatusCode.UNAVAILABLE,
        ErrorKind.CONFIGURATION: StatusCode.INTERNAL,
        ErrorKind.DATA: StatusCode.INVALID_ARGUMENT,
    }
)

_STATUS_OF_CLASS: Mapping[type[FrontdeskError], int] = MappingProxyType(
    {TargetTooLong: 414, HeadersTooLarge: 431, BodyTooLate: 408, UnsupportedTransferCoding: 501}
)

TITLES: Mapping[ErrorKind, str] = MappingProxyType(
    {
        ErrorKind.INVALID_QUERY: "The request cannot be accepted",
        ErrorKind.UNAUTHENTICATED: "A valid token is needed",
        ErrorKind.FORBIDDEN: "The token does not allow this",
        ErrorKind.NOT_FOUND: "There is no such thing here",
        ErrorKind.METHOD_NOT_ALLOWED: "The method is not allowed here",
        ErrorKind.TOO_LARGE: "The request is too large",
        ErrorKind.UNSUPPORTED_MEDIA: "The content type is not understood",
        ErrorKind.KEY_IN_FLIGHT: "The same request is being answered",
        ErrorKind.KEY_REUSED: "The Idempotency-Key belongs to another request",
        ErrorKind.RATE_LIMITED: "Too many requests",
        ErrorKind.OVERLOADED: "Too much is waiting",
        ErrorKind.DEADLINE_EXCEEDED: "The deadline has passed",
        ErrorKind.STORAGE_UNAVAILABLE: "The answer could not be stored",
        ErrorKind.BUNDLE: "The model is not available",
        ErrorKind.CONFIGURATION: "The server is not configured correctly",
        ErrorKind.DATA: "The data cannot be used",
    }
)


def http_status(error: FrontdeskError) -> int:
    """The HTTP status of the error's class if it has a more specific one, else of its kind."""
    return _STATUS_OF_CLASS.get(type(error)) or HTTP_STATUS[error.kind]


def problem(error: FrontdeskError) -> dict[str, Any]:
    """RFC 9457 members of an error: type, title, status, detail; `violations` or `accepted` if there are any."""
    body: dict[str, Any] = {
        "type": f"urn:frontdesk:{error.kind}",
        "title": TITLES[error.kind],
        "status": http_status(error),
        "detail": str(error),
    }
    if isinstance(error, InvalidQuery) and error.violations:
        body["violations"] = [{"field": where, "problem": what} for where, what in error.violations]
    if isinstance(error, Overloaded) and error.accepted is not None:
        body["accepted"] = asdict(error.accepted)
    return body


def retry_after_s(error: FrontdeskError) -> float | None:
    """Seconds after which a retry can succeed; None if a retry is useless."""
    if isinstance(error, Overloaded | RateLimited):
        return error.retry_after_s
    return _RETRY_S.get(error.kind)


_RETRY_S: Mapping[ErrorKind, float] = MappingProxyType(
    {ErrorKind.STORAGE_UNAVAILABLE: STORAGE_RETRY_S, ErrorKind.KEY_IN_FLIGHT: KEY_RETRY_S}
)


def problem_headers(error: FrontdeskError) -> dict[str, str]:
    """Headers for an error, such as `Retry-After` or `WWW-Authenticate`."""
    if (seconds := retry_after_s(error)) is not None:
        return {"retry-after": str(math.ceil(seconds))}
    if isinstance(error, MethodNotAllowed):
        return {"allow": ", ".join(error.allowed)}
    if error.kind is ErrorKind.UNAUTHENTICATED:
        return {"www-authenticate": 'Bearer realm="frontdesk"'}
    if isinstance(error, UnsupportedContentCoding):
        return {"accept-encoding": "identity"}  # RFC 9110, section 15.5.16
    if isinstance(error, BodyTooLate):
        return {"connection": "close"}  # RFC 9110, section 15.5.9
    return {}


def problem_response(error: FrontdeskError) -> Response:
    body = problem(error)
    return Response(
        json.dumps(body), status_code=body["status"], media_type=PROBLEM_JSON, headers=problem_headers(error)
    )


def raw_problem_response(error: FrontdeskError, request_id: str, fields: Sequence[tuple[bytes, bytes]] = ()) -> bytes:
    """A complete HTTP/1.1 response that closes the connection, for errors that occur before the application is called.

    Args:
        error: becomes the problem document.
        request_id: value of `X-Request-Id`.
        fields: headers that precede the others.
    """
    body = json.dumps(problem(error)).encode()
    headers = [
        *fields,
        (b"content-type", PROBLEM_JSON.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
        *((name.encode(), value.encode()) for name, value in problem_headers(error).items()),
        *SECURITY_HEADERS,
        (b"x-request-id", request_id.encode()),
    ]
    status = HTTPStatus(http_status(error))
    status_line = f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode()
    return status_line + b"".join(name + b": " + value + b"\r\n" for name, value in headers) + b"\r\n" + body


def internal_error_problem() -> dict[str, Any]:
    """RFC 9457 members for a defect, without any details."""
    return {
        "type": "urn:frontdesk:defect",
        "title": "Something went wrong inside Frontdesk",
        "status": 500,
        "detail": "The request was not completed. The log has the details under the request id of X-Request-ID.",
    }


def internal_error_response() -> Response:
    """The response to a request that failed because of a defect."""
    return Response(json.dumps(internal_error_problem()), status_code=500, media_type=PROBLEM_JSON)
