"""Clients that write to a server during faults, and record the responses.

Each client is a thread with one connection and its own customers, so requests of a customer are sequential. Every
second request has an Idempotency-Key and is sent again with that key until it is answered; it counts as one request. A
request without a key is sent once. If its connection breaks, its result is unknown, and it is recorded as not
acknowledged.
"""

from __future__ import annotations

import http.client
import itertools
import json
import secrets
import string
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from tests.faults.history import TOKEN_LETTERS, Acknowledgement, Request

ANSWER_TIMEOUT_S = 20.0
IDLE_S = 2.0  # uvicorn closes a connection that is idle for 5 s
RETRY_AFTER_S = 0.1
GIVE_UP_AFTER_S = 90.0  # longest time without an answer; leases and restarts take less
CUSTOMERS_EACH = 3
SHORT_DEADLINES_MS = (2, 4, 8, 16, 32, 64, 128, 256)
"""One of these deadlines ends between the claim of a key and the answer, on fast and on slow machines."""
BROKEN = 0
OK = 200
MESSAGES = (
    "Where is my parcel {}? It should have come on Monday.",
    "I want my money back for the {} that I ordered.",
    "The {} is broken and nobody answers my calls!",
    "How can I change the address of my account {}?",
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sending: start (monotonic seconds), duration, and status; `BROKEN` without a response."""

    at: float
    seconds: float
    status: int


@dataclass(slots=True)
class Sending:
    """A request in progress; it becomes a `Request` at the end."""

    token: str
    customer_id: str
    key: str | None
    message: str
    answers: list[Acknowledgement] = field(default_factory=list)

    def body(self) -> bytes:
        return json.dumps({"text": self.message, "customer_id": self.customer_id}).encode()


class Connection:
    """A keep-alive connection. It is opened again after it broke, or if the server may have closed it as idle."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        self._open: http.client.HTTPConnection | None = None
        self._used = 0.0

    def post(self, sending: Sending, deadline_ms: int | None = None) -> tuple[int, bytes]:
        """Return status and body; `BROKEN` and no body if the connection broke or timed out."""
        if time.monotonic() - self._used > IDLE_S:
            self.close()
        self._open = self._open or http.client.HTTPConnection("127.0.0.1", self._port, timeout=ANSWER_TIMEOUT_S)
        headers = dict(self._headers)
        if sending.key is not None:
            headers["idempotency-key"] = f'"{sending.key}"'
        if deadline_ms is not None:
            headers["x-request-deadline-ms"] = str(deadline_ms)
        try:
            self._open.request("POST", "/v1/queries", sending.body(), headers)
            response = self._open.getresponse()
            answered = response.status, response.read()
            self._used = time.monotonic()
            return answered
        except (OSError, http.client.HTTPException):
            self.close()
            return BROKEN, b""

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


class Load:
    """The clients of one run. Use it as a context manager; requests are sent only during a burst.

    Args:
        port: of the server's HTTP port on this machine.
        token: of a caller who may request answers.
        clients: number of concurrent clients.
    """

    def __init__(self, port: int, token: str, *, clients: int = 8) -> None:
        self._connections = [Connection(port, token) for _ in range(clients)]
        self._pool = ThreadPoolExecutor(clients)
        self._lock = threading.Lock()
        self._sent: list[Sending] = []
        self._attempts: list[Attempt] = []
        self._numbers = itertools.count()
        self._short_deadlines_ms = itertools.cycle(SHORT_DEADLINES_MS)
        self._acknowledged = 0
        self._wanted = 0
        self._block_runs = False
        self._stopped = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._pool.shutdown()
        for connection in self._connections:
            connection.close()

    @property
    def acknowledged(self) -> int:
        return self._acknowledged

    @contextmanager
    def burst(self, requests: int, *, pause_s: float = 0.0, hurried: bool = False) -> Iterator[None]:
        """Send requests while the block runs, and until `requests` more are acknowledged.

        Args:
            requests: number of acknowledged requests.
            pause_s: pause of each client between two requests, in seconds.
            hurried: first send every request with a key with one of `SHORT_DEADLINES_MS`.

        Raises:
            AssertionError: they were not acknowledged within `GIVE_UP_AFTER_S` after the last one.
        """
        self._wanted = self._acknowledged + requests
        self._block_runs = True
        working = [self._pool.submit(self._work, number, pause_s, hurried) for number in range(len(self._connections))]
        try:
            yield
        except BaseException:
            self._stopped.set()
            raise
        self._block_runs = False
        for client in working:
            client.result()

    def send(self, requests: int, *, pause_s: float = 0.0) -> None:
        """Run a burst without a fault."""
        with self.burst(requests, pause_s=pause_s):
            pass

    def wait_for(self, more: int) -> None:
        """Wait until this many more requests are acknowledged. Call it within a burst."""
        target = self._acknowledged + more
        wait_until(lambda: self._acknowledged >= target, GIVE_UP_AFTER_S, f"{more} more requests are answered")

    def replay(self) -> None:
        """Send every acknowledged request with a key again, with that key."""
        keyed = [sending for sending in self._sent if sending.key and sending.answers]
        for connection in self._connections:
            connection.close()  # the server may have closed it: nothing was sent for a while

        def work(number: int) -> None:
            for sending in keyed[number :: len(self._connections)]:
                self._until_answered(self._connections[number], sending)

        list(self._pool.map(work, range(len(self._connections))))

    def history(self) -> list[Request]:
        """Return requests and responses in the order of sending. Call it between two bursts."""
        return [Request(each.token, each.customer_id, each.key, tuple(each.answers)) for each in self._sent]

    def attempts(self, since: float = 0.0, until: float = float("inf")) -> list[Attempt]:
        """Return every sending that began between two times (monotonic seconds)."""
        with self._lock:
            return [attempt for attempt in self._attempts if since <= attempt.at < until]

    def _work(self, number: int, pause_s: float, hurried: bool) -> None:
        connection = self._connections[number]
        answered_at = time.monotonic()
        while (self._block_runs or self._acknowledged < self._wanted) and not self._stopped.is_set():
            sending = self._next(number)
            if sending.key is None:
                self._once(connection, sending)
            else:
                self._until_answered(connection, sending, hurried)
            if sending.answers:
                with self._lock:
                    self._acknowledged += 1
                answered_at = time.monotonic()
            assert time.monotonic() < answered_at + GIVE_UP_AFTER_S, (
                f"a client was not answered for {GIVE_UP_AFTER_S:.0f} s"
            )
            self._stopped.wait(pause_s if sending.answers else max(pause_s, RETRY_AFTER_S))

    def _next(self, client: int) -> Sending:
        """Return a new request, recorded before it is sent."""
        number = next(self._numbers)
        token = "".join(secrets.choice(string.ascii_lowercase) for _ in range(TOKEN_LETTERS))
        customer = f"customer-{client}-{number % CUSTOMERS_EACH}"
        message = MESSAGES[number % len(MESSAGES)].format(token)
        sending = Sending(token, customer, token if number % 2 else None, message)
        with self._lock:
            self._sent.append(sending)
        return sending

    def _until_answered(self, connection: Connection, sending: Sending, hurried: bool = False) -> None:
        give_up = time.monotonic() + GIVE_UP_AFTER_S
        if hurried and self._once(connection, sending, next(self._short_deadlines_ms)):
            return
        while not self._once(connection, sending) and time.monotonic() < give_up:
            if self._stopped.wait(RETRY_AFTER_S):
                return

    def _once(self, connection: Connection, sending: Sending, deadline_ms: int | None = None) -> bool:
        """Send the request; return whether it was answered."""
        at = time.monotonic()
        status, body = connection.post(sending, deadline_ms)
        with self._lock:
            self._attempts.append(Attempt(at, time.monotonic() - at, status))
        if status != OK:
            return False
        answer = json.loads(body)
        sending.answers.append(Acknowledgement(answer["query_id"], answer["stored"], body))
        return True


def statuses(attempts: Sequence[Attempt]) -> Counter[int]:
    """Count the responses by status."""
    return Counter(attempt.status for attempt in attempts)


def failures(attempts: Sequence[Attempt]) -> int:
    """Count the requests that did not end with 200: refused, failed, or with a broken connection."""
    return sum(attempt.status != OK for attempt in attempts)


def wait_until(holds: Callable[[], bool], timeout_s: float, what: str) -> float:
    """Wait until the condition holds; return the duration in seconds.

    Raises:
        AssertionError: it did not hold in time.
    """
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() < begun + timeout_s, f"not within {timeout_s:.0f} s: {what}"
        time.sleep(0.02)
    return time.monotonic() - begun
