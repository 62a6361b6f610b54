"""One state machine for each HTTP connection: it is always in one state, and each state has a deadline.

    NEW ------> HEADERS -> BODY -> RESPONSE -> IDLE -> HEADERS ...       RESPONSE -> REST -> IDLE
                                           '-> LINGER -> CLOSING         (the rest of a refused body)

uvicorn's own protocol waits for ever in most of these states. Requests are cut out of the stream before they are
parsed, so that at most one is under way: pipelined ones wait as bytes, within a bound over all connections. llhttp
accepts no bare line feeds, so a header section, and a chunked body, ends at CR LF CR LF and nowhere else.

Fields behind a chunked body (trailers) are dropped: uvicorn adds them to the headers, so that a request could say who
asks after a proxy had looked (RFC 9110, section 6.5.1, forbids it).
"""

from __future__ import annotations

import asyncio
import fcntl
import sys
import termios
import urllib.parse
from collections.abc import Callable, Coroutine
from enum import IntEnum
from typing import Any, ClassVar

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from bentos.connection_table import ConnectionTable
from bentos.errors import HeadersTooLarge, TargetTooLong, http_status, raw_problem
from bentos.headers import request_id
from frontdesk.errors import FrontdeskError, InvalidQuery, Overloaded

END = b"\r\n\r\n"
FRAME_BYTES = 8
"""What a byte of a chunked body may bring along: in a chunk of its own it brings five."""
HIGH_WATER_BYTES = 16_384
"""More than this unsent pauses the application."""
SMALL_REST_BYTES = 65_536
"""A refused body of which at most this is missing is read, and the connection stays open."""
APPLICATION_MARGIN_S = 30.0
"""Beyond `request_timeout_s`: how long a response may make no progress because the application sends nothing."""
BODY_MARGIN_S = 1.0
"""The application answers 504 at `request_timeout_s`; the connection ends this much later where it does not."""
LEAST_PROGRESS_BYTES = 1024
"""A client that takes fewer bytes of a waiting response in `response_stall_s` makes no progress."""
REFUSED_S = 1.0
RETRY_S = 1.0
TURNED_AWAY = raw_problem(
    Overloaded("Too many connections are open.", retry_after_s=RETRY_S, hint="Try again later."), "none"
)


def _bytes_under_way(transport: Any) -> int:
    """What the kernel has not delivered yet; 0 where it does not say."""
    count = bytearray(4)
    try:
        fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, count)
    except OSError:
        return 0
    return int.from_bytes(count, sys.byteorder)


class State(IntEnum):
    NEW = 0
    IDLE = 1
    HEADERS = 2
    BODY = 3
    RESPONSE = 4
    REST = 5
    LINGER = 6
    CLOSING = 7
    LOST = 8


NEW, IDLE, HEADERS, BODY, RESPONSE, REST, LINGER, CLOSING, LOST = State
REASONS = {NEW: "headers", IDLE: "idle", HEADERS: "headers", BODY: "body", REST: "unread_body", LINGER: "unread_body"}


class CountingTransport:
    """The transport as uvicorn sees it: counts what is written, and leaves it to the protocol how to close."""

    __slots__ = ("_protocol", "_write", "get_extra_info", "raw", "written")

    def __init__(self, raw: Any, protocol: HardenedProtocol) -> None:
        self.raw = raw
        self.written = 0
        self._protocol: HardenedProtocol | None = protocol
        self._write = raw.write
        self.get_extra_info = raw.get_extra_info

    def write(self, data: bytes) -> None:
        if not self.raw.is_closing():
            self.written += len(data)
            self._write(data)
        elif self._protocol is not None:  # the client left a moment ago: that is no defect of the application
            self._protocol.give_up_request()

    def pause_reading(self) -> None:
        if not self.raw.is_closing():
            self.raw.pause_reading()

    def resume_reading(self) -> None:
        if not self.raw.is_closing():
            self.raw.resume_reading()

    def is_closing(self) -> bool:
        return self._protocol is None or self._protocol.state >= LINGER or self.raw.is_closing()

    def close(self) -> None:
        if self._protocol is not None:
            self._protocol.finish()

    def detach(self) -> None:
        self._protocol = None


class HardenedCycle(RequestResponseCycle):
    """One request and its response; the protocol decides whether the connection stays open."""

    protocol: HardenedProtocol

    def send(self, message: Any) -> Coroutine[Any, Any, None]:
        """Not a coroutine of its own: that would cost each response a microsecond."""
        if not self.response_started:
            self.protocol.before_response(self)
        return RequestResponseCycle.send(self, message)


