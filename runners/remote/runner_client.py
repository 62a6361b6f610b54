"""A persistent connection from an API worker to a runner, used by the thread that runs the models, one call at a time.
Other threads may only check whether the runner is up.

A call is sent, other work is done, and then the response is read. The runner and this process therefore work in
parallel without another thread or an event loop. Plain HTTP/1.1 on the socket that BentoML created for the service.
BentoML's client is not used, because it pickles and costs 2 ms of CPU per call (measured; this client costs 0.2 ms).

    up ----------- the connection breaks, or no response arrives in time ---> unavailable
    unavailable -- the runner answers the pending probe --------------------> up

While a runner is unavailable, every call is refused immediately. The master of BentoML owns the listening socket, so
connecting still succeeds; a probe that is sent in advance waits there until the next runner process answers it.
"""

from __future__ import annotations

import socket
import threading
import time
from http.client import HTTPConnection, HTTPException
from urllib.parse import unquote, urlsplit

from frontdesk.errors import ConfigurationError, Overloaded

PROBE_PATH = "/livez"
MAX_IDLE_S = 4.0
"""BentoML's workers close a connection after 5 s without requests."""
PROBE_TIMEOUT_S = 1.0
STATUS_TIMEOUT_S = 0.1
"""Timeout of `is_up`, which may be called in an event loop. A running runner answers a probe within 2 ms."""
POLL_S = 0.05
RETRY_AFTER_S = 5.0
"""BentoML respawns a killed process after about 11 s, so a client that waits this long succeeds on the third retry."""


class RunnerError(Exception):
    """The runner is alive but cannot answer this call."""


class RunnerConnection:
    """A connection to the runner `name` at `url`: file:///path of a unix socket, http://host:port or tcp://host:port.

    `path` is the path of calls; `timeout_s` is the maximum time of a response.
    """

    def __init__(self, name: str, url: str, path: str, timeout_s: float) -> None:
        self.name = name
        self._path = path
        self._headers = {"Runner-Name": name}  # BentoCloud's load balancer selects the service by it
        self._http = _client(url, PROBE_TIMEOUT_S)  # for connecting; a response may take longer
        self._timeout_s = timeout_s
        self._lock = threading.Lock()  # guards all attributes below
        self._is_unavailable = True
        self._is_pending = False
        self._last_used = 0.0

    def wait_until_up(self, timeout_s: float) -> None:
        """Block until the runner answers.

        Raises:
            ConfigurationError: it did not answer within `timeout_s`.
        """
        deadline = time.monotonic() + timeout_s
        while not self._has_recovered():
            if time.monotonic() > deadline:
                raise ConfigurationError(
                    f"The service '{self.name}' did not come up within {timeout_s:g} s.",
                    hint="Its own lines in this log say why. Where it only needs longer: model.runner_start_timeout_s",
                )
            time.sleep(POLL_S)

    def is_up(self) -> bool:
        """Whether the runner answers. During and shortly after a call, whether it answered the last one.

        Thread-safe. Takes at most `STATUS_TIMEOUT_S` on a unix socket.
        """
        if not self._lock.acquire(blocking=False):
            return not self._is_unavailable
        try:
            if self._is_unavailable:
                return self._has_recovered()
            return self._is_pending or not self._is_stale() or self._reconnect(STATUS_TIMEOUT_S)
        finally:
            self._lock.release()

    def send(self, body: bytes) -> None:
        """Start a call. An earlier call whose response was not read is dropped.

        Raises:
            Overloaded: the runner is unavailable.
        """
        with self._lock:
            if self._is_unavailable and not self._has_recovered():
                raise self._unavailable_error()
            if self._is_stale() and not self._reconnect(PROBE_TIMEOUT_S):
                raise self._unavailable_error()
            try:
                self._http.request("POST", self._path, body, self._headers)
            except (OSError, HTTPException):
                raise self._handle_lost_connection() from None
            self._is_pending = True

    def receive(self) -> bytes:
        """Return the response to the last call.

        Raises:
            Overloaded: the runner has failed, does not answer in time, or has too many waiting calls.
            RunnerError: the call raised in the runner, or the runner has another bundle.
        """
        with self._lock:
            self._is_pending = False
            try:
                with self._http.getresponse() as response:
                    status, body = response.status, response.read()
            except (OSError, HTTPException):
                raise self._handle_lost_connection() from None
            self._last_used = time.monotonic()
        if status == 503:
            raise Overloaded(f"The service '{self.name}' has too much waiting.", retry_after_s=RETRY_AFTER_S)
        if status == 404:
            raise RunnerError(f"The service '{self.name}' holds another bundle.")
        if status != 200:
            raise RunnerError(f"The service '{self.name}' answered {status}; its own log says why.")
        return body

    def close(self) -> None:
        self._http.close()

    def _is_stale(self) -> bool:
        """Whether an earlier response is pending, or the runner has closed or may soon close the connection."""
        return self._is_pending or self._http.sock is None or time.monotonic() - self._last_used > MAX_IDLE_S

    def _reconnect(self, within_s: float) -> bool:
        """Reconnect and probe the runner, which may have died. Return whether it answers within `within_s`."""
        self._probe()
        return self._read_probe_answer(within_s)

    def _has_recovered(self) -> bool:
        """Whether the runner has answered the pending probe. Costs one system call while it has not."""
        if self._http.sock is None:
            self._probe()
        return self._read_probe_answer(0.0)

    def _probe(self) -> None:
        self._http.close()
        self._is_unavailable, self._is_pending = True, False
        try:
            self._http.request("GET", PROBE_PATH, headers=self._headers)
        except (OSError, HTTPException):
            self._http.close()

    def _read_probe_answer(self, within_s: float) -> bool:
        if self._http.sock is None:
            return False
        self._http.sock.settimeout(within_s)
        try:
            self._http.sock.recv(1, socket.MSG_PEEK)
        except (TimeoutError, BlockingIOError):
            return False
        except OSError:
            self._http.close()
            return False
        self._http.sock.settimeout(self._timeout_s)
        try:
            with self._http.getresponse() as response:
                response.read()
        except (OSError, HTTPException):
            self._http.close()
            return False
        self._is_unavailable, self._last_used = response.status != 200, time.monotonic()
        return not self._is_unavailable

    def _handle_lost_connection(self) -> Overloaded:
        """Handle a failed call: send a probe for the next runner process, and return the error to raise."""
        self._probe()
        return self._unavailable_error()

    def _unavailable_error(self) -> Overloaded:
        return Overloaded(
            f"The service '{self.name}', which this answer needs, is not there.",
            retry_after_s=RETRY_AFTER_S,
            hint="Try again after the time in Retry-After.",
        )


class _UnixConnection(HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _client(url: str, timeout_s: float) -> HTTPConnection:
    parts = urlsplit(url)
    if parts.scheme == "file":
        return _UnixConnection(unquote(parts.path), timeout_s)
    return HTTPConnection(parts.netloc, timeout=timeout_s)
