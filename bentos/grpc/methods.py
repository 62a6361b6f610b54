"""Methods of services, as the call handlers use them: route, limits, decoding of requests, sending of responses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.descriptor import Descriptor, MethodDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from bentos.admission.defaults import UNKNOWN_ROUTE
from bentos.admission.routes import Rpc, find_rpc
from bentos.grpc.call import Behaviour, CallState, Context
from bentos.grpc.field_count import check_field_count
from bentos.grpc.sender import ResponseSender
from bentos.schemas.queries import MAX_UNCHECKED_BYTES
from frontdesk.config import ServerSettings
from frontdesk.errors import InvalidQuery

Send = Callable[[Any, CallState, Context], Awaitable[bytes | None]]


@dataclass(frozen=True, slots=True)
class GrpcMethod:
    """One method of a service. Methods that do not exist have no `parse` function."""

    rpc: Rpc
    max_bytes: int
    parse: Callable[[bytes], Message] | None
    send: Send
    streams_requests: bool = False
    streams_responses: bool = False
    request_type: Descriptor | None = None

    def decode(self, raw: bytes) -> Message:
        """Decode a request.

        Raises:
            InvalidQuery: `raw` cannot be decoded, or a large message has too many fields.
        """
        assert self.parse is not None
        if (self.rpc.batch or len(raw) > MAX_UNCHECKED_BYTES) and self.request_type is not None:
            check_field_count(raw, self.request_type)
        try:
            return self.parse(raw)
        except DecodeError:
            raise InvalidQuery("The bytes are not a message of the type that this method takes.") from None


def build_method(
    descriptor: MethodDescriptor, behaviour: Behaviour, sender: ResponseSender, limits: ServerSettings
) -> GrpcMethod:
    """Return the method that a descriptor defines and `behaviour` implements."""
    rpc = find_rpc(f"/{descriptor.containing_service.full_name}/{descriptor.name}")
    return GrpcMethod(
        rpc=rpc,
        max_bytes=limits.max_batch_body_bytes if rpc.batch else limits.max_body_bytes,
        parse=GetMessageClass(descriptor.input_type).FromString,
        send=_build_stream_send(behaviour, sender) if descriptor.server_streaming else _build_unary_send(behaviour),
        streams_requests=descriptor.client_streaming,
        streams_responses=descriptor.server_streaming,
        request_type=descriptor.input_type,
    )


def unknown_method() -> GrpcMethod:
    """Return the method for calls of methods that do not exist."""
    return GrpcMethod(Rpc(UNKNOWN_ROUTE), 0, None, _send_nothing)


class CatchAllHandler:
    """A `grpc.GenericRpcHandler` with one handler for all methods."""

    def __init__(self, handler: grpc.RpcMethodHandler[Any, Any]) -> None:
        self._handler = handler

    def service(self, _: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any]:
        """Return the handler, for any method."""
        return self._handler


async def _send_nothing(_: Any, __: CallState, ___: Context) -> None:
    return None


def _build_unary_send(behaviour: Callable[[Any, CallState], Awaitable[Message]]) -> Send:
    async def send(request: Message, call: CallState, _: Context) -> bytes:
        return call.encode(await behaviour(request, call))

    return send


def _build_stream_send(behaviour: Callable[[Any, CallState], AsyncIterator[Message]], sender: ResponseSender) -> Send:
    async def send(request: Any, call: CallState, context: Context) -> None:
        async for message in behaviour(request, call):
            await sender.write(context, call.client or "", call.encode(message))

    return send
