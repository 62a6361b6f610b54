"""Reads one request at a time: the stream is split into requests before it is parsed.

Pipelined requests are buffered as bytes, up to a limit for all connections. llhttp accepts no bare line feeds, so a
header section and a chunked body end only at CR LF CR LF.
"""

from __future__ import annotations

from typing import Any

import httptools

from bentos.admission.errors import HeadersTooLarge
from bentos.http.connection_state import BODY, HEADERS, IDLE, LINGER, RESPONSE, UNREAD_BODY
from bentos.http.http_connection import HttpConnection
from bentos.http.message_boundary import END, DoubleCrlfFinder
from frontdesk.errors import FrontdeskError, InvalidQuery

FRAMING_PER_BYTE = 8
"""Framing bytes allowed for each byte of a chunked body; a chunk of one byte has five."""
MAX_REMAINDER_BYTES = 65_536
"""Largest remainder of a refused body that is read to keep the connection open; also the limit of pipelined bytes."""
BODY_MARGIN_S = 1.0
"""The application answers 408 at `request_timeout_s`; if it does not, the connection closes this much later."""


class RequestReader(HttpConnection):
    """A connection that reads one request at a time."""

    _head_bytes = 0
    _framing_bytes = 0
    _in_trailers = False  # after a chunk header without data; the last chunk has no data
    _missing_bytes = 0  # of the body; -1 if it is chunked
    _discards_body = False

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._boundary = DoubleCrlfFinder()

    def data_received(self, data: bytes) -> None:
        state = self.state
        if state <= HEADERS:
            self._read_head(data)
        elif state is RESPONSE:
            if self._request_is_complete:
                self._hold_pipelined(data)
            elif self._discards_body:
                self._discard(data)
            else:
                self._read_body(data)
        elif state <= UNREAD_BODY:
            self._read_body(data)
        elif state is LINGER:
            self._discard(data)

    def _read_head(self, data: bytes) -> None:
        limits = self.table.limits
        if self.state is not HEADERS:
            if data[0] in END:  # empty lines between requests are skipped and do not extend the deadline
                data = data.lstrip(END)
                if not data:
                    return
            self.state = HEADERS
            self.deadline = self.loop.time() + limits.header_timeout_s
            self._head_bytes = 0
        end = self._boundary.find_first(data)
        head = data if end == len(data) else data[:end]
        self._head_bytes += len(head)
        if self._head_bytes > 2 * limits.max_header_bytes:  # twice: names, blanks and the target are counted
            self._refuse_large_head(head)
            return
        self._request_is_complete = False
        if not self._parse(head):
            return
        if self.state is HEADERS:  # `on_headers_complete` has not been called
            if end < len(data):
                self._refuse(InvalidQuery("The request is not valid HTTP/1.1."))
            return
        if not self._request_is_complete:
            self._expect_body()
        if end < len(data):
            self.data_received(data[end:])

    def _expect_body(self) -> None:
        self._missing_bytes = -1
        for name, value in self.headers:
            if name == b"content-length":
                self._missing_bytes = int(value)
                break
        self._framing_bytes = 0
        self._in_trailers = False
        self._discards_body = False
        self.state = BODY
        self.deadline = self.progress_at + self.table.limits.request_timeout_s + BODY_MARGIN_S

    def _read_body(self, data: bytes) -> None:
        """Parse the part of `data` that belongs to the body, and read the rest as the next request."""
        start = 0
        if self._missing_bytes >= 0:
            start = min(self._missing_bytes, len(data))
            self._missing_bytes -= start
            if not self._parse(data if start == len(data) else data[:start]):
                return
        limit = self.table.limits.max_header_bytes
        while self._missing_bytes < 0 and start < len(data) and not self._request_is_complete:
            piece = data[start : start + limit]
            size = self._boundary.find_next(piece, 0)
            self._framing_bytes += size
            in_trailers = self._in_trailers
            if not self._parse(piece if size == len(piece) else piece[:size]):
                return
            if self._framing_bytes > 2 * limit and not self._request_is_complete:
                self._refuse_chunked_framing(in_trailers=in_trailers)
                return
            start += size
        if self._request_is_complete:
            self._finish_body()
            if start < len(data):
                self.data_received(data[start:])

    def _finish_body(self) -> None:
        now = self.loop.time()
        if self.state is UNREAD_BODY:
            self._become_idle(now)
        else:
            self.state, self.deadline, self.progress_at = RESPONSE, 0.0, now

    def _parse(self, data: bytes) -> bool:
        """Parse `data`. Return False if the request was refused."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._closes_after_response = True  # upgrades are not supported: the request is answered as HTTP/1.1
            if self.cycle is not None:
                self.cycle.keep_alive = False
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._refuse(
                cause if isinstance(cause, FrontdeskError) else InvalidQuery("The request is not valid HTTP/1.1.")
            )
            return False
        return True

    def _refuse_large_head(self, data: bytes) -> None:
        """Refuse a header section that is too large: 414 for the target, 431 for the headers."""
        if self._parse(data[: 2 * self.table.limits.max_header_bytes]) and self.state is HEADERS:
            self._refuse(HeadersTooLarge("The headers are too large.", hint="Send fewer or shorter headers."))

    def _refuse_chunked_framing(self, *, in_trailers: bool) -> None:
        """Refuse a chunked body with too many bytes of chunk extensions or trailers."""
        self._refuse(
            HeadersTooLarge("The fields behind the body are too large.", hint="Send none.")
            if in_trailers
            else InvalidQuery("The chunk extensions of the body are too long.", hint="Send larger chunks.")
        )

    def _discard(self, data: bytes) -> None:
        self._discarded_bytes += len(data)
        if self._discarded_bytes <= self.table.limits.discard_bytes:
            return
        if self.state is LINGER:
            self._close("unread_body")
        else:
            self.flow.pause_reading()

    # ---- pipelined requests

    def _hold_pipelined(self, data: bytes) -> None:
        """Buffer later requests until this one is answered. Beyond the limit, close the connection after it."""
        self.flow.pause_reading()
        if (
            self._closes_after_response
            or len(self._pipelined) > MAX_REMAINDER_BYTES
            or not self.table.reserve_pipelined_bytes(len(data))
        ):
            self._closes_after_response = True
            self.cycle.keep_alive = False
            return
        self._pipelined += data

    def _become_idle(self, now: float) -> None:
        """Wait for the next request. The next sweep sets the deadline once the response has been sent."""
        self.state, self.deadline, self._idle_since = IDLE, 0.0, now
        self._boundary.reset()
        if self._pipelined:
            self.table.queue_pipelined_request(self)
        else:
            self.flow.resume_reading()
