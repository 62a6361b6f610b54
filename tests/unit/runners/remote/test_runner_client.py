from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from frontdesk.errors import ConfigurationError, Overloaded
from runners.remote.runner_client import RunnerConnection, RunnerError

AT_ONCE_S = 0.2


class Runner:
    """A process behind a listening socket that outlives it. Answers a call with its reversed body by default."""

    def __init__(self, listening: socket.socket, *, status: str = "200 OK", header: str = "") -> None:
        self.answers = f"HTTP/1.1 {status}\r\n{header}Content-Length: "
        self.calls: list[bytes] = []
        self.silent = threading.Event()
        self.connections: list[socket.socket] = []
        self._listening = listening
        self._dead = False
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def die(self) -> None:
        self._dead = True
        self._accepting.join()
        for connection in self.connections:
            with suppress(OSError):  # already closed
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while not self._dead:
            try:
                connection, _ = self._listening.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), closing(connection), connection.makefile("rb") as stream:
            while line := stream.readline():
                length = 0
                while (header := stream.readline()) != b"\r\n":
                    if header.lower().startswith(b"content-length:"):
                        length = int(header.split(b":")[1])
                body = stream.read(length)
                if line.startswith(b"GET /livez"):
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                    continue
                self.calls.append(body)
                if not self.silent.is_set():
                    connection.sendall(f"{self.answers}{length}\r\n\r\n".encode() + body[::-1])
                    if "close" in self.answers:
                        return


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[socket.socket]:
    with closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(str(tmp_path / "s"))
        server.listen()
        server.settimeout(0.02)
        yield server


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[RunnerConnection]:
    with closing(RunnerConnection("encoders", f"file://{tmp_path}/s", "/call", timeout_s=0.3)) as opened:
        yield opened


def call(connection: RunnerConnection, body: bytes) -> bytes:
    connection.send(body)
    return connection.receive()


def receive_in_vain(connection: RunnerConnection) -> None:
    with suppress(Overloaded):
        connection.receive()


def test_calls_are_answered_over_one_connection(listening: socket.socket, connection: RunnerConnection) -> None:
    runner = Runner(listening)
    connection.wait_until_up(5)
    assert [call(connection, body) for body in (b"abc", b"de")] == [b"cba", b"ed"]
    assert len(runner.connections) == 1


def test_a_tcp_address_can_be_used() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        Runner(listening)
        with closing(
            RunnerConnection("trees", f"tcp://127.0.0.1:{listening.getsockname()[1]}", "/call", 5)
        ) as connection:
            connection.wait_until_up(5)
            assert call(connection, b"abc") == b"cba"


def test_a_call_does_not_wait_for_its_answer(listening: socket.socket, connection: RunnerConnection) -> None:
    runner = Runner(listening)
    connection.wait_until_up(5)
    runner.silent.set()
    started = time.monotonic()
    connection.send(b"abc")
    assert time.monotonic() - started < AT_ONCE_S


def test_a_runner_that_dies_during_a_call_is_unavailable_and_then_refused_immediately(
    listening: socket.socket, connection: RunnerConnection
) -> None:
    runner = Runner(listening)
    connection.wait_until_up(5)
    runner.silent.set()
    connection.send(b"abc")
    runner.die()
    with pytest.raises(Overloaded) as refused:
        connection.receive()
    assert refused.value.retry_after_s > 0

    started = time.monotonic()
    for _ in range(3):
        with pytest.raises(Overloaded, match="encoders"):
            connection.send(b"abc")
    assert time.monotonic() - started < AT_ONCE_S


def test_the_next_process_on_the_same_socket_is_found(listening: socket.socket, connection: RunnerConnection) -> None:
    first = Runner(listening)
    connection.wait_until_up(5)
    first.die()
    with pytest.raises(Overloaded):
        call(connection, b"abc")
    Runner(listening)
    connection.wait_until_up(5)
    assert call(connection, b"abc") == b"cba"


