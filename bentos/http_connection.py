"""The life of one HTTP connection: admission, deadlines, progress, refusals and the orderly close.

uvicorn's own protocol waits for ever in most states; here each has a deadline, which the table's sweep enforces.
`bentos/request_reader.py` reads requests on top of this, `bentos/hardened_protocol.py` answers them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bentos.connection_state import BODY, CLOSING, IDLE, LINGER, LOST, NEW, REASONS, RESPONSE, REST, State
from bentos.connection_table import ConnectionTable
from bentos.counting_transport import CountingTransport
from bentos.errors import http_status, raw_problem
from bentos.headers import request_id
from frontdesk.errors import FrontdeskError, Overloaded

HIGH_WATER_BYTES = 16_384
"""More than this unsent pauses the application."""
APPLICATION_MARGIN_S = 30.0
"""Beyond `request_timeout_s`: how long a response may make no progress because the application sends nothing."""
LEAST_PROGRESS_BYTES = 1024
"""A client that takes fewer bytes of a waiting response in `response_stall_s` makes no progress."""
REFUSED_S = 1.0
RETRY_S = 1.0
TURNED_AWAY = raw_problem(
    Overloaded("Too many connections are open.", retry_after_s=RETRY_S, hint="Try again later."), "none"
)


class HttpConnection(HttpToolsProtocol):
    """One connection. `table` belongs to the process and is set before the server starts."""

    table: ClassVar[ConnectionTable]

    state: State = NEW
    deadline = 0.0
    progress_at = 0.0
    _sent = 0  # bytes that had left this process when progress was last seen
    _since = 0.0  # when the connection became idle
    _is_complete = True  # the request has been read to its end
    _closes = False  # after this response
    _discarded = 0
    _held = b""
    _reason: str | None = None  # why the server ended the connection

    def __init__(self, *, on_connection: Callable[[], None] | None = None, **uvicorns: Any) -> None:
        """`on_connection` is called before the connection is entered into the table."""
        super().__init__(**uvicorns)
        self._on_connection = on_connection

    # ---- the connection begins and ends

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

    def _release(self) -> None:
        if self._held:
            self.table.release(len(self._held))
            self._held = b""

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

    # ---- deadlines

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
        unsent: int = self.transport.unsent_bytes()  # type: ignore[attr-defined]
        return unsent

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
