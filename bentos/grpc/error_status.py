"""Errors over gRPC: a `google.rpc.Status` with standard details.

ErrorInfo has the kind (`reason`, in the form of AIP-193: INVALID_QUERY) and the size of a batch that would be accepted,
BadRequest each violated rule, RetryInfo the time before a retry. Statuses never contain input.
https://google.aip.dev/193, google/rpc/error_details.proto.
"""

from __future__ import annotations

from dataclasses import asdict

from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc import StatusCode

from bentos.admission.errors import GRPC_STATUS, HTTP_STATUS, retry_after_s
from frontdesk.errors import FrontdeskError, InvalidQuery, Overloaded

DOMAIN = "frontdesk"
DETAILS_KEY = "grpc-status-details-bin"
INTERNAL_SERVER_ERROR = 500


def error_status(error: FrontdeskError) -> Status:
    """Return the status for an expected error."""
    number, _ = GRPC_STATUS[error.kind].value
    accepted = error.accepted if isinstance(error, Overloaded) else None
    metadata = {f"accepted_{name}": str(size) for name, size in asdict(accepted).items()} if accepted else {}
    details: list[Message] = [ErrorInfo(reason=error.kind.name, domain=DOMAIN, metadata=metadata)]
    if isinstance(error, InvalidQuery) and error.violations:
        violations = [
            BadRequest.FieldViolation(field=field, description=description) for field, description in error.violations
        ]
        details.append(BadRequest(field_violations=violations))
    if (seconds := retry_after_s(error)) is not None:
        delay = Duration()
        delay.FromMicroseconds(round(seconds * 1_000_000))
        details.append(RetryInfo(retry_delay=delay))
    return Status(code=number, message=str(error), details=[_pack_any(detail) for detail in details])


def internal_error_status() -> Status:
    """Return the status for a defect; it contains no details of the defect."""
    number, _ = StatusCode.INTERNAL.value
    message = "The request was not completed. The log has the details under the id in x-request-id."
    return Status(code=number, message=message)


def http_status(error: Exception) -> int:
    """Return the HTTP status of the same kind, which is used in metrics and the access log."""
    return HTTP_STATUS[error.kind] if isinstance(error, FrontdeskError) else INTERNAL_SERVER_ERROR


def code_of(status: Status) -> StatusCode:
    return _CODES[status.code]


_CODES = {code.value[0]: code for code in StatusCode}


def _pack_any(detail: Message) -> Any:
    container = Any()
    container.Pack(detail)
    return container