def test_a_silent_runner_costs_only_its_timeout(listening: socket.socket, connection: RunnerConnection) -> None:
    runner = Runner(listening)
    connection.wait_until_up(5)
    runner.silent.set()
    connection.send(b"abc")
    started = time.monotonic()
    with pytest.raises(Overloaded):
        connection.receive()
    assert 0.2 < time.monotonic() - started < 0.3 + AT_ONCE_S


def test_the_state_of_a_runner_is_checked_without_a_call(
    listening: socket.socket, connection: RunnerConnection
) -> None:
    assert not connection.is_up()
    first = Runner(listening)
    connection.wait_until_up(5)
    assert connection.is_up()
    first.die()
    with pytest.raises(Overloaded):
        call(connection, b"abc")
    assert not connection.is_up()
    Runner(listening)
    give_up = time.monotonic() + 5
    while not connection.is_up():
        assert time.monotonic() < give_up
        time.sleep(0.01)
    assert call(connection, b"abc") == b"cba"


def test_without_a_connection_the_runner_is_probed(listening: socket.socket, connection: RunnerConnection) -> None:
    runner = Runner(listening, header="Connection: close\r\n")
    connection.wait_until_up(5)
    call(connection, b"abc")
    assert connection.is_up()
    call(connection, b"abc")
    runner.die()
    started = time.monotonic()
    assert not connection.is_up()
    assert time.monotonic() - started < AT_ONCE_S


def test_a_state_check_during_a_call_does_not_disturb_it(
    listening: socket.socket, connection: RunnerConnection
) -> None:
    Runner(listening)
    connection.wait_until_up(5)
    connection.send(b"abc")
    assert connection.is_up()
    assert connection.receive() == b"cba"


def test_a_state_check_in_another_thread_does_not_wait_for_the_response(
    listening: socket.socket, connection: RunnerConnection
) -> None:
    runner = Runner(listening)
    connection.wait_until_up(5)
    runner.silent.set()
    connection.send(b"abc")
    waiting = threading.Thread(target=receive_in_vain, args=(connection,))
    waiting.start()
    started = time.monotonic()
    assert connection.is_up()
    assert time.monotonic() - started < AT_ONCE_S
    waiting.join()


def test_an_unread_response_is_not_returned_to_the_next_call(
    listening: socket.socket, connection: RunnerConnection
) -> None:
    Runner(listening)
    connection.wait_until_up(5)
    connection.send(b"abc")
    assert call(connection, b"xyz") == b"zyx"


def test_a_connection_that_the_runner_closes_is_opened_again(
    listening: socket.socket, connection: RunnerConnection
) -> None:
    runner = Runner(listening, header="Connection: close\r\n")
    connection.wait_until_up(5)
    assert [call(connection, b"ab"), call(connection, b"cd")] == [b"ba", b"dc"]
    assert len(runner.connections) == 2


@pytest.mark.parametrize(("status", "says"), [("500 X", "answered 500"), ("404 X", "another bundle")])
def test_a_failed_call_has_no_retry_time(
    listening: socket.socket, connection: RunnerConnection, status: str, says: str
) -> None:
    Runner(listening, status=status)
    connection.wait_until_up(5)
    with pytest.raises(RunnerError, match=says):
        call(connection, b"abc")


def test_an_overloaded_runner_has_a_retry_time(listening: socket.socket, connection: RunnerConnection) -> None:
    Runner(listening, status="503 X")
    connection.wait_until_up(5)
    with pytest.raises(Overloaded, match="too much waiting"):
        call(connection, b"abc")


@pytest.mark.parametrize("there_is_a_socket", [True, False])
def test_a_service_that_does_not_come_up_is_named(
    request: pytest.FixtureRequest, connection: RunnerConnection, there_is_a_socket: bool
) -> None:
    if there_is_a_socket:
        request.getfixturevalue("listening")
    with pytest.raises(ConfigurationError, match=r"'encoders' did not come up within 0\.1 s"):
        connection.wait_until_up(0.1)
