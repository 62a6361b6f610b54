"""One HTTP request and its response, as far as the door follows them: who, where, how much, how it ended."""

from __future__ import annotations

import re
import time
from typing import Any

from starlette.types import ASGIApp, Message, Scope, Send

from frontdesk.errors import InvalidQuery, TooLarge
from frontdesk.identifiers import uuid7
from frontdesk.types import Caller

ANONYMOUS = Caller(tenant="", subject="", scopes=frozenset())
UNKNOWN_ROUTE = "unknown"

_SINGLE_HEADERS = (b"authorization", b"content-type", b"content-length", b"x-request-deadline-ms", b"x-request-id")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]


class Exchange:
    """`status` is 0 until a response has begun; `route` is a template, never the path that was asked for."""

    __slots__ = (
        "_headers",
        "_scope",
        "_send",
        "bytes_in",
        "bytes_out",
        "caller",
        "method",
        "request_id",
        "route",
        "started",
        "status",
    )

    def __init__(self, scope: Scope, send: Send) -> None:
        self.started = time.perf_counter()
        self._scope = scope
        self._send = send
        self._headers: dict[bytes, bytes] = dict(reversed(scope["headers"]))  # of a repeated one, the first
        wanted = self.header(b"x-request-id")
        self.request_id = wanted if wanted and _REQUEST_ID.fullmatch(wanted) else uuid7()
        self.method = (
            scope["method"]
            if scope["method"] in ("GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS")
            else "OTHER"
        )
        self.route = UNKNOWN_ROUTE
        self.caller = ANONYMOUS
        self.status = 0
        self.bytes_in = 0
        self.bytes_out = 0

    def check_headers(self, limit: int) -> None:
        """Refuse more header bytes than `limit`, and headers that are there twice where parts could read either."""
        given: list[tuple[bytes, bytes]] = self._scope["headers"]
        if sum(len(name) + len(value) for name, value in given) > limit:
            raise TooLarge(f"The headers have more than {limit} bytes.", hint="Send fewer or shorter headers.")
        if len(given) > len(self._headers):
            names = [name for name, _ in given]
            for single in _SINGLE_HEADERS:
                if names.count(single) > 1:
                    raise InvalidQuery(f"The header {single.decode()} is there more than once.", hint="Send it once.")

    def header(self, name: bytes) -> str | None:
        value = self._headers.get(name)
        return None if value is None else value.decode("latin-1")

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers: list[Any] = list(message.get("headers", []))
            message = {
                **message,
                "headers": [*headers, *_SECURITY_HEADERS, (b"x-request-id", self.request_id.encode())],
            }
        elif message["type"] == "http.response.body":
            self.bytes_out += len(message.get("body", b""))
        await self._send(message)

    async def answer(self, response: ASGIApp) -> None:
        """Send an error, unless a response has begun already: then nothing can be said any more."""
        if self.status == 0:
            await response(self._scope, _nothing, self.send)


async def _nothing() -> Message:
    return {"type": "http.disconnect"}
