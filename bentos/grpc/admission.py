"""What every call passes before a servicer sees it, in this order: the gRPC door's counterpart of `gateway/door.py`.

    request id -> room -> gate -> limits -> deadline -> message -> decoding -> servicer -> status, access log, metrics

All but the message is in the headers. So every method is registered as one whose client streams, which is the same on
the wire: its function starts with the headers, and core is not asked for the message before the caller is admitted.
A method that takes one message asks for one; further ones are never read, and end with the call.

One function around each method, made from the service's descriptor: interceptors would cost another coroutine each, and
gRPC's own decoding answers bytes that are no message with UNKNOWN and a traceback in the log. Knows no service by name.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol, cast

import grpc
from google.protobuf.descriptor import Descriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from grpc._cython.cygrpc import ExecuteBatchError
from grpc.aio import ServicerContext

from bentos.desk import Desk
from bentos.gateway.door import BUSY_S
from bentos.gateway.exchange import ANONYMOUS, UNKNOWN_ROUTE
from bentos.gateway.routes import Rpc, find_rpc
from bentos.grpc.errors import DETAILS_KEY, code_of, defect_status, http_status, status_of
from bentos.grpc.field_count import check_fields
from bentos.grpc.receiving import Receiver
from bentos.grpc.sending import Sender
from bentos.headers import asks_afresh, idempotency_key, rate_limit_fields, request_id, seconds_allowed
from frontdesk.config import Settings
from frontdesk.deadline import Deadline
from frontdesk.errors import FrontdeskError, InvalidQuery, MethodNotAllowed, Overloaded, TooLarge
from frontdesk.observability.logs import log_access, log_failure

METHOD = "GRPC"
OK, CALLER_LEFT, TOO_LATE = 200, 499, 504
"""As HTTP counts them: the second is nginx's for a request that the client gave up."""

RETRY_ELSEWHERE_S = 1.0
"""By then the connection is closed, and the next one reaches a server that stays."""

_SINGLE = ("authorization", "idempotency-key", "x-request-deadline-ms", "x-request-id")

FIELD_OVERHEAD_BYTES = 32
"""What RFC 9113, 6.5.2, adds to the name and value of a header field."""

Context = ServicerContext[bytes, bytes]
Send = Callable[[Any, "Call", Context], Awaitable[bytes | None]]


Behaviour = Callable[[Any, "Call"], Any]
"""`behaviour(request, call)` is a coroutine function that returns the response, or for a method that streams an async
generator function. It raises `FrontdeskError` for what it refuses. A method whose client streams gets an iterator of
requests."""


class Servicer(Protocol):
    """A service: its descriptor, and by name those of its methods that it has. The others are UNIMPLEMENTED."""

    descriptor: ServiceDescriptor

    def methods(self) -> Mapping[str, Behaviour]: ...


class Call:
    """One call as the door follows it. `status` is an HTTP status: that of the same kind; `fields` goes back
    with it."""

    __slots__ = (
        "admitted",
        "bytes_in",
        "bytes_out",
        "caller",
        "client",
        "deadline",
        "fields",
        "fresh",
        "idempotency_key",
        "request_id",
        "route",
        "started",
        "status",
    )

    def __init__(self, route: str, bytes_in: int, wanted_id: str | None, longest_s: float) -> None:
        self.started = time.perf_counter()
        self.route = route
        self.request_id = request_id(wanted_id)
        self.caller = ANONYMOUS
        self.client: str | None = None
        self.fields: tuple[tuple[str, str], ...] = ()
        self.deadline = Deadline.after(longest_s)
        self.fresh = False
        self.idempotency_key: str | None = None
        self.status = CALLER_LEFT
        self.bytes_in = bytes_in
        self.bytes_out = 0
        self.admitted = False

    def encoded(self, message: Message) -> bytes:
        body = message.SerializeToString()
        self.bytes_out += len(body)
        return body


@dataclass(frozen=True, slots=True)
class _Entry:
    """What is known of a method before anybody calls it. `decode` is None where there is no such method."""

    rpc: Rpc
    most_bytes: int
    decode: Callable[[bytes], Message] | None
    send: Send
    many_requests: bool = False
    described: Descriptor | None = None


