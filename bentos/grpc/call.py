"""One gRPC call during its admission, and the interface of a service."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message
from grpc.aio import ServicerContext

from bentos.admission.defaults import ANONYMOUS
from bentos.admission.headers import request_id
from bentos.grpc.call_budget import TokenBucket
from frontdesk.deadline import Deadline
from frontdesk.types import Caller

Context = ServicerContext[bytes, bytes]

CLIENT_CLOSED_REQUEST = 499
"""The HTTP status that nginx uses for a request whose client has disconnected."""

Behaviour = Callable[[Any, "CallState"], Any]
"""`behaviour(request, call)` is a coroutine function that returns the response, or, for a server-streaming method, an
async generator function. It raises `FrontdeskError` to refuse a request. A client-streaming method receives an async
iterator of requests."""


class Servicer(Protocol):
    """A service: its descriptor and its implemented methods. Other methods are UNIMPLEMENTED."""

    descriptor: ServiceDescriptor

    def methods(self) -> Mapping[str, Behaviour]:
        """The implemented methods by name."""
        ...


class CallState:
    """State of one call. `status` is the HTTP status of the same kind; `fields` are sent as trailing metadata.

    `client` is the peer address. `charged_bucket` is the bucket that was charged for the call; None once the caller has
    shown a valid token.
    """

    __slots__ = (
        "bytes_in",
        "bytes_out",
        "caller",
        "charged_bucket",
        "client",
        "deadline",
        "fields",
        "fresh",
        "idempotency_key",
        "is_admitted",
        "request_id",
        "route",
        "started",
        "status",
    )

    method = "GRPC"
    """Value of the HTTP method field in the access log and in metrics."""

    def __init__(self, route: str, bytes_in: int, client_request_id: str | None, timeout_s: float) -> None:
        self.started = time.perf_counter()
        self.route = route
        self.request_id = request_id(client_request_id)
        self.caller = ANONYMOUS
        self.charged_bucket: TokenBucket | None = None
        self.client: str | None = None
        self.fields: tuple[tuple[str, str], ...] = ()
        self.deadline = Deadline.after(timeout_s)
        self.fresh = False
        self.idempotency_key: str | None = None
        self.status = CLIENT_CLOSED_REQUEST
        self.bytes_in = bytes_in
        self.bytes_out = 0
        self.is_admitted = False

    def encode(self, message: Message) -> bytes:
        """Serialize a message and add its size to `bytes_out`."""
        body = message.SerializeToString()
        self.bytes_out += len(body)
        return body

    def set_caller(self, caller: Caller) -> None:
        """Set the caller, who has a valid token, and refund the call to the budget of its address."""
        self.caller = caller
        self.refund_call_budget()

    def add_response_headers(self, fields: Sequence[tuple[str, str]]) -> None:
        """Add trailing metadata, which is sent with any status."""
        self.fields = (*self.fields, *fields)

    def refund_call_budget(self) -> None:
        """Return the token of this call to the bucket that was charged."""
        if self.charged_bucket is not None:
            self.charged_bucket.put_back()
            self.charged_bucket = None


def peer_address(peer: str) -> str | None:
    """Return the address of a peer in gRPC's notation (`ipv4:127.0.0.1:50051`, `ipv6:%5B::1%5D:50051`)."""
    family, _, endpoint = peer.partition(":")
    if family not in ("ipv4", "ipv6"):
        return None
    return endpoint.rpartition(":")[0].removeprefix("%5B").removesuffix("%5D").strip("[]")
