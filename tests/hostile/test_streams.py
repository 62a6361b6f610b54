"""Request smuggling: a proxy and the server must not see different requests in one stream (RFC 9112, section 11).

A proxy may assign more or fewer bytes to a message than the server. Each stream here hides a second request, which must
never be answered. Malformed lines of single requests are in `test_bad_input.py`.
"""

from __future__ import annotations

import contextlib
import json
import socket
import time
from contextlib import closing

import pytest

from frontdesk.identifiers import uuid7
from tests.support.serving import Server

EVIL = "evil.example"
TEXT = b'{"text": "Where is my parcel?", "store": false}'


def over_one_connection(server: Server, *pieces: bytes, patience_s: float = 0.4) -> bytes:
    """All received bytes until the server closes the connection or sends nothing for `patience_s`."""
    came = b""
    with (
        closing(socket.create_connection(("127.0.0.1", server.port), 10.0)) as connection,
        contextlib.suppress(BrokenPipeError, ConnectionResetError, TimeoutError),
    ):
        for piece in pieces:
            connection.sendall(piece)
        connection.settimeout(patience_s)
        while chunk := connection.recv(65_536):
            came += chunk
    return came


def lines(*texts: str) -> bytes:
    return "".join(f"{line}\r\n" for line in texts).encode("latin-1")


def hidden(wanted_id: str) -> bytes:
    return lines("GET /livez HTTP/1.1", "host: x", f"x-request-id: {wanted_id}", "")


def request(server: Server, *more: str, path: str = "/v1/understand", token: bool = True) -> bytes:
    """The head of a valid request without the final empty line, on a persistent connection."""
    bearer = [f"authorization: Bearer {server.token()}"] if token else []
    return lines(f"POST {path} HTTP/1.1", "host: x", "content-type: application/json", *bearer, *more)


def ids_of(server: Server) -> set[str]:
    """Ids of all requests in the log. A line is written before the end of the response is read."""
    time.sleep(0.05)
    entries = (json.loads(line) for line in server.log().splitlines() if line.startswith('{"'))
    return {line["request_id"] for line in entries if line.get("event") == "request"}


@pytest.mark.parametrize(
    ("more", "body"),
    [
        (["transfer-encoding: chunked"], b"2;\nxx\r\n4c\r\n0\r\n\r\n"),
        (["transfer-encoding: chunked"], b"2;a=b\n{}\r\n0\r\n\r\n"),
        (["transfer-encoding: chunked"], b"2\n{}\r\n0\r\n\r\n"),
        (["transfer-encoding: chunked"], b"2\r\n{}XX0\r\n\r\n"),
        (["transfer-encoding: chunked"], b"2;" + b"a" * 1_000_000 + b"\r\n{}\r\n0\r\n\r\n"),
        (["transfer-encoding: chunked"], b"0x2\r\n{}\r\n0\r\n\r\n"),
        (["transfer-encoding: chunked"], b"0_2\r\n{}\r\n0\r\n\r\n"),
        (["transfer-encoding:\x0bchunked"], b"0\r\n\r\n"),
        (["transfer-encoding: chunked\x0b"], b"0\r\n\r\n"),
        (["transfer-encoding:\r\n chunked"], b"0\r\n\r\n"),
        (["transfer-encoding: chunked", "transfer-encoding: chunked"], b"0\r\n\r\n"),
        (["transfer_encoding: chunked", "content-length: 2", "content-length: 2"], b"{}"),
        (["content-length: 2\x0b"], b"{}"),
        (["content-length: 2 2"], b"{}"),
        (["content-length : 2"], b"{}"),
        (["content-length: 02", "content-length: 2"], b"{}"),
        (["x: a\ncontent-length: 0"], b""),
        (["x: a\rcontent-length: 0"], b""),
        (["x\x00: a", "content-length: 2"], b"{}"),
    ],
    ids=[
        "a chunk's extension ends with LF", "an extension, LF", "a chunk's size ends with LF", "a chunk without an end",
        "an extension of a megabyte", "a size in C's form", "a size with an underscore", "VT before chunked",
        "VT after chunked", "chunked on the next line", "chunked twice", "the same length twice", "a length and VT",
        "two lengths in one", "a blank before the colon", "a length in two spellings", "LF within a value",
        "CR within a value", "NUL in a name",
    ],
)  # fmt: skip
def test_a_frame_that_two_could_read_differently_ends_the_connection(
    server: Server, more: list[str], body: bytes
) -> None:
    hidden_id = f"hidden-{uuid7()}"
    came = over_one_connection(server, request(server, *more) + b"\r\n" + body + hidden(hidden_id))

    assert came[:13] in (b"HTTP/1.1 400 ", b""), came[:300]
    assert came.count(b"HTTP/1.1 ") <= 1
    assert hidden_id not in ids_of(server)