class HardenedProtocol(HttpToolsProtocol):
    """HTTP/1.1 on one connection. `table` belongs to the process and is set before the server starts."""

    table: ClassVar[ConnectionTable]

    state: State = NEW
    deadline = 0.0
    progress_at = 0.0
    _sent = 0  # bytes that had left this process when progress was last seen
    _since = 0.0  # when the connection became idle
    _head_bytes = 0
    _framing_bytes = 0
    _tail = b""  # the last bytes read, where the end of a header section may straddle two reads
    _left = 0  # bytes of the body that are still to come; -1: chunked
    _in_head = False
    _is_complete = True  # the request has been read to its end
    _throws_away = False  # the rest of the body is not parsed
    _closes = False  # after this response
    _discarded = 0
    _held = b""
    _reason: str | None = None  # why the server ended the connection

    # ---- the connection begins and ends

    def __init__(self, *, on_connection: Callable[[], None] | None = None, **uvicorns: Any) -> None:
        """`on_connection` is called before the connection is entered into the table."""
        super().__init__(**uvicorns)
        self._on_connection = on_connection

    def connection_made(self, transport: Any) -> None:
        if self._on_connection is not None:
            self._on_connection()
        counting = CountingTransport(transport, self)
        super().connection_made(counting)  # type: ignore[arg-type]  # as much of a transport as uvicorn uses
        transport.set_write_buffer_limits(high=HIGH_WATER_BYTES)
        now = self.loop.time()
        self.deadline = now + self.table.limits.header_timeout_s
        reason = self.table.admit(self, self._host)
        if reason is not None:
            self._turn_away(reason, now)

    def connection_lost(self, exc: Exception | None) -> None:
        if isinstance(exc, TimeoutError):
            self._note("response_stalled")  # TCP_USER_TIMEOUT: the kernel gave up on the peer
        self.state = LOST
        self.table.remove(self)
        self._release()
        super().connection_lost(exc)
        self.transport.detach()  # type: ignore[attr-defined]
        self.cycle = None  # type: ignore[assignment]  # else the two keep each other alive

    @property
    def _host(self) -> str | None:
        return self.client[0] if self.client else None

    @property
    def _raw(self) -> Any:
        return self.transport.raw  # type: ignore[attr-defined]

    @property
    def may_be_evicted(self) -> bool:
        """No request is under way, or nobody has read its response for a while."""
        if self.state in (BODY, RESPONSE, REST):
            return self._raw.get_write_buffer_size() > 0 and self.loop.time() - self.progress_at > 1.0
        return True

    def _turn_away(self, reason: str, now: float) -> None:
        self._note(reason)
        if not self.table.keep_refused(self):
            self.state = CLOSING
            self._raw.abort()
            return
        self.transport.write(TURNED_AWAY)
        self._linger(now, REFUSED_S)

    # ---- reading

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
        end = self._boundary(data, 0) if self._tail else data.find(END) + len(END)
        if end < len(END):
            end = self._boundary(data, 0)
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
        while self._left < 0 and start < len(data) and not self._is_complete:
            end = self._boundary(data, start)
            self._framing_bytes += end - start
            if not self._feed(data[start:end]):
                return
            if self._framing_bytes > 2 * self.table.limits.max_header_bytes:
                self.abort("malformed")
                return
            start = end
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

    def _boundary(self, data: bytes, start: int) -> int:
        """Where the next CR LF CR LF ends, or the end of `data`; one that began in an earlier read counts."""
        tail = self._tail
        if tail:
            at = (tail + data[start : start + 3]).find(END)
            if at >= 0:
                self._tail = b""
                return start + at + 4 - len(tail)
        at = data.find(END, start)
        if at >= 0:
            self._tail = b""
            return at + 4
        self._tail = (tail + data[max(start, len(data) - 3) :])[-3:]
        return len(data)

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

    def _hold(self, data: bytes) -> None:
        """Keep bytes of later requests until this one is answered; where that is too much, close after it."""
        self.flow.pause_reading()
        if self._closes or len(self._held) > SMALL_REST_BYTES or not self.table.hold(len(data)):
            self._closes = True
            self.cycle.keep_alive = False
            return
        self._held += data

    def _release(self) -> None:
        if self._held:
            self.table.release(len(self._held))
            self._held = b""

    def _throw_away(self, data: bytes) -> None:
        self._discarded += len(data)
        if self._discarded <= self.table.limits.rest_bytes:
            return
        if self.state is LINGER:
            self._close("unread_body")
        else:
            self.flow.pause_reading()

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
        cycle = HardenedCycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=http_version != "1.0" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        cycle.protocol = self
        self.cycle = cycle
        self.state, self.deadline, self.progress_at = RESPONSE, 0.0, self.loop.time()
        self._start_asgi_task(cycle, self.app)

    def on_body(self, body: bytes) -> None:
        self._framing_bytes -= FRAME_BYTES * len(body)
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.body += body
            if len(cycle.body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()
            cycle.message_event.set()

    def on_message_complete(self) -> None:
        self._is_complete = True
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.more_body = False
            cycle.message_event.set()

    def _should_upgrade(self) -> bool:
        return False

    # ---- the response

    def before_response(self, cycle: RequestResponseCycle) -> None:
        """Decide whether the connection stays open, while the response can still say so."""
        if self.state >= LINGER:
            return
        if self._closes or self.table.is_draining:
            cycle.keep_alive = False
        if not self._is_complete:
            if cycle.waiting_for_100_continue:  # the client was not asked for its body: there is none to read
                cycle.keep_alive, self._is_complete = False, True
            elif self._left < 0 or self._left > SMALL_REST_BYTES or not cycle.keep_alive:
                cycle.keep_alive, self._throws_away, self._discarded = False, True, 0
            self.flow.resume_reading()
        self.state, self.deadline, self.progress_at = RESPONSE, 0.0, self.loop.time()

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.state is not RESPONSE or self._raw.is_closing():
            return
        if self.cycle.body:
            self.cycle.body = bytearray()
        if self._closes:
            self.finish()
        elif not self._is_complete:
            self.state, self.deadline = REST, self.loop.time() + self.table.limits.rest_s
            self.flow.resume_reading()
        else:
            self._become_idle(self.loop.time())

    def _become_idle(self, now: float) -> None:
        """Deadline 0: the next sweep looks whether the response has left, and sets the deadline then."""
        self.state, self.deadline, self._since = IDLE, 0.0, now
        self._tail = b""
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

    # ---- closing

    def finish(self) -> None:
        """Close after what was written has left. Where the client still sends, its bytes are read first: a connection
        that is closed over unread bytes is reset, and the reset destroys the response (RFC 9112, section 9.6)."""
        if self.state >= LINGER:
            return
        if not self._is_complete or self._held or self.flow.read_paused:
            self._release()
            self._linger(self.loop.time(), self.table.limits.rest_s)
        else:
            self._close(None)

    def _linger(self, now: float, seconds: float) -> None:
        self.state, self.deadline, self._discarded = LINGER, now + seconds, 0
        if self._raw.is_closing():
            return
        if self._raw.can_write_eof():
            self._raw.write_eof()
        self.flow.resume_reading()

    def _close(self, reason: str | None) -> None:
        if reason is not None:
            self._note(reason)
            self.give_up_request()
        self.state, self.deadline, self.progress_at = CLOSING, 0.0, self.loop.time()
        self._raw.close()

    def abort(self, reason: str) -> None:
        """End the connection at once, whatever waits to be sent."""
        self._note(reason)
        self.give_up_request()
        self.state = CLOSING
        self._raw.abort()

    def give_up_request(self) -> None:
        """Tell the application that nobody waits for its response any more."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    def _note(self, reason: str) -> None:
        if self._reason is None:
            self._reason = reason
            self.table.events.closed(reason)

    def shutdown(self) -> None:
        """The server stops: end the connection, after the response where one is due."""
        if self.state in (BODY, RESPONSE):
            self._closes = True
            self.cycle.keep_alive = False
        elif self.state < LINGER:
            self._close(None)

    def expire(self, now: float) -> int:
        """The deadline has passed. Returns the bytes of a response that wait for the client."""
        state = self.state
        if state is RESPONSE or state is CLOSING or (state is IDLE and self._unsent()):
            return self._check_progress(now)
        if state is IDLE and self._since + self.table.limits.keep_alive_s > now:
            self.deadline = self._since + self.table.limits.keep_alive_s
        elif state is not LOST:
            self._close(REASONS[state])
        return 0

    def _unsent(self) -> int:
        """Bytes of responses that the client has not taken, wherever they wait."""
        waiting: int = self._raw.get_write_buffer_size()
        return waiting + _bytes_under_way(self._raw)

    def _check_progress(self, now: float) -> int:
        unsent = self._unsent()
        sent = self.transport.written - unsent  # type: ignore[attr-defined]
        limits = self.table.limits
        patience_s = limits.response_stall_s if unsent else limits.request_timeout_s + APPLICATION_MARGIN_S
        if sent - self._sent >= (LEAST_PROGRESS_BYTES if unsent else 1):
            self._sent, self.progress_at = sent, now
        elif now - self.progress_at >= patience_s:
            self.abort("response_stalled" if unsent else "no_response")
            return 0
        return self._raw.get_write_buffer_size() if unsent else 0

    # ---- refusals of what is no request

    def _refuse_head(self, data: bytes) -> None:
        """Parse as far as is allowed, to tell a long target from long headers."""
        if self._feed(data[: 2 * self.table.limits.max_header_bytes]) and self.state is HEADERS:
            self._refuse(HeadersTooLarge("The headers are too large.", hint="Send fewer or shorter headers."))

    def _refuse(self, error: FrontdeskError) -> None:
        """Answer what the parser cannot read, and read no further."""
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            if cycle.response_started:
                self.abort("malformed")
                return
            self.give_up_request()
        self._note("malformed")
        self._write_refusal(error)
        self._release()
        self._linger(self.loop.time(), self.table.limits.rest_s)

    def _write_refusal(self, error: FrontdeskError) -> None:
        given = next((value.decode("latin-1") for name, value in self.headers or () if name == b"x-request-id"), None)
        identifier = request_id(given)
        self.transport.write(raw_problem(error, identifier, self.server_state.default_headers))
        self.table.events.refused(http_status(error), identifier, self._host)
