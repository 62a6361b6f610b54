"""Connections to the running server: refusals that every client can read, clients that leave, and SIGTERM."""

from __future__ import annotations

import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import httpx2
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client.parser import text_string_to_metric_families

from tests.support.serving import EXIT_TIMEOUT_S, Server, send_raw

PATIENCE_S = 10.0
LARGE_BYTES = 8 * 1024 * 1024
FILE = b"GET /static_content/swagger-ui-bundle.js HTTP/1.1\r\nhost: x\r\nx-request-id: leaves\r\n\r\n"


def test_urllib_reads_the_refusal_of_a_large_body(server: Server) -> None:
    for path, headers, status in (
        ("/v1/understand/batch", {}, 401),
        ("/nowhere", {}, 404),
        ("/v1/admin/models", {}, 405),
        ("/v1/understand", {"Authorization": f"Bearer {server.token()}", "Content-Type": "application/json"}, 413),
        ("/v1/understand", {"Authorization": f"Bearer {server.token()}", "Content-Type": "text/plain"}, 415),
    ):
        request = urllib.request.Request(f"{server.url}{path}", b"x" * LARGE_BYTES, headers)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=10)
        assert (refused.value.code, json.loads(refused.value.read())["status"]) == (status, status), path


def lines_with(server: Server, text: str) -> list[dict[str, Any]]:
    """The log lines that contain `text`; waits for the first, which is written after the response."""
    give_up = time.monotonic() + PATIENCE_S
    while text not in server.log():
        assert time.monotonic() < give_up, f"no line with {text}"
        time.sleep(0.05)
    time.sleep(0.05)  # until the whole line is written
    return [json.loads(line) for line in server.log().splitlines() if text in line]


def test_malformed_http_has_a_request_id_in_its_response_and_in_the_log(server: Server) -> None:
    response = send_raw(server.port, b"GET / HTTP/1.1\r\nx-request-id: malformed-1\r\na: b\r\nno colon\r\n\r\n")
    assert (response.status, response.headers["x-request-id"]) == (400, "malformed-1")
    assert json.loads(response.body)["type"] == "urn:frontdesk:invalid-query"
    (line,) = lines_with(server, "malformed-1")
    assert (line["event"], line["status"], line["client"]) == ("request", 400, "127.0.0.1")
    with server.client() as client:
        families = {family.name: family for family in text_string_to_metric_families(client.get("/metrics").text)}
    reasons = {sample.labels["reason"] for sample in families["frontdesk_connections_closed"].samples}
    assert "malformed" in reasons
    assert families["frontdesk_open_connections"].samples


def test_a_client_that_leaves_a_file_is_not_logged_as_a_defect(server: Server) -> None:
    before = server.log()
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(FILE)
            connection.recv(1000)
    time.sleep(0.3)
    added = server.log().removeprefix(before)
    assert added.count('"leaves"') == 20
    assert "without completing response" not in added
    assert '"failure"' not in added


def test_sigterm_drains_before_it_stops(home: Path) -> None:
    """/readyz and gRPC's health report the drain, while requests over new and open connections are answered.

    After the drain a new connection is refused at once, while a request that began before is finished.
    """
    with (
        Server(home, workers=1, server__drain_s=3.0) as server,
        server.client() as client,
        httpx2.Client(base_url=server.url, headers={"connection": "close"}) as fresh,
        half_sent(server) as finish,
    ):
        query = {"text": "Where is my parcel?", "store": False}
        client.get("/livez")
        started = time.monotonic()
        server.terminate()
        while fresh.get("/readyz").status_code == 200:
            assert time.monotonic() < started + 2.5
        assert fresh.get("/readyz").json()["status"] == "draining"
        assert fresh.get("/v2/health/ready").status_code == 503
        answers = [client.post("/v1/understand", json=query) for _ in range(2)]
        assert [(answer.status_code, answer.headers["connection"]) for answer in answers] == [(200, "close")] * 2
        with grpc.insecure_channel(server.grpc_address) as channel:
            checked = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=2)
        assert checked.status == health_pb2.HealthCheckResponse.NOT_SERVING
        assert time.monotonic() < started + 3.0, "the machine was too busy for this test"
        time.sleep(started + 4.0 - time.monotonic())
        assert_refused_at_once(server)
        assert server.process.poll() is None
        assert finish().startswith(b"HTTP/1.1 200 ")
        assert server.process.wait(EXIT_TIMEOUT_S) == 0
        assert "Traceback" not in server.log()


def test_without_a_drain_a_new_connection_is_refused_while_a_request_is_finished(home: Path) -> None:
    """It once waited in the backlog of a socket that nobody accepted from, until the last request had ended."""
    with Server(home, workers=2, server__drain_s=0.0) as server, half_sent(server) as finish:
        time.sleep(0.2)
        server.terminate()
        time.sleep(1.0)
        assert_refused_at_once(server)
        assert server.process.poll() is None
        assert finish().startswith(b"HTTP/1.1 200 ")
        assert server.process.wait(EXIT_TIMEOUT_S) == 0
        assert "Traceback" not in server.log()


@contextmanager
def half_sent(server: Server) -> Iterator[Callable[[], bytes]]:
    """A request whose body has begun; the function sends the rest and returns the response."""
    body = json.dumps({"text": "Where is my parcel?", "store": False}).encode()
    lines = (
        f"POST /v1/understand HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.token()}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
        connection.sendall(lines.encode() + body[:5])

        def finish() -> bytes:
            connection.sendall(body[5:])
            return connection.recv(65_536)

        yield finish


def assert_refused_at_once(server: Server) -> None:
    started = time.monotonic()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), 5)
    assert time.monotonic() - started < 1.0
