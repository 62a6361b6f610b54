"""What clients send that were written for other servers, over plain sockets: old HTTP, typed JSON, odd encodings."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
from typing import Any

import grpc
import httpx2
import pytest
from tritonclient.grpc import service_pb2, service_pb2_grpc

from tests.support.serving import RawResponse, Server, send_raw

MESSAGE = {"text": "When will order 4711 arrive?", "store": False}
TENSOR = {"name": "text", "shape": [1], "datatype": "BYTES", "data": ["When will it arrive?"]}


def send_request(
    server: Server, path: str, body: bytes = b"", *, method: str = "POST", version: str = "1.1", **more: str
) -> RawResponse:
    head = {
        "Host": "x",
        "Authorization": f"Bearer {server.token()}",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Connection": "close",
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    lines = [f"{method} {path} HTTP/{version}", *(f"{name}: {value}" for name, value in head.items())]
    return send_raw(server.port, "\r\n".join([*lines, "", ""]).encode() + body)


def as_json(response: RawResponse) -> Any:
    return json.loads(response.body)


class TestHttp10:
    @pytest.mark.parametrize("connection", ["close", "keep-alive"])
    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("POST", "/v1/queries/stream", json.dumps(MESSAGE).encode()),
            ("GET", "/v1/queries/export?format=csv", b""),
            ("GET", "/v1/queries/export", b""),
        ],
    )
    def test_streams_have_no_chunks_and_end_with_the_connection(
        self, server: Server, method: str, path: str, body: bytes, connection: str
    ) -> None:
        old = send_request(server, path, body, method=method, version="1.0", Connection=connection)
        new = send_request(server, path, body, method=method)
        assert (old.status, new.status) == (200, 200)
        assert (old.headers["transfer-encoding"], new.headers["transfer-encoding"]) == (None, "chunked")
        assert old.headers["connection"] == "close"
        assert old.body[:20] == new.body[:20]

    def test_the_events_of_a_stream_are_complete(self, server: Server) -> None:
        body = send_request(server, "/v1/queries/stream", json.dumps(MESSAGE).encode(), version="1.0").body
        assert body.startswith(b"event: understanding\ndata: {")
        assert body.rsplit(b"event: ", 1)[1].startswith(b"final\n")
        assert body.endswith(b"\n\n")

    def test_a_refusal_has_its_length(self, server: Server) -> None:
        refused = send_request(server, "/v1/queries/stream", b"{}", version="1.0")
        assert (refused.status, int(refused.headers["content-length"])) == (400, len(refused.body))


@pytest.mark.parametrize("method_and_path", ["POST /v1/queries/stream", "GET /v1/queries/export?format=csv"])
def test_proxies_are_told_not_to_buffer_streams(server: Server, method_and_path: str) -> None:
    method, path = method_and_path.split()
    body = json.dumps(MESSAGE).encode() if method == "POST" else b""
    assert send_request(server, path, body, method=method).headers["x-accel-buffering"] == "no"


class TestEncodings:
    @pytest.mark.parametrize(
        "path",
        ["/v1/understand", "/v1/understand/batch", "/v1/queries", "/v1/queries/stream", "/v1/queries/q/feedback",
         "/v1/admin/tokens/revoke", "/understand", "/answer", "/v2/models/ensemble/infer", "/v2/repository/index"],
    )  # fmt: skip
    def test_a_compressed_body_is_refused_while_it_is_on_its_way(self, server: Server, path: str) -> None:
        body = gzip.compress(json.dumps(MESSAGE).encode())
        refused = send_request(server, path, body[:5], Content_Encoding="gzip", Content_Length=str(len(body)))
        assert (refused.status, refused.headers["accept-encoding"]) == (415, "identity")
        assert b"Content-Encoding" in refused.body

    @pytest.mark.parametrize("path", ["/v1/understand", "/v1/queries", "/understand", "/v2/models/ensemble/infer"])
    def test_a_byte_order_mark_of_utf8_is_read_and_utf16_is_named(self, server: Server, path: str) -> None:
        text = json.dumps({"inputs": [TENSOR]} if path.startswith("/v2") else MESSAGE)
        assert send_request(server, path, text.encode("utf-8-sig")).status == 200
        refused = send_request(server, path, text.encode("utf-16"))
        assert (refused.status, b"UTF-16" in refused.body) == (400, True)

    @pytest.mark.parametrize(
        "bad",
        [
            rb'{"text": "cut \ud83d", "store": false}',
            b'{"text": "cut \xed\xa0\xbd", "store": false}',
            rb'{"text": "x", "customer_id": "\udc00", "store": false}',
        ],
    )
    def test_one_item_with_half_an_emoji_has_an_error_in_its_place(self, server: Server, bad: bytes) -> None:
        good = json.dumps(MESSAGE).encode()
        answered = send_request(server, "/v1/understand/batch", b'{"queries": [' + b",".join((good, bad, good)) + b"]}")
        assert answered.status == 200
        first, second, third = as_json(answered)["results"]
        assert "intent" in first
        assert "intent" in third
        (violation,) = second["error"]["violations"]
        assert violation["field"] in ("text", "customer_id")
        for path in ("/v1/understand", "/v1/queries", "/v1/queries/stream", "/understand"):
            refused = send_request(server, path, bad)
            assert refused.status == 400
            assert as_json(refused)["violations"] == [violation]


class TestHelpDeskFields:
    @pytest.mark.parametrize("path", ["/v1/understand", "/understand"])
    @pytest.mark.parametrize("language", ["pt_BR", "PT-br", "zh_Hans_CN", "pt_BR.UTF-8"])
    def test_a_locale_name_is_a_language(self, server: Server, path: str, language: str) -> None:
        assert send_request(server, path, json.dumps({**MESSAGE, "language": language}).encode()).status == 200

    def test_all_wrong_fields_are_named_at_once(self, server: Server) -> None:
        wrong = {
            "language": "", "customer_id": 361009, "customer_tier": None, "channel": "Email",
            "waiting_since": "2026-03-10 09:14:00 UTC", "session_id": ["s"],
        }  # fmt: skip
        refused = as_json(send_request(server, "/v1/understand", json.dumps({**MESSAGE, **wrong}).encode()))
        assert {violation["field"] for violation in refused["violations"]} == wrong.keys()


class TestOpenInference:
    @pytest.mark.parametrize(
        "body",
        [
            {"id": None, "parameters": None, "inputs": [{**TENSOR, "parameters": None}], "outputs": None},
            {"inputs": [{**TENSOR, "shape": [1, 1]}]},
            {"inputs": [{**TENSOR, "shape": [1, 1], "data": [["When will it arrive?"]]}]},
            {"inputs": [{**TENSOR, "data": [["When will it arrive?"]]}]},
            {"inputs": [TENSOR], "outputs": [{"name": "intent", "parameters": {"binary_data": None}}]},
        ],
    )
    def test_typed_clients_and_a_batch_dimension_are_understood(self, server: Server, body: dict[str, Any]) -> None:
        answered = send_request(server, "/v2/models/ensemble/infer", json.dumps(body).encode())
        assert answered.status == 200, answered.body
        assert as_json(answered)["outputs"][0]["shape"] == [1]

    def test_a_batch_dimension_is_understood_over_grpc(self, server: Server) -> None:
        request = service_pb2.ModelInferRequest(model_name="ensemble")
        tensor = request.inputs.add(name="text", datatype="BYTES", shape=[2, 1])
        tensor.contents.bytes_contents.extend([b"When will it arrive?", b"Please cancel it"])
        with grpc.insecure_channel(server.grpc_address) as channel:
            stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
            answer = stub.ModelInfer(request, metadata=[("authorization", f"Bearer {server.token()}")], timeout=10)
        assert list(answer.outputs[0].shape) == [2]

    def test_another_shape_is_refused_with_the_shapes_that_are_accepted(self, server: Server) -> None:
        body = {"inputs": [{**TENSOR, "shape": [1, 2], "data": [["a", "b"]]}]}
        refused = send_request(server, "/v2/models/ensemble/infer", json.dumps(body).encode())
        assert refused.status == 400
        assert "[n] or [n, 1]" in as_json(refused)["error"]


class TestLargeBatches:
    def test_single_messages_are_answered_while_the_largest_batch_runs(self, server: Server) -> None:
        words = "The lamp came in the wrong colour and I would like to exchange it. "
        queries = [{"text": f"{number}: {words * 60}"[:3900], "store": False} for number in range(256)]
        body = json.dumps({"queries": queries}).encode()
        head = (
            f"POST /v1/understand/batch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.token()}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection, server.client() as client:
            connection.sendall(head.encode() + body)
            connection.setblocking(False)
            seconds = []
            while not _has_answer(connection):
                response = client.post("/v1/understand", json={**MESSAGE, "text": f"Where is order {len(seconds)}?"})
                assert response.status_code == 200
                seconds.append(response.elapsed.total_seconds())
            connection.setblocking(True)
            response = http.client.HTTPResponse(connection)
            response.begin()
            answered = json.loads(response.read())
        assert response.status == 200
        assert [result["intent"]["label"] != "" for result in answered["results"]] == [True] * 256
        assert seconds
        assert max(seconds) < 3

    def test_a_batch_without_enough_time_is_refused_at_once_with_the_size_that_is_accepted(
        self, server: Server, client: httpx2.Client
    ) -> None:
        queries = [{"text": f"{number}: {'lamp ' * 700}", "store": False} for number in range(256)]
        refused = client.post(
            "/v1/understand/batch", json={"queries": queries}, headers={"x-request-deadline-ms": "300"}
        )
        assert refused.status_code == 503, refused.text
        accepted = refused.json()["accepted"]
        assert 1 <= accepted["messages"] < 256
        assert accepted["characters"] == sum(len(query["text"].strip()) for query in queries[: accepted["messages"]])
        assert str(accepted["characters"]) in refused.json()["detail"]
        assert int(refused.headers["retry-after"]) >= 1


def _has_answer(connection: socket.socket) -> bool:
    try:
        return bool(connection.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False
