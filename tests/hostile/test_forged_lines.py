"""Log injection: regardless of the input, each line of the log is one JSON object that the server has written.

The log of a running server, over HTTP and gRPC. All input that is logged (ids, tenant, subject, address) or could be
(path, query, user agent) contains line ends, escape sequences, quotes and Unicode separators.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from bentos.grpc import frontdesk_pb2 as pb
from bentos.grpc.frontdesk_pb2_grpc import FrontdeskServiceStub
from frontdesk.security.token_keys import load_signing_key
from tests.support.forged_tokens import Forger
from tests.support.serving import Server, send_raw

FORGED = "forged-line"
LINE = '{"event":"request","request_id":"' + FORGED + '","status":200}'
INJECTIONS = {
    "LF": f"a\n{LINE}",
    "CR": f"a\r{LINE}",
    "CRLF": f"a\r\n{LINE}",
    "quotes": f'a","request_id":"{FORGED}","b":"',
    "backslash": 'a\\","status":500,"b":"',
    "escape sequence": f"\x1b[2J\x1b[1;31m{LINE}",
    "backspaces": "\b" * 80 + LINE,
    "vertical tab": f"a\x0b{LINE}",
    "form feed": f"a\x0c{LINE}",
    "NEL": f"a\x85{LINE}",
    "NEL in UTF-8": f"a\u0085{LINE}",
    "line separator": f"a\u2028{LINE}",
    "paragraph separator": f"a\u2029{LINE}",
    "right to left": f"a\u202e{LINE}",
    "NUL": f"a\x00{LINE}",
    "percent": "a%0d%0a" + LINE,
    "a format": "%s%s%n{0.__class__}${jndi:ldap://x}",
}
FIELDS = {
    "event", "level", "timestamp", "pid", "method", "route", "status", "duration_ms", "request_id", "tenant", "subject",
    "client", "bytes_in", "bytes_out",
}  # fmt: skip


@pytest.fixture
def read_log(server: Server) -> Iterator[Any]:
    """A function that returns the server's output since the test began."""
    # Wait until the log does not change for a second.
    give_up, size = time.monotonic() + 10.0, -1
    while size != (size := len(server.log())) and time.monotonic() < give_up:
        time.sleep(1.0)
    before = len(server.log())

    def read(until: str) -> str:
        give_up = time.monotonic() + 5.0
        while f'"{until}"' not in server.log()[before:]:
            assert time.monotonic() < give_up, "the last request is not in the log"
            time.sleep(0.02)
        return server.log()[before:]

    return read


def assert_ours(log: str) -> list[dict[str, Any]]:
    """Check that every line is of the access log, or uvicorn's line for a malformed request.

    A request of the previous test may end now, so there may be one line more than requests.
    """
    assert log.isascii()
    assert all(character.isprintable() for character in log.replace("\n", ""))
    entries: list[dict[str, Any]] = [json.loads(line) for line in log.splitlines()]
    for line in entries:
        if line["event"] == "request":
            assert set(line) == FIELDS
        else:
            assert (line["event"], line["logger"]) == ("Invalid HTTP request received.", "uvicorn.error")
    assert FORGED not in {line.get("request_id") for line in entries}
    return entries


def http_requests(token: str, injected: str) -> list[str]:
    """The same injection in all parts of an HTTP request that are or could be logged."""
    get, end = "HTTP/1.1\r\nhost: x\r\nconnection: close\r\n", "\r\n\r\n"
    return [
        f"GET /livez {get}x-request-id: {injected}{end}",
        f"GET /{injected} {get}{end}",
        f"GET /livez?{injected}={injected} {get}{end}",
        f"GET /livez {get}user-agent: {injected}{end}",
        f"GET /livez {get}referer: {injected}\r\nx-forwarded-for: {injected}\r\nforwarded: for={injected}{end}",
        f"{injected} /livez {get}{end}",
        f"GET /v1/customers/{injected}/history {get}authorization: Bearer {token}{end}",
        f"GET /v1/queries {get}authorization: Bearer {injected}{end}",
        f"GET /v1/queries {get}authorization: Bearer {token}\r\nidempotency-key: {injected}{end}",
    ]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
def test_no_line_is_forged_over_http(server: Server, read_log: Any, encoding: str) -> None:
    token, last = server.token(), f"last-{encoding}"
    for injected in INJECTIONS.values():
        for request in http_requests(token, injected):
            send_raw(server.port, request.encode(encoding, "replace"))
    send_raw(
        server.port, f"GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-request-id: {last}\r\n\r\n".encode()
    )
    entries = assert_ours(read_log(last))
    # Two requests in one stream correctly give two lines: a proxy would not forward such a stream.
    assert len(entries) >= len(INJECTIONS) * 5


def test_no_line_is_forged_by_what_a_token_says(server: Server, read_log: Any) -> None:
    """An identity provider may issue any subject. Printable subjects are accepted and logged with escapes."""
    forger, statuses = Forger(load_signing_key(server.home / "keys"), int(time.time())), []
    for injected in INJECTIONS.values():
        for claims in ({"sub": injected}, {"tenant": injected}):
            token = forger.with_claims(scope="history:read", **claims)
            request = (
                f"GET /v1/queries HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\r\n"
            )
            statuses.append(send_raw(server.port, request.encode()).status)
    send_raw(server.port, b"GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-request-id: last-token\r\n\r\n")
    entries = assert_ours(read_log("last-token"))
    assert len(entries) > len(statuses)
    assert set(statuses) == {200, 401}
    assert {line.get("subject") for line in entries} & set(INJECTIONS.values())  # printable values are logged unchanged


def test_no_line_is_forged_over_grpc(server: Server, read_log: Any) -> None:
    bearer = ("authorization", f"Bearer {server.token(['understand'])}")
    with grpc.insecure_channel(server.grpc_address, options=[("grpc.primary_user_agent", LINE)]) as channel:
        stub = FrontdeskServiceStub(channel)
        for injected in (text for text in INJECTIONS.values() if text.isascii() and text.isprintable()):
            for name in ("x-request-id", "authorization", "x-request-deadline-ms", "cache-control", "x-forwarded-for"):
                metadata = ((name, injected),) if name == "authorization" else (bearer, (name, injected))
                stub.Understand.future(pb.Query(text="x", store=False), metadata=metadata, timeout=20).exception()
            channel.unary_unary(f"/{injected}/{injected}").future(b"", metadata=(bearer,), timeout=20).exception()
        stub.Understand(pb.Query(text="x", store=False), metadata=(bearer, ("x-request-id", "last-grpc")), timeout=20)
    entries = assert_ours(read_log("last-grpc"))
    assert {line["route"] for line in entries if line.get("method") == "GRPC"} == {
        "/frontdesk.v1.FrontdeskService/Understand",
        "unknown",
    }
