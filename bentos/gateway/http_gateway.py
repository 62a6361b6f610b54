"""The HTTP gateway: the steps of every request, in this order.

    request id -> headers -> route -> method -> admission -> body -> application -> access log, metrics

The gateway is plain ASGI, because layers of middleware cost too much CPU time: a full stack 0.7-1.0 ms per request, the
gateway 0.1 ms. All errors are sent as problem+json. Unexpected errors are logged without their message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from types import MappingProxyType

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bentos.admission.admission import AdmissionControl
from bentos.admission.errors import PROBLEM_JSON, BodyTooLate, UnsupportedContentCoding, internal_error_response
from bentos.admission.headers import check_host, is_identity_coding
from bentos.admission.routes import Route, find_routes
from bentos.gateway.auditing import RequestAudit
from bentos.gateway.body_memory import BodyMemoryBudget, BodyReservation
from bentos.gateway.cors import CorsPolicy
from bentos.gateway.request_context import HttpExchange
from bentos.gateway.request_state import AdmittedRequest, set_request_state
from bentos.oip.error_response import error_response
from bentos.schemas.json_text import strip_byte_order_mark
from bentos.schemas.queries import QueryIn, parse
from bentos.worker.worker_context import WorkerContext
from frontdesk.config import ServerSettings
from frontdesk.deadline import Deadline
from frontdesk.errors import (
    DeadlineExceeded,
    FrontdeskError,
    InvalidQuery,
    MethodNotAllowed,
    NotFound,
    TooLarge,
    UnsupportedMedia,
)
from frontdesk.observability.logs import log_failure

HEALTH_PATHS = frozenset({"/livez", "/readyz", "/v2/health/live", "/v2/health/ready"})
"""Paths without a check of the host, because probes use IP addresses."""


class Gateway:
    """ASGI application that forwards requests to `api` (our routes), `native` (BentoML) or `open_inference`.

    `scopes`: scopes that the settings require for routes without a scope in the table, by template.
    """

    def __init__(
        self,
        *,
        api: ASGIApp,
        native: ASGIApp,
        open_inference: ASGIApp,
        worker: Callable[[], WorkerContext],
        settings: ServerSettings,
        scopes: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._api = api
        self._native = native
        self._open_inference = open_inference
        self._worker = worker
        self._settings = settings
        self._scopes = scopes
        self._body_memory = BodyMemoryBudget(
            settings.max_body_memory_bytes, lambda: worker().telemetry.metrics.count_body_memory_refusal()
        )
        self._cors = CorsPolicy(frozenset(settings.cors_origins))

    @cached_property
    def _admission(self) -> AdmissionControl:
        """Created on the first request, because the application exists before its worker is opened."""
        worker = self._worker()
        return AdmissionControl(
            authenticator=worker.security.authenticator,
            limits=worker.security.limits,
            check_room=worker.models.champion.check_room,
            settings=self._settings,
            optional_scopes=self._scopes,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})  # not supported: the server answers with 403
            return
        if scope["type"] != "http":
            await self._native(scope, receive, send)
            return
        exchange = HttpExchange(scope, send, self._settings.gzip_min_bytes)
        reservation = self._body_memory.reservation()
        try:
            await self._handle(scope, receive, exchange, reservation)
        except FrontdeskError as error:
            await exchange.send_response(self._refuse(error, scope["path"]))
        except asyncio.CancelledError:
            if not exchange.is_disconnected:
                raise
        except Exception as error:  # noqa: BLE001 - last resort: every defect is answered and logged
            if not exchange.is_disconnected:  # a cancelled framework may raise exceptions other than CancelledError
                log_failure(error, exchange.request_id)
            await exchange.send_response(internal_error_response())
        finally:
            reservation.release()
            self._admission.release(exchange)
            self._worker().telemetry.observe(exchange)

    async def _handle(
        self, scope: Scope, receive: Receive, exchange: HttpExchange, reservation: BodyReservation
    ) -> None:
        exchange.check_headers(self._settings.max_header_bytes)
        if self._settings.hosts and scope["path"] not in HEALTH_PATHS:
            check_host(exchange.header(b"host"), self._settings.hosts)
        if self._cors.origins and (preflight := self._cors_preflight(scope, exchange)) is not None:
            await exchange.send_response(preflight)
            return
        route = self._find_route(scope, exchange)
        is_head = scope["method"] == "HEAD"
        if is_head:
            scope = {**scope, "method": "GET"}  # the server omits the body
        options = await self._admission.admit(route, exchange.metadata(), exchange)
        deadline = options.deadline
        body = b""
        if scope["method"] == "POST":
            body = await self._receive_body_in_time(self._receive_body(route, receive, exchange, reservation), deadline)
            if not route.oip:  # the offsets of binary tensors include a byte order mark
                body = strip_byte_order_mark(body)
            if route.native:
                parse(QueryIn, body)  # BentoML logs invalid input, so it must only receive valid input
        audit = None
        if route.audited is not None or route.counted is not None:
            audit = RequestAudit(self._worker(), route, scope, exchange)
            await audit.begin(deadline)
        facts = None if audit is None else audit.facts
        admitted = AdmittedRequest(
            exchange.caller,
            deadline,
            exchange.request_id,
            body,
            fresh=options.fresh,
            idempotency_key=options.idempotency_key,
            is_head=is_head,
            audit_facts=facts,
        )
        set_request_state(scope, self._worker(), admitted)
        application = self._native if route.native else self._open_inference if route.oip else self._api
        send = _replace_server_errors(exchange) if route.native else exchange.send if audit is None else audit.send
        try:
            async with exchange.cancel_on_disconnect(receive):
                await application(scope, _replay(body, receive), send)
        finally:
            if audit is not None:
                await audit.end()

    def _cors_preflight(self, scope: Scope, exchange: HttpExchange) -> Response | None:
        """The response to a CORS preflight, else None. Adds the CORS headers of the response."""
        origin = exchange.header(b"origin")
        exchange.add_response_headers(self._cors.response_headers(origin))
        if scope["method"] != "OPTIONS":
            return None
        methods = [method for route in find_routes(scope["raw_path"].decode("latin-1")) for method in route.methods]
        return self._cors.preflight(origin, exchange.header(b"access-control-request-method"), methods)

    def _find_route(self, scope: Scope, exchange: HttpExchange) -> Route:
        """The route of the path as it was sent, for its method; HEAD is treated as GET."""
        path = scope["raw_path"].decode("latin-1")
        routes = find_routes(path)
        if not routes or ("%" in path and not routes[0].escapes):
            raise NotFound("There is no such path.", hint="See /docs for the paths.")
        exchange.route = routes[0].template
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        for route in routes:
            if method in route.methods:
                return route
        allowed = tuple(method for route in routes for method in route.methods)
        raise MethodNotAllowed(f"Use {' or '.join(allowed)} here.", allowed=allowed)

    async def _receive_body_in_time(self, receiving: Awaitable[bytes], deadline: Deadline) -> bytes:
        """Wait for the body. 504 if the deadline that the caller set has passed, 408 for a slow client."""
        latest = deadline.started_at + self._settings.request_timeout_s  # a batch has more time, but not its body
        if deadline.at > latest:
            deadline = Deadline(latest, deadline.started_at)
        try:
            return await deadline.wait_for(receiving, "the body was on its way")
        except DeadlineExceeded:
            if deadline.elapsed_s() < self._settings.request_timeout_s:
                raise
            raise BodyTooLate("The body did not arrive in time.", hint="Send the request again.") from None

    async def _receive_body(
        self, route: Route, receive: Receive, exchange: HttpExchange, reservation: BodyReservation
    ) -> bytes:
        coding = exchange.header(b"content-encoding")
        if coding is not None and not is_identity_coding(coding):
            raise UnsupportedContentCoding
        content_type = (exchange.header(b"content-type") or "").partition(";")[0].strip().lower()
        if content_type != "application/json" and not route.oip:
            raise UnsupportedMedia("The body must be JSON.", hint="Send the header Content-Type: application/json.")
        limit = self._settings.max_batch_body_bytes if route.batch else self._settings.max_body_bytes
        declared = exchange.header(b"content-length")
        if declared is not None and declared.isdecimal():
            if int(declared) > limit:
                raise _too_large(limit)
            reservation.check_declared(int(declared))
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise InvalidQuery("The connection was closed before the body was complete.")
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > limit:
                raise _too_large(limit)
            reservation.grow(len(chunk))
            chunks.append(chunk)
            if not message.get("more_body", False):
                exchange.bytes_in = size
                return b"".join(chunks)

    def _refuse(self, error: FrontdeskError, path: str) -> Response:
        """The error response in the format of the path's protocol, also for unknown paths."""
        response = self._worker().refuse(error)
        return error_response(error) if path == "/v2" or path.startswith("/v2/") else response


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body has more than {limit} bytes.", hint="Send less text, or fewer queries at once.")


def _replace_server_errors(exchange: HttpExchange) -> Send:
    """`exchange.send` for BentoML's application; replaces BentoML's JSON for a defect with a problem document."""
    replaced = False

    async def send(message: Message) -> None:
        nonlocal replaced
        if message["type"] == "http.response.start" and message["status"] >= 500:
            replaced = (b"content-type", PROBLEM_JSON.encode()) not in message.get("headers", ())
            if replaced:
                await exchange.send_response(internal_error_response())
        if not replaced:
            await exchange.send(message)

    return send


def _replay(body: bytes, receive: Receive) -> Receive:
    """`receive` for the application: the body that the gateway has read, then the next messages."""
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
