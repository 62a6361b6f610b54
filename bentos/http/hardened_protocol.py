"""The HTTP/1.1 protocol of a worker: parser callbacks, calls of the application, and responses.

Trailers (fields after a chunked body) are dropped. uvicorn merges them into the headers, so that a request could change
its credentials after a proxy has checked them (RFC 9110, section 6.5.1, forbids this).
"""

from __future__ import annotations

import asyncio
import functools
import urllib.parse
from collections.abc import Coroutine
from typing import Any

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from bentos.admission.errors import TargetTooLong
from bentos.http.connection_state import LINGER, RESPONSE, UNREAD_BODY
from bentos.http.request_checks import check_header_section
from bentos.http.request_reader import FRAMING_PER_BYTE, MAX_REMAINDER_BYTES, RequestReader


class HardenedRequestResponseCycle(RequestResponseCycle):
    """One request and its response; the protocol decides whether the connection stays open."""

    protocol: HardenedProtocol
    ends_with_connection = False

    def send(self, message: Any) -> Coroutine[Any, Any, None]:
        """Send a message of the response. Not a coroutine function, which would cost each response a microsecond."""
        if not self.response_started:
            self.protocol.decide_keep_alive(self)
            self.transport.hold_next()  # type: ignore[attr-defined]  # a `CountingTransport`
            if self.scope["http_version"] == "1.0" and message["type"] == "http.response.start":
                message = self._without_transfer_coding(message)
        elif self.ends_with_connection:
            self.expected_content_length = len(message.get("body", b""))  # uvicorn checks it: any length is right
        return RequestResponseCycle.send(self, message)

    def _without_transfer_coding(self, message: Any) -> Any:
        """The start of a response to HTTP/1.0, which has no chunks (RFC 9112, section 6.1).

        A body of unknown length ends with the connection.
        """
        headers = [(name, value) for name, value in message.get("headers", ()) if name.lower() != b"transfer-encoding"]
        if all(name.lower() != b"content-length" for name, _ in headers):
            self.ends_with_connection, self.chunked_encoding = True, False
        return {**message, "headers": headers}


class HardenedProtocol(RequestReader):
    """HTTP/1.1 on one connection."""

    _in_head = False

    # ---- the parser's callbacks

    def on_message_begin(self) -> None:
        self._in_head = True
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self.url += url
        if len(self.url) > self.table.limits.max_header_bytes:
            raise TargetTooLong("The request target is too long.", hint="Send a shorter path or query.")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        http_version = self.parser.get_http_version()
        check_header_section(self.headers, http_version)
        scope = self.scope
        scope["method"] = self.parser.get_method().decode("ascii")
        if http_version != "1.1":
            scope["http_version"] = http_version
        parsed_url = httptools.parse_url(self.url)
        raw_path = parsed_url.path
        path = raw_path.decode("ascii")
        scope["path"] = self.root_path + (urllib.parse.unquote(path) if "%" in path else path)
        scope["raw_path"] = self.root_path.encode("ascii") + raw_path
        scope["query_string"] = parsed_url.query or b""
        cycle = HardenedRequestResponseCycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue and http_version != "1.0",
            keep_alive=http_version != "1.0" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        cycle.protocol = self
        self.cycle = cycle
        now = self.loop.time()
        self.state, self.deadline, self.progress_at = RESPONSE, 0.0, now
        self.table.start_request(functools.partial(self._start_asgi_task, cycle, self.app), now)

    def on_chunk_header(self) -> None:
        self._in_trailers = True  # unless data follows: `on_body`

    def on_chunk_complete(self) -> None:
        self._framing_bytes = max(self._framing_bytes, 0)  # an unused allowance does not carry over to the next chunk

    def on_body(self, body: bytes) -> None:
        self._in_trailers = False
        self._framing_bytes -= FRAMING_PER_BYTE * len(body)
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.body += body
            if len(cycle.body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()
            cycle.message_event.set()

    def on_message_complete(self) -> None:
        self._request_is_complete = True
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.more_body = False
            cycle.message_event.set()

    def _should_upgrade(self) -> bool:
        return False

    # ---- the response

    def decide_keep_alive(self, cycle: RequestResponseCycle) -> None:
        """Decide whether the connection stays open, before the response's headers are sent."""
        if self.state >= LINGER:
            return
        if self._closes_after_response or self.table.is_draining:
            cycle.keep_alive = False
        if not self._request_is_complete:
            if cycle.waiting_for_100_continue:  # the client has not sent its body yet
                cycle.keep_alive, self._request_is_complete = False, True
            elif self._missing_bytes < 0 or self._missing_bytes > MAX_REMAINDER_BYTES or not cycle.keep_alive:
                cycle.keep_alive, self._discards_body, self._discarded_bytes = False, True, 0
            self.flow.resume_reading()
        self.state, self.deadline, self.progress_at = RESPONSE, 0.0, self.loop.time()

    def on_response_complete(self) -> None:
        self.transport.flush()  # type: ignore[attr-defined]
        self.server_state.total_requests += 1
        if self.state is not RESPONSE or self._raw_transport.is_closing():
            return
        if self.cycle.body:
            self.cycle.body = bytearray()
        if self._closes_after_response:
            self.close_when_sent()
        elif not self._request_is_complete:
            self.state, self.deadline = UNREAD_BODY, self.loop.time() + self.table.limits.discard_s
            self.flow.resume_reading()
        else:
            self._become_idle(self.loop.time())
