"""State of one HTTP request and its response: caller, route, sizes and status."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bentos.admission.admission import RequestMetadata
from bentos.admission.defaults import ANONYMOUS, UNKNOWN_ROUTE
from bentos.admission.errors import SECURITY_HEADERS, HeadersTooLarge
from bentos.admission.headers import request_id
from bentos.gateway.compression import accepts_gzip, compress_response, is_compressible
from bentos.gateway.content_security import NO_CONTENT, POLICY_HEADER
from frontdesk.errors import InvalidQuery
from frontdesk.types import Caller

HTTP_OK = 200
CLIENT_CLOSED_REQUEST = 499
"""Status for a client that disconnected before the response, as in nginx."""
DISCONNECT_WATCH_DELAY_S = 0.05
"""Time after which the connection of an unanswered request is watched. Faster requests only need a timer."""

_SINGLE_HEADERS = (
    b"authorization",
    b"content-encoding",
    b"content-length",
    b"content-type",
    b"host",
    b"idempotency-key",
    b"inference-header-content-length",
    b"x-request-deadline-ms",
    b"x-request-id",
)
_SECURITY_HEADERS = [*SECURITY_HEADERS, (b"cross-origin-resource-policy", b"same-origin")]
_HSTS = (b"strict-transport-security", b"max-age=31536000")
_PAGES = frozenset({"/", "/docs"})
_PAGE_HEADERS = [*_SECURITY_HEADERS, (b"cross-origin-opener-policy", b"same-origin")]
"""Headers of pages, without a content security policy because each page has its own."""
_CONTENT_HEADERS = [*_SECURITY_HEADERS, (POLICY_HEADER.encode(), NO_CONTENT.encode())]
_HEADERS = {
    (is_page, is_https): [*headers, _HSTS] if is_https else headers
    for is_page, headers in ((True, _PAGE_HEADERS), (False, _CONTENT_HEADERS))
    for is_https in (True, False)
}


class HttpExchange:
    """One request and its response. Complete bodies of at least `gzip_bytes` are compressed.

    `status` is 0 until the response begins. `route` is a template, not the requested path. `fields` are headers that
    are added to the response, including errors.
    """

    __slots__ = (
        "_gzip_bytes",
        "_headers",
        "_held",
        "_is_complete",
        "_scope",
        "_send",
        "bytes_in",
        "bytes_out",
        "caller",
        "fields",
        "is_admitted",
        "is_disconnected",
        "method",
        "request_id",
        "route",
        "started",
        "status",
    )

    def __init__(self, scope: Scope, send: Send, gzip_bytes: int | None = None) -> None:
        self.started = time.perf_counter()
        self._scope = scope
        self._send = send
        self._headers: dict[bytes, bytes] = dict(reversed(scope["headers"]))  # the first value of a repeated header
        self._gzip_bytes = gzip_bytes
        self._held: Message | None = None
        self._is_complete = False
        self.request_id = request_id(self.header(b"x-request-id"))
        self.method = (
            scope["method"]
            if scope["method"] in ("GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS")
            else "OTHER"
        )
        self.route = UNKNOWN_ROUTE
        self.caller = ANONYMOUS
        self.fields: list[tuple[bytes, bytes]] = []
        self.is_disconnected = False
        self.is_admitted = False
        self.status = 0
        self.bytes_in = 0
        self.bytes_out = 0

    def check_headers(self, limit: int) -> None:
        """Refuse more than `limit` bytes of headers, and repeated headers whose value would be ambiguous."""
        headers: list[tuple[bytes, bytes]] = self._scope["headers"]
        if sum(len(name) + len(value) for name, value in headers) > limit:
            raise HeadersTooLarge(f"The headers have more than {limit} bytes.", hint="Send fewer or shorter headers.")
        if len(headers) > len(self._headers):
            names = [name for name, _ in headers]
            for single in _SINGLE_HEADERS:
                if names.count(single) > 1:
                    raise InvalidQuery(f"The header {single.decode()} is repeated.", hint="Send it once.")

    def header(self, name: bytes) -> str | None:
        value = self._headers.get(name)
        return None if value is None else value.decode("latin-1")

    @property
    def client(self) -> str | None:
        """Address of the client, as reported by a trusted proxy if there is one."""
        address = self._scope.get("client")
        return address[0] if address else None

    def metadata(self) -> RequestMetadata:
        """The headers that admission reads."""
        return RequestMetadata(
            authorization=self.header(b"authorization"),
            deadline_ms=self.header(b"x-request-deadline-ms"),
            cache_control=self.header(b"cache-control"),
            idempotency_key=self.header(b"idempotency-key"),
        )

    def set_caller(self, caller: Caller) -> None:
        self.caller = caller

    def add_response_headers(self, fields: Sequence[tuple[str, str]]) -> None:
        """Add headers to the response, regardless of its status."""
        self.fields.extend((name.encode(), value.encode()) for name, value in fields)

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers: list[Any] = list(message.get("headers", []))
            is_page = self.status == HTTP_OK and self.route in _PAGES
            security = _HEADERS[is_page, self._scope.get("scheme") == "https"]
            message = {
                **message,
                "headers": [*headers, *self.fields, *security, (b"x-request-id", self.request_id.encode())],
            }
            if self._gzip_bytes is not None and is_compressible(headers, self._gzip_bytes) and self._accepts_gzip():
                self._held = message
                return
        elif message["type"] == "http.response.body":
            if self._held is not None:
                start, self._held = self._held, None
                if not message.get("more_body", False):
                    start, message = await compress_response(start, message)
                await self._send(start)
            self.bytes_out += len(message.get("body", b""))
            self._is_complete = not message.get("more_body", False)
        await self._send(message)

    def _accepts_gzip(self) -> bool:
        return accepts_gzip(self.header(b"accept-encoding"))

    @asynccontextmanager
    async def cancel_on_disconnect(self, receive: Receive) -> AsyncIterator[None]:
        """Cancel the body of the `async with` statement if the client disconnects."""
        task = asyncio.current_task()
        assert task is not None, "a request is handled in a task"
        loop = asyncio.get_running_loop()
        watchers: list[asyncio.Task[None]] = []

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            self.is_disconnected = not self._is_complete  # the server also sends this message after a complete response
            if self.status == 0:
                task.cancel()

        timer = loop.call_later(DISCONNECT_WATCH_DELAY_S, lambda: watchers.append(loop.create_task(watch())))
        try:
            yield
        except BaseException:
            if self.is_disconnected and self.status == 0:
                task.uncancel()
                self.status = CLIENT_CLOSED_REQUEST
            raise
        finally:
            timer.cancel()
            for watcher in watchers:
                watcher.cancel()

    async def send_response(self, response: ASGIApp) -> None:
        """Send a response unless one has begun."""
        if self._held is not None:  # a response has begun, but nothing was sent
            self._held, self.status = None, 0
        if self.status == 0:
            await response(self._scope, _receive_disconnect, self.send)


async def _receive_disconnect() -> Message:
    return {"type": "http.disconnect"}
