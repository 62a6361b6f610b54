"""Requests as values that can be written to a file, and how one is sent to a server."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.json_format import MessageToDict, ParseDict
from google.rpc import error_details_pb2  # noqa: F401 - registers the types of error details
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_status import rpc_status

from tests.support.serving import Server, send_raw

JSON_HEADERS = (("content-type", "application/json"),)
ALL_SCOPES = "all scopes"
TIMEOUT_S = 30.0
SERVICE = "frontdesk.v1.FrontdeskService"


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """`token` is "all scopes", "scopes A B", or the value of the Authorization header; empty: no such header."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = JSON_HEADERS
    body: bytes = b""
    token: str = ALL_SCOPES

    def to_json(self) -> dict[str, Any]:
        fields = {"method": self.method, "path": self.path, "headers": self.headers, "token": self.token}
        try:
            return {"http": fields | {"body": self.body.decode()}}
        except UnicodeDecodeError:
            return {"http": fields | {"base64": base64.b64encode(self.body).decode()}}


@dataclass(frozen=True, slots=True)
class GrpcRequest:
    """`message` is the JSON form of the request; `token` as that of `HttpRequest`."""

    method: str
    message: Mapping[str, Any] = field(repr=False)
    token: str = ALL_SCOPES

    def to_json(self) -> dict[str, Any]:
        return {"grpc": {"method": self.method, "message": self.message, "token": self.token}}


Request = HttpRequest | GrpcRequest


def request_of(content: Mapping[str, Any]) -> Request:
    """The request that `to_json` wrote."""
    if "grpc" in content:
        return GrpcRequest(**content["grpc"])
    fields = dict(content["http"])
    body = base64.b64decode(fields.pop("base64")) if "base64" in fields else fields.pop("body").encode()
    headers = tuple((name, value) for name, value in fields.pop("headers"))
    return HttpRequest(**fields, headers=headers, body=body)


class Sender:
    """Sends requests to one server, one at a time. The gRPC schema comes from the server's own reflection."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._tokens: dict[str, str] = {}
        self._channel = grpc.insecure_channel(server.grpc_address)
        self._pool = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(self._channel))

    def close(self) -> None:
        self._channel.close()

    def send(self, request: Request, ids: Mapping[str, str]) -> dict[str, Any]:
        """The response. `{id:N}` in the path of an HTTP request stands for the query id of exchange N in `ids`."""
        return self._http(request, ids) if isinstance(request, HttpRequest) else self._grpc(request)

    def _http(self, request: HttpRequest, ids: Mapping[str, str]) -> dict[str, Any]:
        path = request.path
        for name, value in ids.items() if "{id:" in path else ():
            path = path.replace(f"{{id:{name}}}", value)
        headers = [("host", f"127.0.0.1:{self._server.port}"), ("connection", "close"), *request.headers]
        headers += [("authorization", token)] if (token := self._token(request.token)) else []
        headers += [("content-length", str(len(request.body)))]
        head = "\r\n".join([f"{request.method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)])
        response = send_raw(self._server.port, head.encode() + b"\r\n\r\n" + request.body, timeout_s=TIMEOUT_S)
        return {
            "status": response.status,
            "headers": dict(sorted((name.lower(), value) for name, value in response.headers.items())),
            "body": _content(response.headers.get("content-type", ""), response.body),
        }

    def _token(self, token: str) -> str:
        if token != ALL_SCOPES and not token.startswith("scopes "):
            return token
        if token not in self._tokens:
            scopes = token.split()[1:]
            token_text = self._server.token() if token == ALL_SCOPES else self._server.token(scopes)
            self._tokens[token] = f"Bearer {token_text}"
        return self._tokens[token]

    def _grpc(self, request: GrpcRequest) -> dict[str, Any]:
        method = self._pool.FindServiceByName(SERVICE).FindMethodByName(request.method)
        request_class, response_class = (
            message_factory.GetMessageClass(kind) for kind in (method.input_type, method.output_type)
        )
        message = ParseDict(dict(request.message), request_class())
        token = self._token(request.token)
        metadata = (("authorization", token),) if token else ()
        call = self._channel.unary_stream if method.server_streaming else self._channel.unary_unary
        send = call(f"/{SERVICE}/{request.method}", request_class.SerializeToString, response_class.FromString)
        try:
            response = send(message, metadata=metadata, timeout=TIMEOUT_S)
            events = list(response) if method.server_streaming else [response]
        except grpc.RpcError as error:
            return {"status": error.code().name, "message": error.details(), "details": _details(error)}
        return {"status": "OK", "body": [_to_json_form(event) for event in events]}


def _to_json_form(message: Any) -> Any:
    """The message in its JSON form with sorted keys: the order of a map's entries is arbitrary."""
    pool = descriptor_pool.Default()
    fields = MessageToDict(message, preserving_proto_field_name=True, descriptor_pool=pool)
    return json.loads(json.dumps(fields, sort_keys=True))


def _details(error: grpc.RpcError) -> list[Any]:
    status = rpc_status.from_call(error)  # type: ignore[arg-type] # every RpcError of a call is one
    return [] if status is None else [_to_json_form(detail) for detail in status.details]


def _content(content_type: str, body: bytes) -> Any:
    """The body as values: JSON, the events of a stream, else its text."""
    text = body.decode("utf-8", "replace")
    kind = content_type.partition(";")[0]
    if kind in ("application/json", "application/problem+json"):
        return json.loads(text)
    if kind == "text/event-stream":
        return [_event(event) for event in text.strip().split("\n\n")]
    return text


def _event(text: str) -> dict[str, Any]:
    name, _, data = text.partition("\ndata: ")
    return {"event": name.removeprefix("event: "), "data": json.loads(data)}