@pytest.mark.parametrize(
    ("more", "token", "status"),
    [
        ([], False, 401),
        (["content-type: text/plain"], True, 400),
        (["expect: 100-continue"], False, 401),
        (["idempotency-key: "], True, 400),
    ],
    ids=["no token", "two content types", "expects 100-continue", "no key"],
)
def test_what_is_refused_before_its_body_is_read_does_not_make_a_request_of_the_body(
    server: Server, more: list[str], token: bool, status: int
) -> None:
    hidden_id = f"hidden-{uuid7()}"
    body = hidden(hidden_id)
    came = over_one_connection(
        server, request(server, *more, f"content-length: {len(body)}", token=token) + b"\r\n", body
    )

    assert came.startswith(f"HTTP/1.1 {status} ".encode()), came[:300]
    assert came.count(b"HTTP/1.1 ") == 1
    assert hidden_id not in ids_of(server)


SIZE = f"{len(TEXT):x}".encode()


def test_extensions_and_trailers_of_chunks_are_passed_over(server: Server) -> None:
    """If all of them arrive in one packet, uvicorn treats them as headers."""
    chunked = SIZE + b';name="value"\r\n' + TEXT + b"\r\n0\r\nx-request-id: a-trailer\r\nauthorization: x\r\n\r\n"
    came = over_one_connection(server, request(server, "transfer-encoding: chunked") + b"\r\n" + chunked)

    assert came.startswith(b"HTTP/1.1 200 "), came[:300]
    assert "a-trailer" not in ids_of(server)


def test_nobody_is_admitted_by_a_token_in_a_trailer(server: Server) -> None:
    chunked = SIZE + b"\r\n" + TEXT + f"\r\n0\r\nauthorization: Bearer {server.token()}\r\n\r\n".encode()
    came = over_one_connection(server, request(server, "transfer-encoding: chunked", token=False) + b"\r\n" + chunked)

    assert came.startswith(b"HTTP/1.1 401 "), came[:300]


def test_two_hosts_are_refused(server: Server) -> None:
    came = over_one_connection(server, lines("GET /livez HTTP/1.1", "host: x", "host: y", "connection: close", ""))
    assert came.startswith(b"HTTP/1.1 400 "), came[:300]


def test_requests_that_come_together_are_answered_one_after_the_other(server: Server) -> None:
    one = request(server, f"content-length: {len(TEXT)}") + b"\r\n" + TEXT
    last = lines("GET /livez HTTP/1.1", "host: x", "connection: close", "")
    came = over_one_connection(server, one + one + last, patience_s=10.0)

    assert came.count(b"HTTP/1.1 200 ") == 3
    assert came.count(b'"query_id"') == 2


@pytest.mark.parametrize("target", [f"http://{EVIL}/v1/queries", f"//{EVIL}/v1/queries", f"{EVIL}:443", "http://[::1"])
def test_a_target_that_names_a_server_opens_nothing_more(server: Server, target: str) -> None:
    """RFC 9112, section 3.2.2: the absolute form is accepted; its authority is ignored."""
    came = over_one_connection(server, lines(f"GET {target} HTTP/1.1", "host: x", "connection: close", ""))

    assert came.startswith((b"HTTP/1.1 401 ", b"HTTP/1.1 404 ", b"HTTP/1.1 400 "))
    assert EVIL.encode() not in came


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/openapi.json", "/v1/queries", "/livez", "/nowhere", "/v2", "/schema.json"]
)
def test_no_link_is_made_of_what_the_client_calls_us(server: Server, path: str) -> None:
    claims = (f"host: {EVIL}", f"x-forwarded-host: {EVIL}", f"forwarded: host={EVIL}", f"x-original-url: /{EVIL}")
    request_head = lines(
        f"GET {path} HTTP/1.1", *claims, f"authorization: Bearer {server.token()}", "connection: close", ""
    )

    assert EVIL.encode() not in over_one_connection(server, request_head)


@pytest.mark.parametrize("name", ["x-http-method-override", "x-method-override", "x-http-method"])
def test_no_header_changes_the_method(server: Server, name: str) -> None:
    head = request(server, f"{name}: DELETE", "content-length: 2", "connection: close", path="/v1/customers/c")
    assert over_one_connection(server, head + b"\r\n{}").startswith(b"HTTP/1.1 405 ")


@pytest.mark.parametrize("path", ["/original", "/v1/admin/models"])
def test_no_header_changes_the_path(server: Server, path: str) -> None:
    request_head = lines(
        "GET /livez HTTP/1.1", "host: x", f"x-original-url: {path}", f"x-rewrite-url: {path}", "connection: close", ""
    )
    assert b'"alive"' in over_one_connection(server, request_head)


def test_no_other_protocol_is_begun(server: Server) -> None:
    head = lines(
        "GET /livez HTTP/1.1",
        "host: x",
        "connection: Upgrade, HTTP2-Settings",
        "upgrade: h2c",
        "http2-settings: AAMAAABkAAQ",
        "",
    )
    assert b" 101 " not in over_one_connection(server, head)


def test_more_headers_than_the_limit_are_refused_before_they_end(server: Server) -> None:
    """A connection that sends header lines without end is answered and closed after twice the limit."""
    endless = lines("GET /livez HTTP/1.1", "host: x") + b"x-a: " + b"a" * 100_000
    started = time.monotonic()
    assert over_one_connection(server, endless, patience_s=8.0).startswith(b"HTTP/1.1 431 ")
    assert time.monotonic() - started < 5.0
