"""Clients that are slow, silent or hostile: every state of an HTTP connection ends at its deadline."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import socket
import struct
import time
import urllib.error
import urllib.request
from typing import Any

import pytest
import uvloop

from bentos.http.counting_transport import CountingTransport
from tests.support.http_listener import Listener, answer_ok, listening

TIMEOUT_S = 0.3
pytestmark = pytest.mark.filterwarnings("ignore:Overriding the .event_loop_policy")


@pytest.fixture(scope="module")
def event_loop_policy() -> asyncio.AbstractEventLoopPolicy:
    """The event loop of workers."""
    return uvloop.EventLoopPolicy()


GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n"
LARGE_BYTES = 8 * 1024 * 1024


class TestHeaders:
    @pytest.mark.parametrize(
        "pieces",
        [(), (b"G",), (b"GET / HTTP/1.1\r\nhost: x\r\n",), (b"GET / HTTP/1.1\r\n", b"a: b\r\n", b"c: d\r\n")],
        ids=["nothing", "a letter", "no end", "line by line"],
    )
    async def test_missing_headers_end_the_connection(self, pieces: tuple[bytes, ...]) -> None:
        async with listening() as listener:
            seconds, answered = await listener.seconds_until_closed(*pieces, pause_s=0.05)
            assert answered == b""
            assert seconds < TIMEOUT_S + 1
            assert listener.events.reasons == ["headers"]

    async def test_headers_without_end_are_refused_with_431(self) -> None:
        line = b"a: " + b"b" * 500 + b"\r\n"
        async with listening() as listener:
            seconds, answered = await listener.seconds_until_closed(
                b"GET / HTTP/1.1\r\nx-request-id: mine\r\n", *[line] * 50, pause_s=0.001
            )
            assert_problem(answered, 431, "urn:frontdesk:too-large", "mine")
            assert listener.events.refusals == [(431, "mine")]
            assert seconds < 3

    @pytest.mark.parametrize("target_bytes", [1001, 2500, 100_000])
    async def test_a_target_that_is_too_long_is_refused_with_414(self, target_bytes: int) -> None:
        async with listening() as listener:
            _, answered = await listener.seconds_until_closed(
                b"GET /" + b"a" * target_bytes + b" HTTP/1.1\r\nhost: x\r\n\r\n"
            )
            assert_problem(answered, 414, "urn:frontdesk:too-large")

    @pytest.mark.parametrize("garbage", [b"\x00" * 100, b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\nhost: x\n\n"])
    async def test_a_request_that_is_not_http_is_refused_with_a_problem_and_counted(self, garbage: bytes) -> None:
        async with listening() as listener:
            _, answered = await listener.seconds_until_closed(garbage)
            assert_problem(answered, 400, "urn:frontdesk:invalid-query")
            assert listener.events.reasons == ["malformed"]
            assert [status for status, _ in listener.events.refusals] == [400]

    async def test_a_header_section_that_ends_across_two_packets_is_one_request(self) -> None:
        async with listening(header_timeout_s=2.0) as listener:
            for cut in range(1, len(GET)):
                reader, writer = await listener.connect()
                writer.write(GET[:cut])
                await asyncio.sleep(0.005)
                writer.write(GET[cut:] + GET)
                for _ in range(2):
                    answered = await asyncio.wait_for(reader.readuntil(b"\r\n\r\nok"), 2)
                    assert answered.startswith(b"HTTP/1.1 200 OK"), cut
                writer.close()


class TestBetweenRequests:
    async def test_a_second_request_on_a_connection_has_a_deadline_too(self) -> None:
        async with listening() as listener:
            _, answered = await listener.seconds_until_closed(GET, b"GET / HT", pause_s=0.1)
            assert answered.endswith(b"ok")
            assert listener.events.reasons == ["headers"]

    async def test_a_connection_that_waits_between_requests_stays_open(self) -> None:
        async with listening() as listener:
            _, answered = await listener.seconds_until_closed(GET, GET, b"G", pause_s=TIMEOUT_S * 2)
            assert answered.count(b"200 OK") == 2

    async def test_an_idle_connection_is_closed_after_keep_alive_s(self) -> None:
        async with listening(keep_alive_s=0.6) as listener:
            seconds, answered = await listener.seconds_until_closed(GET)
            assert answered.endswith(b"ok")
            assert 0.6 <= seconds < 1.6
            assert listener.events.reasons == ["idle"]

    @pytest.mark.parametrize("stray", [b"\r\n", b"\r", b"\n"])
    async def test_empty_lines_do_not_keep_a_connection_open(self, stray: bytes) -> None:
        async with listening(keep_alive_s=0.6) as listener:
            reader, writer = await listener.connect()
            writer.write(GET)
            assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200 OK")
            started = time.monotonic()
            with contextlib.suppress(ConnectionError, RuntimeError):  # the latter is uvloop's for a closed connection
                while not reader.at_eof() and time.monotonic() < started + 4:
                    writer.write(stray)
                    await asyncio.sleep(0.05)
            assert listener.events.reasons == ["idle"]
            assert time.monotonic() - started < 2
            writer.close()

    async def test_empty_lines_before_a_request_are_skipped(self) -> None:
        async with listening(header_timeout_s=2.0) as listener:
            _, answered = await listener.seconds_until_closed(
                b"\r\n\r\n" + GET, b"\r\n", GET[:-4] + b"\r\nconnection: close\r\n\r\n", pause_s=0.05
            )
            assert answered.count(b"200 OK") == 2


class TestBodies:
    @pytest.mark.parametrize(
        "head",
        [
            b"GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000\r\n\r\n",
            b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 60000\r\n\r\n",
            b"GET / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n",
        ],
        ids=["GET", "POST", "chunked"],
    )
    @pytest.mark.parametrize("after", [b"", b"1"], ids=["silent", "one byte"])
    async def test_a_body_that_the_application_does_not_read_ends_with_its_deadline(
        self, head: bytes, after: bytes
    ) -> None:
        async with listening(discard_s=0.4) as listener:
            seconds, answered = await listener.seconds_until_closed(head, *([after] if after else []), pause_s=0.05)
            assert answered.endswith(b"ok")
            assert seconds < 2
            assert listener.events.reasons in (["unread_body"], [])

    async def test_a_body_that_the_application_waits_for_ends_with_the_request(self) -> None:
        async def reads(scope: Any, receive: Any, send: Any) -> None:
            while (message := await receive())["type"] == "http.request" and message["more_body"]:
                pass

        async with listening(reads, request_timeout_s=0.2) as listener:
            seconds, answered = await listener.seconds_until_closed(
                b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n", *[b"a"] * 20, pause_s=0.1
            )
            assert (answered, listener.events.reasons) == (b"", ["body"])
            assert seconds < 3.5

    @pytest.mark.parametrize(
        "piece", [b"2;" + b"a" * 500, b"2\r\n{}\r\n0\r\nx: " + b"a" * 500], ids=["an extension", "a trailer"]
    )
    async def test_a_malformed_body_is_not_read_for_ever(self, piece: bytes) -> None:
        async with listening(discard_s=0.5) as listener:
            seconds, _ = await listener.seconds_until_closed(
                CHUNKED + b"\r\n", piece, *[b"a" * 500] * 50, pause_s=0.001
            )
            assert seconds < 2

    @pytest.mark.parametrize("text", [b"x", b"\r\n\r\n"])
    async def test_a_large_body_in_small_chunks_is_read_to_its_end(self, text: bytes) -> None:
        received: list[bytes] = []
        small = (b"%x\r\n" % len(text) + text + b"\r\n") * 5000
        async with listening(echo_into(received)) as listener:
            _, answered = await listener.seconds_until_closed(
                CHUNKED + b"\r\n", *[small] * 4, b"0\r\n\r\n" + GET + b"G", pause_s=0.01
            )
            assert answered.count(b"200 OK") == 2
            assert received == [text * 20_000, b""]

    async def test_a_trailer_is_no_header(self) -> None:
        """In one packet, so that everything is read before the application runs."""
        names: list[bytes] = []

        async def see(scope: Any, receive: Any, send: Any) -> None:
            names.extend(name for name, _ in scope["headers"])
            await answer_ok(scope, receive, send)

        async with listening(see) as listener:
            await listener.seconds_until_closed(
                CHUNKED + b"connection: close\r\n\r\n0\r\nauthorization: Bearer x\r\n\r\n"
            )
        assert names == [b"host", b"transfer-encoding", b"connection"]


def echo_into(received: list[bytes]) -> Any:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        received.append(body)
        await answer_ok(scope, receive, send)

    return application


class TestPipelining:
    async def test_pipelined_requests_are_answered_in_order(self) -> None:
        received: list[bytes] = []
        async with listening(echo_into(received)) as listener:
            posts = b"".join(
                b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
                for body in (b"one", b"", b"\r\n\r\nGET / HTTP/1.1\r\n\r\n", b"four")
            )
            chunked = CHUNKED + b"\r\n4\r\n\r\n\r\n\r\n3\r\nend\r\n0\r\nx: y\r\n\r\n"
            _, answered = await listener.seconds_until_closed(
                posts + chunked + GET[:-4] + b"\r\nconnection: close\r\n\r\n"
            )
            assert answered.count(b"200 OK") == 6
            assert received == [b"one", b"", b"\r\n\r\nGET / HTTP/1.1\r\n\r\n", b"four", b"\r\n\r\nend", b""]

    async def test_requests_behind_a_slow_one_are_not_started(self) -> None:
        begun = 0

        async def never(scope: Any, receive: Any, send: Any) -> None:
            nonlocal begun
            begun += 1
            await receive()
            await receive()

        async with listening(never) as listener:
            reader, writer = await listener.connect()
            for _ in range(200):
                writer.write(GET * 1000)
            await asyncio.sleep(0.3)
            assert begun == 1
            assert listener.table._pipelined_bytes < 1_000_000
            writer.transport.abort()
            del reader


class TestResponses:
    @staticmethod
    async def send_much(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(2000):
            await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})

    @staticmethod
    def silent(listener: Listener, request: bytes) -> socket.socket:
        """A client that reads no byte of its response."""
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", listener.port))
        client.sendall(request)
        return client

    @pytest.mark.parametrize("request_bytes", [GET, GET * 500], ids=["one", "pipelined"])
    async def test_a_response_that_is_not_read_is_aborted(self, request_bytes: bytes) -> None:
        async with listening(self.send_much, response_stall_s=0.6) as listener:
            client = self.silent(listener, request_bytes)
            await until(lambda: listener.events.reasons == ["response_stalled"], within_s=4)
            await until(lambda: len(listener.table) == 0, within_s=4)
            client.close()

    async def test_a_response_in_one_piece_that_is_not_read_is_aborted(self) -> None:
        async def one_piece(scope: Any, receive: Any, send: Any) -> None:
            body = b"x" * 4_000_000
            headers = [(b"content-length", b"%d" % len(body))]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body})

        async with listening(one_piece, response_stall_s=0.6) as listener:
            clients = [
                self.silent(listener, GET),
                self.silent(listener, b"GET / HTTP/1.0\r\n\r\n"),
            ]
            await until(lambda: listener.events.reasons == ["response_stalled"] * 2, within_s=4)
            for client in clients:
                client.close()

    async def test_small_responses_that_only_the_kernel_has_received_are_aborted(self) -> None:
        """A zero window: nothing waits in this process, so the kernel must close the connection (TCP_USER_TIMEOUT)."""
        async with listening(response_stall_s=0.6) as listener:
            client = self.silent(listener, b"")
            with contextlib.suppress(ConnectionError):
                for _ in range(200):
                    client.sendall(GET)
                    await asyncio.sleep(0.002)
            await until(lambda: len(listener.table) == 0, within_s=5)
            client.close()

    async def test_a_slow_reader_that_makes_progress_is_served(self) -> None:
        async def some(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for _ in range(40):
                await send({"type": "http.response.body", "body": b"x" * 32_768, "more_body": True})
            await send({"type": "http.response.body", "body": b"end"})

        async with listening(some, response_stall_s=0.5) as listener:
            client = self.silent(listener, GET)
            client.setblocking(False)
            size = 0
            for _ in range(400):
                with contextlib.suppress(BlockingIOError):
                    size += len(client.recv(16_384))
                await asyncio.sleep(0.01)
                if size > 1_200_000:
                    break
            assert size > 1_200_000
            assert listener.events.reasons == []
            client.close()

    async def test_an_application_that_never_answers_does_not_hold_a_connection(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bentos.http.http_connection.APPLICATION_MARGIN_S", 0.3)
        left = asyncio.Event()

        async def waits(scope: Any, receive: Any, send: Any) -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            left.set()

        async with listening(waits, request_timeout_s=0.3) as listener:
            await listener.seconds_until_closed(GET)
            assert listener.events.reasons == ["no_response"]
            await asyncio.wait_for(left.wait(), 1)

    async def test_a_client_that_disconnects_during_a_file_is_no_defect(self, caplog: pytest.LogCaptureFixture) -> None:
        ended: list[BaseException | None] = []

        async def file(scope: Any, receive: Any, send: Any) -> None:
            try:
                await self.send_much(scope, receive, send)
            except BaseException as error:
                ended.append(error)
                raise
            ended.append(None)

        async with listening(file) as listener:
            for number in range(20):
                reader, writer = await listener.connect()
                writer.write(GET)
                await reader.read(1000)
                if number % 2:
                    await asyncio.sleep(0.01)
                linger = struct.pack("ii", 1, 0)  # a reset, not an orderly end
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                writer.transport.abort()
            await until(lambda: len(ended) == 20, within_s=5)
        assert set(ended) == {None}
        assert [record for record in caplog.records if record.name.startswith("uvicorn")] == []


class TestRefusals:
    """Every refusal is readable for a client that sends its whole body before it reads."""

    @staticmethod
    def refusing(status: int) -> Any:
        async def application(scope: Any, receive: Any, send: Any) -> None:
            headers = [(b"content-length", b"4"), (b"retry-after", b"7")]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": b"full"})

        return application

    @pytest.mark.parametrize("status", [400, 401, 404, 405, 413, 415, 429, 503])
    async def test_urllib_reads_the_refusal_of_a_large_body(self, status: int) -> None:
        async with listening(self.refusing(status)) as listener:

            def ask() -> tuple[int, str | None, bytes]:
                request = urllib.request.Request(f"http://127.0.0.1:{listener.port}/", b"x" * LARGE_BYTES)
                try:
                    urllib.request.urlopen(request, timeout=10)
                except urllib.error.HTTPError as error:
                    return error.code, error.headers["retry-after"], error.read()
                raise AssertionError("it was not refused")

            assert await asyncio.to_thread(ask) == (status, "7", b"full")

    @pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
    async def test_a_keep_alive_client_reads_it_too(self, method: str) -> None:
        async with listening(self.refusing(503)) as listener:

            def ask() -> list[tuple[int, bytes]]:
                client = http.client.HTTPConnection("127.0.0.1", listener.port, timeout=10)
                answers = []
                for _ in range(2):
                    client.request(method, "/", b"x" * LARGE_BYTES)
                    response = client.getresponse()
                    answers.append((response.status, response.read()))
                client.close()
                return answers

            assert await asyncio.to_thread(ask) == [(503, b"full")] * 2

    async def test_a_small_body_that_was_not_read_leaves_the_connection_open(self) -> None:
        async with listening() as listener:
            post = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n"
            seconds, answered = await listener.seconds_until_closed(
                post, b"x" * 1000, GET[:-4] + b"\r\nconnection: close\r\n\r\n", pause_s=0.05
            )
            assert answered.count(b"200 OK") == 2
            assert seconds < 2

    async def test_a_client_that_waits_for_100_continue_is_refused_at_once(self) -> None:
        async with listening(self.refusing(401), discard_s=5.0) as listener:
            seconds, answered = await listener.seconds_until_closed(
                b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\nexpect: 100-continue\r\n\r\n"
            )
            assert answered.startswith(b"HTTP/1.1 401")
            assert b"connection: close" in answered
            assert seconds < 1

    async def test_a_refused_body_is_read_for_a_limited_size_and_time(self) -> None:
        async with listening(self.refusing(401), discard_s=0.5, discard_bytes=1_000_000) as listener:
            head = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000\r\n\r\n"
            seconds, answered = await listener.seconds_until_closed(head, *[b"x" * 10] * 30, pause_s=0.1)
            assert b"full" in answered
            assert seconds < 4.5
            sent = 0
            _, writer = await listener.connect()
            with contextlib.suppress(ConnectionError):
                writer.write(head)
                while sent < 200_000_000:
                    writer.write(b"x" * 100_000)
                    await writer.drain()
                    sent += 100_000
            assert sent < 50_000_000
            assert listener.events.reasons == ["unread_body"] * 2


def assert_problem(answered: bytes, status: int, kind: str, request_id: str | None = None) -> None:
    head, _, body = answered.partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert lines[0].startswith(f"http/1.1 {status} ")
    assert "content-type: application/problem+json" in lines
    assert "connection: close" in lines
    (identifier,) = [line.removeprefix("x-request-id: ") for line in lines if line.startswith("x-request-id: ")]
    assert request_id in (None, identifier)
    problem = json.loads(body)
    assert (problem["status"], problem["type"]) == (status, kind)


async def until(holds: Any, within_s: float) -> None:
    give_up = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < give_up, "it did not happen in time"
        await asyncio.sleep(0.02)


async def send_pieces(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    for piece in (b"one ", b"", b"two"):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def send_declared(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"3")]})
    await send({"type": "http.response.body", "body": b"all"})


async def send_chunked(scope: Any, receive: Any, send: Any) -> None:
    headers = [(b"Transfer-Encoding", b"chunked")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"one", "more_body": True})
    await send({"type": "http.response.body", "body": b" two"})


class TestHttp10:
    """Clients of HTTP/1.0 know no chunks (RFC 9112, section 6.1)."""

    @pytest.mark.parametrize("more", [b"", b"connection: keep-alive\r\n", b"expect: 100-continue\r\n"])
    @pytest.mark.parametrize(
        ("application", "body"), [(send_pieces, b"one two"), (send_declared, b"all"), (send_chunked, b"one two")]
    )
    async def test_the_body_has_no_chunks_and_ends_with_the_connection(
        self, application: Any, body: bytes, more: bytes
    ) -> None:
        async with listening(application) as listener:
            _, answered = await listener.seconds_until_closed(b"GET / HTTP/1.0\r\n" + more + b"\r\n")
        head, _, received = answered.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        assert b"transfer-encoding" not in head.lower()
        assert b"connection: close" in head
        assert received == body

    async def test_the_interim_response_100_is_not_sent_to_http_1_0(self) -> None:
        async def read_body(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            await send_declared(scope, receive, send)

        post = b"POST / HTTP/1.0\r\nexpect: 100-continue\r\ncontent-length: 1\r\n\r\nx"
        async with listening(read_body) as listener:
            _, answered = await listener.seconds_until_closed(post)
        assert answered.startswith(b"HTTP/1.1 200")

    async def test_head_has_no_body(self) -> None:
        async with listening(send_pieces) as listener:
            _, answered = await listener.seconds_until_closed(b"HEAD / HTTP/1.0\r\n\r\n")
        assert answered.endswith(b"\r\n\r\n")
        assert b"transfer-encoding" not in answered.lower()

    async def test_http_1_1_still_gets_chunks(self) -> None:
        get = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        async with listening(send_pieces) as listener:
            _, answered = await listener.seconds_until_closed(get)
        assert b"transfer-encoding: chunked" in answered
        assert answered.endswith(b"4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n")


class TestWrites:
    @pytest.mark.parametrize("size", [0, 2, 70_000])
    async def test_a_small_body_arrives_with_its_head(self, size: int) -> None:
        writes: list[bytes] = []

        async def answer(scope: Any, receive: Any, send: Any) -> None:
            headers = [(b"content-length", b"%d" % size)]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"x" * size})

        class Recorded(CountingTransport):
            def __init__(self, raw: Any, owner: Any) -> None:
                super().__init__(raw, owner)
                self._write = lambda data: (writes.append(bytes(data)), raw.write(data))

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("bentos.http.http_connection.CountingTransport", Recorded)
            async with listening(answer) as listener:
                reader, writer = await listener.connect()
                for _ in range(2):
                    writer.write(GET)
                    head = await reader.readuntil(b"\r\n\r\n")
                    assert await reader.readexactly(size) == b"x" * size
                writer.close()
        assert head.startswith(b"HTTP/1.1 200")
        assert len(writes) == (4 if size > 65_536 else 2)

    @pytest.mark.parametrize("connection", ["keep-alive", "close"])
    async def test_a_head_without_a_body_is_sent(self, connection: str) -> None:
        async def answer(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
            await send({"type": "http.response.body", "body": b"x" * 9})

        async with listening(answer) as listener:
            reader, writer = await listener.connect()
            writer.write(f"HEAD / HTTP/1.1\r\nhost: x\r\nconnection: {connection}\r\n\r\n".encode())
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
            writer.close()

    async def test_a_head_is_sent_although_the_application_fails_before_the_body(self) -> None:
        async def answer(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            raise RuntimeError("a defect")

        async with listening(answer) as listener:
            _, answered = await listener.seconds_until_closed(GET)
        assert answered.startswith(b"HTTP/1.1 200")
