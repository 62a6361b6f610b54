"""What every call passes before a servicer sees it, in this order: the gRPC door's counterpart of `gateway/door.py`.

    request id -> room -> gate -> limits -> deadline -> size -> decoding -> servicer -> status, access log, metrics

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
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from grpc.aio import ServicerContext

from bentos.desk import Desk
from bentos.gateway.door import BUSY_S
from bentos.gateway.exchange import ANONYMOUS
from bentos.gateway.routes import Rpc, find_rpc
from bentos.grpc.errors import DETAILS_KEY, code_of, defect_status, http_status, status_of
from bentos.headers import asks_afresh, idempotency_key, rate_limit_fields, request_id, seconds_allowed
from frontdesk.config import Settings
from frontdesk.deadline import Deadline
from frontdesk.errors import FrontdeskError, InvalidQuery, Overloaded, TooLarge
from frontdesk.observability.logs import log_access, log_failure

METHOD = "GRPC"
OK, CALLER_LEFT, TOO_LATE = 200, 499, 504
"""As HTTP counts them: the second is nginx's for a request that the client gave up."""

RETRY_ELSEWHERE_S = 1.0
"""By then the connection is closed, and the next one reaches a server that stays."""

_SINGLE = ("authorization", "idempotency-key", "x-request-deadline-ms", "x-request-id")

Context = ServicerContext[bytes, bytes]
Send = Callable[[Any, "Call", Context], Awaitable[bytes | None]]


Behaviour = Callable[[Any, "Call"], Any]
"""`behaviour(request, call)` is a coroutine function that returns the response, or for a method that streams an async
generator function. It raises `FrontdeskError` for what it refuses."""


class Servicer(Protocol):
    """A service: its descriptor, and by name those of its methods that it has. The others are UNIMPLEMENTED."""

    descriptor: ServiceDescriptor

    def methods(self) -> Mapping[str, Behaviour]: ...


class Call:
    """One call as the door follows it. `status` is an HTTP status: that of the same kind; `fields` goes back
    with it."""

    __slots__ = (
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

    def encoded(self, message: Message) -> bytes:
        body = message.SerializeToString()
        self.bytes_out += len(body)
        return body


@dataclass(frozen=True, slots=True)
class _Entry:
    """What is known of a method before anybody calls it."""

    rpc: Rpc
    most_bytes: int
    read: Callable[[bytes], Message]
    send: Send


class Admission:
    """Makes handlers of servicers, and knows how many calls are in flight."""

    def __init__(self, desk: Desk, settings: Settings) -> None:
        self._desk = desk
        self._limits = settings.server
        self._access_log = settings.observability.access_log
        self._closed = False
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def close(self) -> None:
        """Refuse who comes from now on. gRPC itself would cut them off with CANCELLED, which no client tries again."""
        self._closed = True

    async def idle(self) -> None:
        """Return at a moment at which no call is in flight."""
        await self._idle.wait()

    def handlers(self, servicer: Servicer) -> grpc.GenericRpcHandler[Any, Any]:
        """To be added to a server of `grpc.aio`."""
        service = servicer.descriptor
        return grpc.method_handlers_generic_handler(
            service.full_name,
            {name: self._handler(service, name, behaviour) for name, behaviour in servicer.methods().items()},
        )

    def _handler(self, service: ServiceDescriptor, name: str, behaviour: Behaviour) -> grpc.RpcMethodHandler[Any, Any]:
        described = service.methods_by_name[name]
        rpc, streams = find_rpc(f"/{service.full_name}/{name}"), described.server_streaming
        entry = _Entry(
            rpc=rpc,
            most_bytes=self._limits.max_batch_body_bytes if rpc.batch else self._limits.max_body_bytes,
            read=GetMessageClass(described.input_type).FromString,
            send=_each(behaviour) if streams else _one(behaviour),
        )
        kind = grpc.unary_stream_rpc_method_handler if streams else grpc.unary_unary_rpc_method_handler
        return kind(self._guarded(entry))

    def _guarded(self, entry: _Entry) -> Callable[[bytes, Context], Awaitable[bytes | None]]:
        async def handle(raw: bytes, context: Context) -> bytes | None:
            given: Sequence[tuple[str, Any]] = cast(Any, context.invocation_metadata())
            metadata = dict(reversed(given))  # of a repeated one, the first
            call = Call(entry.rpc.path, len(raw), metadata.get("x-request-id"), self._limits.request_timeout_s)
            call.client = _address(context.peer())
            self._in_flight += 1
            self._idle.clear()
            try:
                if len(metadata) < len(given):
                    _check_repeated([name for name, _ in given])
                request = await self._admit(entry, raw, metadata, call, context)
                sent = await entry.send(request, call, context)
                context.set_trailing_metadata((("x-request-id", call.request_id), *call.fields))
                call.status = OK
                return sent
            except Exception as error:  # noqa: BLE001 - the last line of defence: any defect is answered and logged
                await self._refuse(error, call, context)
            finally:
                self._end(call)

        return handle

    async def _admit(
        self, entry: _Entry, raw: bytes, metadata: dict[str, Any], call: Call, context: Context
    ) -> Message:
        """The request, decoded; `call` learns who asks, how long they wait, and whether caches may answer."""
        if self._closed:
            raise Overloaded("The server is stopping.", retry_after_s=RETRY_ELSEWHERE_S, hint="Try again later.")
        if entry.rpc.models:
            self._desk.champion.check_room()
        if entry.rpc.scope is not None:
            if self._in_flight > self._limits.max_concurrent_requests:
                raise Overloaded("Too many requests are under way.", retry_after_s=BUSY_S, hint="Try again later.")
            call.caller = await self._desk.gate.admit(metadata.get("authorization"), entry.rpc.scope)
            taken = await self._desk.limits.take(call.caller)
            call.fields = rate_limit_fields(taken.standings)
            taken.check()
        allowed_s = seconds_allowed(metadata.get("x-request-deadline-ms"), self._limits.request_timeout_s)
        left_s: float | None = context.time_remaining()
        began = time.monotonic() - (time.perf_counter() - call.started)
        call.deadline = Deadline.after(allowed_s if left_s is None else min(allowed_s, left_s), began)
        call.fresh = asks_afresh(metadata.get("cache-control"))
        call.idempotency_key = idempotency_key(metadata.get("idempotency-key"), batch=entry.rpc.batch)
        if len(raw) > entry.most_bytes:
            raise TooLarge(f"The message has more than {entry.most_bytes} bytes.", hint="Send less at once.")
        try:
            return entry.read(raw)
        except DecodeError:
            raise InvalidQuery("The bytes are no message of the type that this method takes.") from None

    async def _refuse(self, error: Exception, call: Call, context: Context) -> NoReturn:
        call.status = http_status(error)
        if isinstance(error, FrontdeskError):
            self._desk.metrics.observe_rejection(error.kind)
            status = status_of(error)
        else:
            log_failure(error, call.request_id)
            status = defect_status()
        trailing = (("x-request-id", call.request_id), *call.fields, (DETAILS_KEY, status.SerializeToString()))
        await context.abort(code_of(status), status.message, trailing)

    def _end(self, call: Call) -> None:
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


def _one(behaviour: Callable[[Any, Call], Awaitable[Message]]) -> Send:
    async def send(request: Message, call: Call, _: Context) -> bytes:
        return call.encoded(await behaviour(request, call))

    return send


def _each(behaviour: Callable[[Any, Call], AsyncIterator[Message]]) -> Send:
    async def send(request: Message, call: Call, context: Context) -> None:
        async for message in behaviour(request, call):
            await context.write(call.encoded(message))

    return send
