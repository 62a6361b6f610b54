"""One HTTP connection: admission, deadlines, progress, refusals and the orderly close.

uvicorn's protocol has no deadline in most states. Here every state has one, which is enforced by the sweep of the
connection table. Subclasses read requests (`bentos/http/request_reader.py`) and answer them
(`bentos/http/hardened_protocol.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bentos.admission.errors import http_status, raw_problem_response
from bentos.admission.headers import request_id
from bentos.http.connection_state import (
    BODY,
    CLOSING,
    IDLE,
    LINGER,
    LOST,
    NEW,
    REASONS,
    RESPONSE,
    UNREAD_BODY,
    ConnectionState,
)
from bentos.http.connection_table import ConnectionTable
from bentos.http.counting_transport import CountingTransport
from frontdesk.errors import FrontdeskError, Overloaded

HIGH_WATER_BYTES = 16_384
"""The application is paused while more bytes than this are unsent."""
APPLICATION_MARGIN_S = 30.0
"""Added to `answer_timeout_s`: maximum time for which the application may send nothing of a response."""
MIN_PROGRESS_BYTES = 1024
"""A client that receives fewer bytes of a waiting response in `response_stall_s` makes no progress."""
REFUSAL_LINGER_S = 1.0
"""Time for which a refused connection stays open, so that its client can read the refusal."""
RETRY_S = 1.0
CONNECTION_REFUSAL = raw_problem_response(
    Overloaded("Too many connections are open.", retry_after_s=RETRY_S, hint="Try again later."), "none"
)


class HttpConnection(HttpToolsProtocol):
    """One connection. `table` is shared by the process and set before the server starts."""

    table: ClassVar[ConnectionTable]

    state: ConnectionState = NEW
    deadline = 0.0
    progress_at = 0.0
    _delivered_bytes = 0  # received by the client at `progress_at`
    _idle_since = 0.0
    _request_is_complete = True
    _closes_after_response = False
    _discarded_bytes = 0
    _pipelined = b""  # bytes of later requests
    _close_reason: str | None = None  # why the server closed the connection; only the first reason is reported

    def __init__(self, *, on_connection: Callable[[], None] | None = None, **uvicorn_options: Any) -> None:
        """Initialise the connection. `on_connection` is called before it is added to the table."""
        super().__init__(**uvicorn_options)
        self._on_connection = on_connection

    # ---- start and end of the connection

    def connection_made(self, transport: Any) -> None:
        if self._on_connection is not None:
            self._on_connection()
        counting = CountingTransport(transport, self)
        super().connection_made(counting)  # type: ignore[arg-type]  # has all methods that uvicorn uses
        transport.set_write_buffer_limits(high=HIGH_WATER_BYTES)
        now = self.loop.time()
        self.deadline = now + self.table.limits.header_timeout_s
        reason = self.table.admit(self, self._peer_host)
        if reason is not None:
            self._refuse_connection(reason, now)

    def connection_lost(self, exc: Exception | None) -> None:
        if isinstance(exc, TimeoutError):
            self._report_close("response_stalled")  # TCP_USER_TIMEOUT: the kernel gave up on the peer
        self.state = LOST
        self.table.remove(self)
        self._release_pipelined_bytes()
        super().connection_lost(exc)
        self.transport.detach()  # type: ignore[attr-defined]
        self.cycle = None  # type: ignore[assignment]  # breaks a reference cycle

    @property
    def _peer_host(self) -> str | None:
        return self.client[0] if self.client else None

    @property
    def _raw_transport(self) -> Any:
        return self.transport.raw  # type: ignore[attr-defined]

    @property
    def may_be_evicted(self) -> bool:
        """Whether no request is in progress, or the client has stopped reading the response."""
        if self.state in (BODY, RESPONSE, UNREAD_BODY):
            return self._raw_transport.get_write_buffer_size() > 0 and self.loop.time() - self.progress_at > 1.0
        return True

    def _refuse_connection(self, reason: str, now: float) -> None:
        self._report_close(reason)
        if not self.table.keep_refused_connection_open(self):
            self.state = CLOSING
            self._raw_transport.abort()
            return
        self.transport.write(CONNECTION_REFUSAL)
        self._linger(now, REFUSAL_LINGER_S)

    def begin_pipelined_request(self) -> bool:
        """Begin the next pipelined request. Return False if the client has not received earlier responses."""
        if self.state is not IDLE:
            return True
        if self._unsent_bytes():
            return False
        data = self._pipelined
        self._release_pipelined_bytes()
        self.flow.resume_reading()
        self.data_received(data)
        return True

    def _release_pipelined_bytes(self) -> None:
        if self._pipelined:
            self.table.release_pipelined_bytes(len(self._pipelined))
            self._pipelined = b""

    # ---- closing

    def close_when_sent(self) -> None:
        """Close after all written bytes are sent. If the client is still sending, first read and discard its data.

        Closing with unread bytes resets the connection, and a reset destroys the response (RFC 9112, section 9.6).
        """
        if self.state >= LINGER:
            return
        if not self._request_is_complete or self._pipelined or self.flow.read_paused:
            self._release_pipelined_bytes()
            self._linger(self.loop.time(), self.table.limits.discard_s)
        else:
            self._close(None)

    def _linger(self, now: float, seconds: float) -> None:
        self.state, self.deadline, self._discarded_bytes = LINGER, now + seconds, 0
        if self._raw_transport.is_closing():
            return
        if self._raw_transport.can_write_eof():
            self._raw_transport.write_eof()
        self.flow.resume_reading()

    def _close(self, reason: str | None) -> None:
        if reason is not None:
            self._report_close(reason)
            self.cancel_request()
        self.state, self.deadline, self.progress_at = CLOSING, 0.0, self.loop.time()
        self._raw_transport.close()

    def abort(self, reason: str) -> None:
        """Close the connection immediately and drop unsent bytes."""
        self._report_close(reason)
        self.cancel_request()
        self.state = CLOSING
        self._raw_transport.abort()

    def cancel_request(self) -> None:
        """Signal a disconnect to the application if a request is unfinished."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    def _report_close(self, reason: str) -> None:
        if self._close_reason is None:
            self._close_reason = reason
            self.table.events.on_closed(reason)

    def shutdown(self) -> None:
        """Close the connection because the server stops. A request in progress is answered first."""
        if self.state in (BODY, RESPONSE):
            self._closes_after_response = True
            self.cycle.keep_alive = False
        elif self.state < LINGER:
            self._close(None)

    # ---- deadlines

    def expire_or_get_unsent_bytes(self, now: float) -> int:
        """Handle the passed deadline. Return the number of response bytes buffered in this process."""
        state = self.state
        if state is RESPONSE or state is CLOSING or (state is IDLE and self._unsent_bytes()):
            return self._check_progress(now)
        if state is IDLE and self._idle_since + self.table.limits.keep_alive_s > now:
            self.deadline = self._idle_since + self.table.limits.keep_alive_s
        elif state is not LOST:
            self._close(REASONS[state])
        return 0

    def _unsent_bytes(self) -> int:
        """Return the number of response bytes that the client has not received, in this process and in the kernel."""
        unsent: int = self.transport.unsent_bytes()  # type: ignore[attr-defined]
        return unsent

    def _check_progress(self, now: float) -> int:
        unsent = self._unsent_bytes()
        sent = self.transport.bytes_written - unsent  # type: ignore[attr-defined]
        limits = self.table.limits
        allowed_s = limits.response_stall_s if unsent else limits.answer_timeout_s + APPLICATION_MARGIN_S
        if sent - self._delivered_bytes >= (MIN_PROGRESS_BYTES if unsent else 1):
            self._delivered_bytes, self.progress_at = sent, now
        elif now - self.progress_at >= allowed_s:
            self.abort("response_stalled" if unsent else "no_response")
            return 0
        return self._raw_transport.get_write_buffer_size() if unsent else 0

    # ---- refusals of malformed requests

    def _refuse(self, error: FrontdeskError) -> None:
        """Answer a malformed request with `error` and stop parsing."""
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            if cycle.response_started:
                self.abort("malformed")
                return
            self.cancel_request()
        self._report_close("malformed")
        self._write_refusal(error)
        self._release_pipelined_bytes()
        self._linger(self.loop.time(), self.table.limits.discard_s)

    def _write_refusal(self, error: FrontdeskError) -> None:
        header = next((value.decode("latin-1") for name, value in self.headers or () if name == b"x-request-id"), None)
        identifier = request_id(header)
        self.transport.write(raw_problem_response(error, identifier, self.server_state.default_headers))
        self.table.events.on_request_refused(http_status(error), identifier, self._peer_host)
