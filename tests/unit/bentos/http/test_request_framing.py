"""Requests whose length or recipient is ambiguous are refused before the application is called (RFC 9112)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import uvloop

from tests.support.http_listener import answer_ok, listening
from tests.unit.bentos.http.test_hardened_protocol import assert_problem

pytestmark = pytest.mark.filterwarnings("ignore:Overriding the .event_loop_policy")


@pytest.fixture(scope="module")
def event_loop_policy() -> asyncio.AbstractEventLoopPolicy:
    """The event loop of workers."""
    return uvloop.EventLoopPolicy()


def post(*lines: bytes, version: bytes = b"1.1", host: bytes = b"host: x\r\n", body: bytes = b"0\r\n\r\n") -> bytes:
    """A request with these header lines; its body is empty in chunked coding."""
    return b"POST / HTTP/" + version + b"\r\n" + host + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


CHUNKED = b"transfer-encoding: chunked"
REFUSED = {
    # section 6.1: transfer codings
    "gzip, chunked": (post(b"transfer-encoding: gzip, chunked"), 501),
    "gzip and chunked in two fields": (post(b"transfer-encoding: gzip", CHUNKED), 501),
    "deflate, CHUNKED": (post(b"transfer-encoding: deflate ,\tCHUNKED"), 501),
    "gzip alone": (post(b"transfer-encoding: gzip"), 400),
    "chunked, gzip": (post(b"transfer-encoding: chunked, gzip"), 400),
    "chunked twice": (post(b"transfer-encoding: chunked, chunked"), 400),
    "chunked in two fields": (post(CHUNKED, CHUNKED), 400),
    "identity": (post(b"transfer-encoding: identity"), 400),
    "an empty coding": (post(b"transfer-encoding:"), 400),
    "chunked with a parameter": (post(b"transfer-encoding: chunked;q=1"), 400),
    "a coding that looks like chunked": (post(b"transfer-encoding: xchunked"), 400),
    "chunked in HTTP/1.0": (post(CHUNKED, version=b"1.0"), 400),
    # section 6.3: lengths
    "length and coding": (post(b"content-length: 5", CHUNKED), 400),
    "coding and length": (post(CHUNKED, b"content-length: 5"), 400),
    "two lengths": (post(b"content-length: 5", b"content-length: 6"), 400),
    "the same length twice": (post(b"content-length: 5", b"content-length: 5"), 400),
    "a list of lengths": (post(b"content-length: 5, 5"), 400),
    "a length with a sign": (post(b"content-length: +5"), 400),
    "a negative length": (post(b"content-length: -5"), 400),
    "a length in hexadecimal": (post(b"content-length: 0x5"), 400),
    "an empty length": (post(b"content-length:"), 400),
    "a length beyond 64 bits": (post(b"content-length: 18446744073709551617"), 400),
    # section 3.2: Host
    "no host": (post(b"content-length: 0", host=b"", body=b""), 400),
    "two hosts": (post(b"content-length: 0", b"Host: y", body=b""), 400),
    "the same host twice": (post(b"content-length: 0", b"host: x", body=b""), 400),
    "two hosts in HTTP/1.0": (post(b"content-length: 0", b"host: y", version=b"1.0", body=b""), 400),
    # sections 2.2, 5.1 and 5.2: lines
    "a bare CR in a value": (post(b"a: b\rc: d", b"content-length: 0", body=b""), 400),
    "a bare CR behind a value": (post(b"a: b\r\r", b"content-length: 0", body=b""), 400),
    "a bare LF": (post(b"a: b\nc: d", b"content-length: 0", body=b""), 400),
    "a folded value": (post(b"a: b\r\n c", b"content-length: 0", body=b""), 400),
    "a value folded with a tab": (post(b"a: b\r\n\tc", b"content-length: 0", body=b""), 400),
    "a folded coding": (post(b"transfer-encoding:\r\n chunked"), 400),
    "a blank before the colon": (post(b"content-length : 0", body=b""), 400),
    "a blank before the first name": (post(b" a: b", host=b"", body=b""), 400),
    "a NUL in a value": (post(b"a: b\x00c", b"content-length: 0", body=b""), 400),
    "no name": (post(b": b", b"content-length: 0", body=b""), 400),
    # section 7.1: chunks
    "a chunk size with a sign": (post(CHUNKED, body=b"+2\r\n{}\r\n0\r\n\r\n"), 400),
    "a chunk size in 0x": (post(CHUNKED, body=b"0x2\r\n{}\r\n0\r\n\r\n"), 400),
    "a chunk size beyond 64 bits": (post(CHUNKED, body=b"f" * 17 + b"\r\n"), 400),
    "a bare LF behind a chunk size": (post(CHUNKED, body=b"2\n{}\r\n0\r\n\r\n"), 400),
    "a chunk longer than its size": (post(CHUNKED, body=b"2\r\n{}}\r\n0\r\n\r\n"), 400),
    "a bare CR in a chunk extension": (post(CHUNKED, body=b"2;a\rb\r\n{}\r\n0\r\n\r\n"), 400),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_an_ambiguous_request_is_refused_once_and_the_connection_closes(name: str) -> None:
    raw, status = REFUSED[name]
    calls = 0

    async def application(scope: Any, receive: Any, send: Any) -> None:
        nonlocal calls
        while (message := await receive())["type"] == "http.request" and message["more_body"]:
            pass
        if message["type"] == "http.request":
            calls += 1
            await answer_ok(scope, receive, send)

    async with listening(application, header_timeout_s=2.0, discard_s=0.1) as listener:
        seconds, response = await listener.seconds_until_closed(raw + b"GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n")
        assert_problem(response, status, "urn:frontdesk:invalid-query")
        assert response.count(b"HTTP/1.1 ") == 1
        assert listener.events.reasons == ["malformed"]
        assert [refused for refused, _ in listener.events.refusals] == [status]
    assert calls == 0
    assert seconds < 1.5


@pytest.mark.parametrize(
    "raw",
    [
        post(b"content-length: 0", host=b"", version=b"1.0", body=b""),
        post(b"content-length: 0", version=b"1.0", body=b""),
        post(b"content-length: 0", host=b"host:\r\n", body=b""),
        post(b"Transfer-Encoding: Chunked", b"connection: close"),
        post(CHUNKED, b"connection: close", body=b"2;a=b\r\n{}\r\n0\r\nx: y\r\n\r\n"),
        post(b"content-length: 2", b"connection: close", body=b"{}"),
    ],
    ids=["1.0 without host", "1.0 with host", "an empty host", "Chunked", "an extension and a trailer", "a length"],
)
async def test_an_unambiguous_request_is_answered(raw: bytes) -> None:
    async with listening(header_timeout_s=2.0, discard_s=0.1, keep_alive_s=0.3) as listener:
        _, response = await listener.seconds_until_closed(raw)
        assert response.startswith(b"HTTP/1.1 200 "), response


class TestFramingBytes:
    """`max_header_bytes` is 1,000 here; chunks may have at most twice as many bytes in addition to their data."""

    LINE = b"x: " + b"a" * 500 + b"\r\n"

    @pytest.mark.parametrize("pause_s", [None, 0.001], ids=["one packet", "many packets"])
    @pytest.mark.parametrize(
        ("pieces", "status"),
        [
            ((b"2;", *[b"a" * 500] * 50), 400),
            ((b"2;", *[b"a" * 500] * 50, b"\r\n{}\r\n0\r\n\r\n"), 400),
            ((b"2\r\n{}\r\n0;", *[b"a" * 500] * 50), 400),
            ((b"7d0\r\n" + b"b" * 2000 + b"\r\n2;", *[b"a" * 500] * 50), 400),
            ((b"0\r\n", *[LINE] * 50), 431),
            ((b"2\r\n{}\r\n0\r\n", *[LINE] * 50, b"\r\n"), 431),
            ((b"2\r\n{}\r\n0\r\nx: ", *[b"a" * 500] * 50), 431),
            ((b"7d0\r\n" + b"b" * 2000 + b"\r\n0\r\n", *[LINE] * 50, b"\r\n"), 431),
        ],
        ids=["extension", "extension with an end", "last chunk's extension", "extension behind much data", "trailers",
             "trailers with an end", "one trailer", "trailers behind much data"],
    )  # fmt: skip
    async def test_too_many_bytes_are_answered(
        self, pieces: tuple[bytes, ...], status: int, pause_s: float | None
    ) -> None:
        async def reads(scope: Any, receive: Any, send: Any) -> None:
            while (message := await receive())["type"] == "http.request" and message["more_body"]:
                pass

        head = post(CHUNKED, body=b"")
        async with listening(reads, header_timeout_s=2.0, discard_s=0.3) as listener:
            sent = (head, b"".join(pieces)) if pause_s is None else (head, *pieces)
            seconds, response = await listener.seconds_until_closed(*sent, pause_s=pause_s or 0.0)
            kind = "urn:frontdesk:too-large" if status == 431 else "urn:frontdesk:invalid-query"
            assert_problem(response, status, kind)
            assert listener.events.reasons == ["malformed"]
            assert seconds < 2
