"""Requests are cut out of the stream before they are parsed, so that at most one is under way.

Pipelined requests wait as bytes, within a bound over all connections. llhttp accepts no bare line feeds, so a header
section, and a chunked body, ends at CR LF CR LF and nowhere else.
"""

from __future__ import annotations

from typing import Any

import httptools

from bentos.connection_state import BODY, HEADERS, IDLE, LINGER, RESPONSE, REST
from bentos.errors import HeadersTooLarge
from bentos.http_connection import HttpConnection
from bentos.message_boundary import END, BoundaryFinder
from frontdesk.errors import FrontdeskError, InvalidQuery

FRAME_BYTES = 8
"""What a byte of a chunked body may bring along: in a chunk of its own it brings five."""
SMALL_REST_BYTES = 65_536
"""A refused body of which at most this is missing is read, and the connection stays open."""
BODY_MARGIN_S = 1.0
"""The application answers 504 at `request_timeout_s`; the connection ends this much later where it does not."""


class RequestReader(HttpConnection):
    """A connection that reads one request after the other."""

    _head_bytes = 0
    _framing_bytes = 0
    _in_trailers = False  # behind the header of a chunk that has had no data: the last chunk has none
    _left = 0  # bytes of the body that are still to come; -1: chunked
    _throws_away = False  # the rest of the body is not parsed

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._boundary = BoundaryFinder()

    def data_received(self, data: bytes) -> None:
        state = self.state
        if state <= HEADERS:
            self._read_head(data)
        elif state is RESPONSE:
            if self._is_complete:
                self._hold(data)
            elif self._throws_away:
                self._throw_away(data)
            else:
                self._read_body(data)
        elif state <= REST:
            self._read_body(data)
        elif state is LINGER:
            self._throw_away(data)

    def _read_head(self, data: bytes) -> None:
        limits = self.table.limits
        if self.state is not HEADERS:
            if data[0] in END:  # empty lines between requests are skipped, and move no deadline
                data = data.lstrip(END)
                if not data:
                    return
            self.state = HEADERS
            self.deadline = self.loop.time() + limits.header_timeout_s
            self._head_bytes = 0
        end = self._boundary.first_end(data)
        head = data if end == len(data) else data[:end]
        self._head_bytes += len(head)
        if self._head_bytes > 2 * limits.max_header_bytes:  # names, blanks and the target count here too: hence twice
            self._refuse_head(head)
            return
        self._is_complete = False
        if not self._feed(head):
            return
        if self.state is HEADERS:  # `on_headers_complete` has not been called
            if end < len(data):
                self._refuse(InvalidQuery("The request is not valid HTTP/1.1."))
            return
        if not self._is_complete:
            self._expect_body()
        if end < len(data):
            self.data_received(data[end:])

    def _expect_body(self) -> None:
        self._left = -1
        for name, value in self.headers:
            if name == b"content-length":
                self._left = int(value)
                break
        self._framing_bytes = 0
        self._in_trailers = False
        self._throws_away = False
        self.state = BODY
        self.deadline = self.progress_at + self.table.limits.request_timeout_s + BODY_MARGIN_S

    def _read_body(self, data: bytes) -> None:
        """Read the part of `data` that belongs to the body; what follows is the next request."""
        start = 0
        if self._left >= 0:
            start = min(self._left, len(data))
            self._left -= start
            if not self._feed(data if start == len(data) else data[:start]):
                return
        limit = self.table.limits.max_header_bytes
        while self._left < 0 and start < len(data) and not self._is_complete:
            piece = data[start : start + limit]
            size = self._boundary.end(piece, 0)
            self._framing_bytes += size
            in_trailers = self._in_trailers
            if not self._feed(piece if size == len(piece) else piece[:size]):
                return
            if self._framing_bytes > 2 * limit and not self._is_complete:
                self._refuse_framing(in_trailers=in_trailers)
                return
            start += size
        if self._is_complete:
            self._end_of_body()
            if start < len(data):
                self.data_received(data[start:])

    def _end_of_body(self) -> None:
        now = self.loop.time()
        if self.state is REST:
            self._become_idle(now)
        else:
            self.state, self.deadline, self.progress_at = RESPONSE, 0.0, now

    def _feed(self, data: bytes) -> bool:
        """Parse; False where the request was refused."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._closes = True  # no other protocol is spoken here: the request is answered as HTTP/1.1
            if self.cycle is not None:
                self.cycle.keep_alive = False
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._refuse(
                cause if isinstance(cause, FrontdeskError) else InvalidQuery("The request is not valid HTTP/1.1.")
            )
            return False
        return True

    def _refuse_head(self, data: bytes) -> None:
        """Parse as far as is allowed, to tell a long target from long headers."""
        if self._feed(data[: 2 * self.table.limits.max_header_bytes]) and self.state is HEADERS:
            self._refuse(HeadersTooLarge("The headers are too large.", hint="Send fewer or shorter headers."))

    def _refuse_framing(self, *, in_trailers: bool) -> None:
        """Refuse a chunked body that brings more beside its data than a header section may have."""
        self._refuse(
            HeadersTooLarge("The fields behind the body are too large.", hint="Send none.")
            if in_trailers
            else InvalidQuery("The chunks of the body have too much beside their data.", hint="Send larger chunks.")
        )

    def _throw_away(self, data: bytes) -> None:
        self._discarded += len(data)
        if self._discarded <= self.table.limits.rest_bytes:
            return
        if self.state is LINGER:
            self._close("unread_body")
        else:
            self.flow.pause_reading()

    # ---- pipelined requests

    def _hold(self, data: bytes) -> None:
        """Keep bytes of later requests until this one is answered; where that is too much, close after it."""
        self.flow.pause_reading()
        if self._closes or len(self._held) > SMALL_REST_BYTES or not self.table.hold(len(data)):
            self._closes = True
            self.cycle.keep_alive = False
            return
        self._held += data

    def _become_idle(self, now: float) -> None:
        """Deadline 0: the next sweep looks whether the response has left, and sets the deadline then."""
        self.state, self.deadline, self._since = IDLE, 0.0, now
        self._boundary.reset()
        if self._held:
            self.table.begin_later(self)
        else:
            self.flow.resume_reading()

    def begin_held(self) -> bool:
        """Begin the next pipelined request, unless the client has yet to take earlier responses. Whether it is done."""
        if self.state is not IDLE:
            return True
        if self._unsent():
            return False
        data = self._held
        self._release()
        self.flow.resume_reading()
        self.data_received(data)
        return True