class Admission:
    """Makes handlers of servicers, and knows how many calls are in flight."""

    def __init__(self, desk: Desk, settings: Settings) -> None:
        self._desk = desk
        self._limits = settings.server
        self._access_log = settings.observability.access_log
        self._receiver = Receiver(settings.server)
        self._sender = Sender()
        self._closed = False
        self._admitted = 0
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def close(self) -> None:
        """Refuse new calls from now on, and those whose message has not arrived.

        gRPC itself would end them with CANCELLED, which no client tries again.
        """
        self._closed = True
        self._receiver.close()

    async def idle(self) -> None:
        """Return at a moment at which no call is in flight, health and reflection aside."""
        await self._idle.wait()

    def handlers(self, servicer: Servicer) -> grpc.GenericRpcHandler[Any, Any]:
        """To be added to a server of `grpc.aio`."""
        service = servicer.descriptor
        return grpc.method_handlers_generic_handler(
            service.full_name,
            {name: self._handler(service, name, behaviour) for name, behaviour in servicer.methods().items()},
        )

    def unknown_methods(self) -> grpc.GenericRpcHandler[Any, Any]:
        """Refuses every call; to be added after all others."""
        entry = _Entry(Rpc(UNKNOWN_ROUTE), 0, None, _send_nothing)
        everything = _Everything(grpc.stream_unary_rpc_method_handler(self._guarded(entry)))
        return cast("grpc.GenericRpcHandler[Any, Any]", everything)

    def _handler(self, service: ServiceDescriptor, name: str, behaviour: Behaviour) -> grpc.RpcMethodHandler[Any, Any]:
        described = service.methods_by_name[name]
        rpc, streams = find_rpc(f"/{service.full_name}/{name}"), described.server_streaming
        entry = _Entry(
            rpc=rpc,
            most_bytes=self._limits.max_batch_body_bytes if rpc.batch else self._limits.max_body_bytes,
            described=described.input_type,
            decode=GetMessageClass(described.input_type).FromString,
            send=_each(behaviour, self._sender) if streams else _one(behaviour),
            many_requests=described.client_streaming,
        )
        kind = grpc.stream_stream_rpc_method_handler if streams else grpc.stream_unary_rpc_method_handler
        return kind(self._guarded(entry))

    def _guarded(self, entry: _Entry) -> Callable[[Any, Context], Awaitable[bytes | None]]:
        async def handle(_: Any, context: Context) -> bytes | None:
            given: Sequence[tuple[str, Any]] = cast(Any, context.invocation_metadata())
            metadata = dict(reversed(given))  # of a repeated one, the first
            call = Call(entry.rpc.path, 0, metadata.get("x-request-id"), self._limits.request_timeout_s)
            call.client = _address(context.peer())
            self._begin(entry)
            try:
                self._check_metadata(given, metadata)
                await self._admit(entry, metadata, call, context)
                if entry.many_requests:
                    request: Any = self._requests(entry, call, context)
                else:
                    request = await self._request(entry, call, context)
                sent = await entry.send(request, call, context)
                context.set_trailing_metadata((("x-request-id", call.request_id), *call.fields))
                self._sender.watch(call.client or "")
                call.status = OK
                return sent
            except ExecuteBatchError:  # what core raises for a write to a client that has left; counted as 499
                raise asyncio.CancelledError from None
            except Exception as error:  # noqa: BLE001 - the last line of defence: any defect is answered and logged
                await self._refuse(error, call, context)
            finally:
                self._end(entry, call)

        return handle

    def _check_metadata(self, given: Sequence[tuple[str, Any]], metadata: Mapping[str, Any]) -> None:
        size = FIELD_OVERHEAD_BYTES * len(given)
        for name, value in given:
            size += len(name) + len(value)
        if size > self._limits.max_header_bytes:
            raise TooLarge(f"The metadata has more than {self._limits.max_header_bytes} bytes.", hint="Send less.")
        if len(metadata) < len(given):
            _check_repeated([name for name, _ in given])

    async def _admit(self, entry: _Entry, metadata: Mapping[str, Any], call: Call, context: Context) -> None:
        """Check all that the headers say; `call` learns who asks, how long they wait, and whether caches may answer."""
        if entry.decode is None:
            raise MethodNotAllowed("There is no such method here.", allowed=())
        if self._closed and not entry.rpc.foreign:
            raise Overloaded("The server is stopping.", retry_after_s=RETRY_ELSEWHERE_S, hint="Try again later.")
        if entry.rpc.models:
            self._desk.champion.check_room()
        if entry.rpc.scope is not None:
            if self._admitted >= self._limits.max_concurrent_requests:
                raise Overloaded("Too many requests are under way.", retry_after_s=BUSY_S, hint="Try again later.")
            call.caller = await self._desk.gate.admit(metadata.get("authorization"), entry.rpc.scope, call.route)
            taken = await self._desk.limits.take(call.caller)
            call.fields = rate_limit_fields(taken.standings)
            taken.check()
            call.admitted = True
            self._admitted += 1
        allowed_s = seconds_allowed(metadata.get("x-request-deadline-ms"), self._limits.request_timeout_s)
        left_s: float | None = context.time_remaining()
        began = time.monotonic() - (time.perf_counter() - call.started)
        call.deadline = Deadline.after(allowed_s if left_s is None else min(allowed_s, left_s), began)
        call.fresh = asks_afresh(metadata.get("cache-control"))
        call.idempotency_key = idempotency_key(metadata.get("idempotency-key"), batch=entry.rpc.batch)

    async def _request(self, entry: _Entry, call: Call, context: Context) -> Message:
        """The one message of a call, decoded."""
        raw = await self._receiver.receive(
            context, call.client or "", call.deadline.remaining_s(), entry.most_bytes, admitted=call.admitted
        )
        call.bytes_in = len(raw)
        return _decoded(entry, raw)

    async def _requests(self, entry: _Entry, call: Call, context: Context) -> AsyncIterator[Message]:
        """The messages of a call whose client streams, each within the time of a request."""
        while True:
            raw = await self._receiver.next(
                context, call.client or "", self._limits.request_timeout_s, entry.most_bytes, admitted=call.admitted
            )
            if raw is None:
                return
            call.bytes_in += len(raw)
            yield _decoded(entry, raw)

    async def _refuse(self, error: Exception, call: Call, context: Context) -> NoReturn:
        call.status = http_status(error)
        if isinstance(error, FrontdeskError):
            self._desk.metrics.observe_rejection(error.kind)
            status = status_of(error)
        else:
            log_failure(error, call.request_id)
            status = defect_status()
        trailing = (("x-request-id", call.request_id), *call.fields, (DETAILS_KEY, status.SerializeToString()))
        self._sender.watch(call.client or "")
        await context.abort(code_of(status), status.message, trailing)

    def _begin(self, entry: _Entry) -> None:
        if not entry.rpc.foreign:
            self._in_flight += 1
            self._idle.clear()

    def _end(self, entry: _Entry, call: Call) -> None:
        if call.admitted:
            self._admitted -= 1
        if not entry.rpc.foreign:
            self._in_flight -= 1
            if self._in_flight == 0:
                self._idle.set()
        if call.status == CALLER_LEFT and call.deadline.remaining_s() <= 0:
            call.status = TOO_LATE
        seconds = time.perf_counter() - call.started
        self._desk.metrics.observe_request(call.route, METHOD, call.status, seconds)
        if self._access_log:
            log_access(
                method=METHOD,
                route=call.route,
                status=call.status,
                duration_ms=seconds * 1000,
                request_id=call.request_id,
                tenant=call.caller.tenant,
                subject=call.caller.subject,
                client=call.client,
                bytes_in=call.bytes_in,
                bytes_out=call.bytes_out,
            )


