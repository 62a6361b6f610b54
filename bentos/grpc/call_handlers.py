"""Handlers of gRPC calls: all steps from the arrival of a call to its servicer. The HTTP gateway has the same steps.

    request id -> call budget -> metadata -> admission -> message -> decoding -> servicer
    -> status, access log, metrics

All steps before "message" use the headers only. Every method is registered as client-streaming, which looks the same
on the wire: its handler starts when the headers have arrived, and gRPC core reads no message before the caller is
admitted. A method with a single request reads one message; further messages are never read.

One function wraps each method. Interceptors would cost another coroutine for each call, and gRPC's own decoding answers
malformed messages with UNKNOWN and logs a traceback.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, NoReturn, cast

import grpc
from grpc._cython.cygrpc import ExecuteBatchError

from bentos.admission.admission import AdmissionControl, RequestMetadata
from bentos.admission.defaults import ANONYMOUS
from bentos.admission.errors import HTTP_STATUS
from bentos.grpc.call import CLIENT_CLOSED_REQUEST, Behaviour, CallState, Context, Servicer, peer_address
from bentos.grpc.call_budget import CallBudget
from bentos.grpc.connection_closer import ConnectionCloser
from bentos.grpc.error_status import DETAILS_KEY, code_of, error_status, http_status, internal_error_status
from bentos.grpc.metadata import check_metadata
from bentos.grpc.methods import CatchAllHandler, GrpcMethod, build_method, unknown_method
from bentos.grpc.receiver import RequestReceiver
from bentos.grpc.sender import ResponseSender
from bentos.worker.worker_context import WorkerContext
from frontdesk.config import Settings
from frontdesk.errors import ErrorKind, FrontdeskError, MethodNotAllowed, Overloaded, RateLimited
from frontdesk.observability.logs import log_failure

__all__ = ["Behaviour", "CallHandlers", "CallState", "Servicer"]

OK, GATEWAY_TIMEOUT = 200, 504
"""HTTP statuses under which calls are counted."""

STOPPING_RETRY_S = 1.0
"""Within this time a stopping server closes the connection, and the next connection reaches another server."""
BUDGET_RETRY_S = 1.0
CLOSED_REASON = "grpc_calls"
"""Reason in `frontdesk_connections_closed_total` for connections whose calls exceeded the budget of their address."""


class CallHandlers:
    """Builds the handlers of servicers and counts the calls in flight. `port` is the port of the server."""

    def __init__(self, worker: WorkerContext, settings: Settings, port: int) -> None:
        self._worker = worker
        self._limits = settings.server
        self._receiver = RequestReceiver(settings.server)
        self._sender = ResponseSender()
        self._budget = CallBudget(settings.server)
        self._closer = ConnectionCloser(port, lambda: worker.telemetry.metrics.count_closed_connection(CLOSED_REASON))
        self._closed = False
        self._control = AdmissionControl(
            authenticator=worker.security.authenticator,
            limits=worker.security.limits,
            check_room=worker.models.champion.check_room,
            settings=settings.server,
        )
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def close(self) -> None:
        """Refuse new calls and calls whose message has not arrived.

        gRPC itself would end them with CANCELLED, which clients do not retry.
        """
        self._closed = True
        self._receiver.close()

    async def wait_until_idle(self) -> None:
        """Return when no call is in flight, except health checks and reflection."""
        await self._idle.wait()

    def build_handlers(self, servicer: Servicer) -> grpc.GenericRpcHandler[Any, Any]:
        """Return the handlers of a service, for a `grpc.aio` server."""
        service = servicer.descriptor
        return grpc.method_handlers_generic_handler(
            service.full_name,
            {
                name: self._build_rpc_handler(
                    build_method(service.methods_by_name[name], behaviour, self._sender, self._limits)
                )
                for name, behaviour in servicer.methods().items()
            },
        )

    def build_unknown_method_handler(self) -> grpc.GenericRpcHandler[Any, Any]:
        """Return a handler that refuses every call. It must be added to the server last."""
        return cast("grpc.GenericRpcHandler[Any, Any]", CatchAllHandler(self._build_rpc_handler(unknown_method())))

    def _build_rpc_handler(self, method: GrpcMethod) -> grpc.RpcMethodHandler[Any, Any]:
        register = (
            grpc.stream_stream_rpc_method_handler if method.streams_responses else grpc.stream_unary_rpc_method_handler
        )
        return register(self._build_handle(method))

    def _build_handle(self, method: GrpcMethod) -> Callable[[Any, Context], Awaitable[bytes | None]]:
        async def handle(_: Any, context: Context) -> bytes | None:
            peer = context.peer()
            if self._closer.is_closing(peer):
                self._drop_call_silently(method)
            pairs: Sequence[tuple[str, Any]] = cast(Any, context.invocation_metadata())
            metadata = dict(reversed(pairs))  # the first value of a repeated field
            address = peer_address(peer)
            charged_bucket = self._budget.take_token(address)
            is_over_budget = charged_bucket is None and not await self._has_valid_token(method, metadata)
            if is_over_budget:
                self._budget.record_refusal(address)
                if not self._closer.close_after_random_delay(peer) and self._closer.close(peer, delay_s=0.0):
                    self._drop_call_silently(method)
            call = CallState(method.rpc.path, 0, metadata.get("x-request-id"), self._limits.request_timeout_s)
            call.client, call.charged_bucket = address, charged_bucket
            self._begin_call(method)
            try:
                if is_over_budget:
                    raise _budget_exceeded()
                check_metadata(pairs, metadata, self._limits.max_header_bytes)
                await self._admit(method, metadata, call, context)
                if method.streams_requests:
                    request: Any = self._read_requests(method, call, context)
                else:
                    request = await self._read_request(method, call, context)
                response = await method.send(request, call, context)
                context.set_trailing_metadata((("x-request-id", call.request_id), *call.fields))
                self._sender.reset_stream_if_not_sent_in_time(call.client or "")
                call.status = OK
                return response
            except ExecuteBatchError:  # core raises it for a write to a client that has disconnected
                raise asyncio.CancelledError from None
            except Exception as error:  # noqa: BLE001 - any defect is answered and logged
                if isinstance(error, Overloaded) and await self._has_valid_token(method, metadata):
                    call.refund_call_budget()
                await self._refuse(error, call, context)
            finally:
                self._end_call(method, call)

        return handle

    def _drop_call_silently(self, method: GrpcMethod) -> NoReturn:
        """End a call on a connection that is about to be closed, without a response or an access log line."""
        self._worker.telemetry.metrics.observe_request(
            method.rpc.path, CallState.method, HTTP_STATUS[ErrorKind.RATE_LIMITED], 0.0
        )
        raise asyncio.CancelledError

    async def _has_valid_token(self, method: GrpcMethod, metadata: Mapping[str, Any]) -> bool:
        """Whether the metadata contain a valid token for the method; False for methods without a scope."""
        if method.rpc.scope is None or not (authorization := metadata.get("authorization")):
            return False
        with contextlib.suppress(FrontdeskError):
            await self._worker.security.authenticator.authenticate(authorization, method.rpc.scope, method.rpc.path)
            return True
        return False

    async def _admit(self, method: GrpcMethod, metadata: Mapping[str, Any], call: CallState, context: Context) -> None:
        """Check the metadata. Sets the caller, deadline, cache directive and idempotency key of `call`."""
        if method.parse is None:
            raise MethodNotAllowed("There is no such method here.", allowed=())
        if self._closed and not method.rpc.foreign:
            raise Overloaded("The server is stopping.", retry_after_s=STOPPING_RETRY_S, hint="Try again later.")
        options = await self._control.admit(method.rpc, _to_admission_metadata(metadata), call, context.time_remaining)
        call.deadline, call.fresh, call.idempotency_key = options.deadline, options.fresh, options.idempotency_key

    async def _read_request(self, method: GrpcMethod, call: CallState, context: Context) -> Any:
        """Return the decoded message of a call with a single request."""
        timeout_s = min(call.deadline.remaining_s(), self._limits.request_timeout_s)
        raw = await self._receiver.receive(
            context, call.client or "", timeout_s, method.max_bytes, admitted=call.is_admitted
        )
        call.bytes_in = len(raw)
        return method.decode(raw)

    async def _read_requests(self, method: GrpcMethod, call: CallState, context: Context) -> AsyncIterator[Any]:
        """Yield the decoded messages of a client-streaming call; each must arrive within the request timeout.

        Without a token, each message after the first is charged like a call.
        """
        for number in itertools.count():
            raw = await self._receiver.next(
                context, call.client or "", self._limits.request_timeout_s, method.max_bytes, admitted=call.is_admitted
            )
            if raw is None:
                return
            if number and not call.is_admitted and self._budget.take_token(call.client) is None:
                self._closer.close(context.peer())
                raise _budget_exceeded()
            call.bytes_in += len(raw)
            yield method.decode(raw)

    async def _refuse(self, error: Exception, call: CallState, context: Context) -> NoReturn:
        call.status = http_status(error)
        if isinstance(error, FrontdeskError):
            self._worker.telemetry.metrics.observe_rejection(error.kind)
            status = error_status(error)
        else:
            log_failure(error, call.request_id)
            status = internal_error_status()
        trailing = (("x-request-id", call.request_id), *call.fields, (DETAILS_KEY, status.SerializeToString()))
        self._sender.reset_stream_if_not_sent_in_time(call.client or "")
        try:
            await context.abort(code_of(status), status.message, trailing)
        except ExecuteBatchError:  # the client has reset the call
            if not call.is_admitted and call.caller is ANONYMOUS:
                self._budget.charge_reset_call(call.client)
            raise

    def _begin_call(self, method: GrpcMethod) -> None:
        if not method.rpc.foreign:
            self._in_flight += 1
            self._idle.clear()

    def _end_call(self, method: GrpcMethod, call: CallState) -> None:
        self._control.release(call)
        if not method.rpc.foreign:
            self._in_flight -= 1
            if self._in_flight == 0:
                self._idle.set()
        if call.status == CLIENT_CLOSED_REQUEST and call.deadline.remaining_s() <= 0:
            call.status = GATEWAY_TIMEOUT
        self._worker.telemetry.observe(call)


def _to_admission_metadata(metadata: Mapping[str, Any]) -> RequestMetadata:
    return RequestMetadata(
        authorization=metadata.get("authorization"),
        deadline_ms=metadata.get("x-request-deadline-ms"),
        cache_control=metadata.get("cache-control"),
        idempotency_key=metadata.get("idempotency-key"),
    )


def _budget_exceeded() -> RateLimited:
    return RateLimited(
        "There are too many calls without a valid token from this address.",
        retry_after_s=BUDGET_RETRY_S,
        hint="Send a token, or fewer calls.",
    )