def _address(peer: str) -> str | None:
    """The address in `ipv4:127.0.0.1:50051` or `ipv6:%5B::1%5D:50051`."""
    family, _, rest = peer.partition(":")
    if family not in ("ipv4", "ipv6"):
        return None
    return rest.rpartition(":")[0].removeprefix("%5B").removesuffix("%5D").strip("[]")


def _check_repeated(names: Sequence[str]) -> None:
    for single in _SINGLE:
        if names.count(single) > 1:
            raise InvalidQuery(f"The metadata {single} is there more than once.", hint="Send it once.")


def _decoded(entry: _Entry, raw: bytes) -> Message:
    assert entry.decode is not None
    if entry.rpc.batch and entry.described is not None:
        check_fields(raw, entry.described)
    try:
        return entry.decode(raw)
    except DecodeError:
        raise InvalidQuery("The bytes are no message of the type that this method takes.") from None


class _Everything:
    """A `grpc.GenericRpcHandler` that has the same handler for every method."""

    def __init__(self, handler: grpc.RpcMethodHandler[Any, Any]) -> None:
        self._handler = handler

    def service(self, _: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any]:
        return self._handler


async def _send_nothing(_: Any, __: Call, ___: Context) -> None:
    return None


def _one(behaviour: Callable[[Any, Call], Awaitable[Message]]) -> Send:
    async def send(request: Message, call: Call, _: Context) -> bytes:
        return call.encoded(await behaviour(request, call))

    return send


def _each(behaviour: Callable[[Any, Call], AsyncIterator[Message]], sender: Sender) -> Send:
    async def send(request: Any, call: Call, context: Context) -> None:
        async for message in behaviour(request, call):
            await sender.write(context, call.client or "", call.encoded(message))

    return send
