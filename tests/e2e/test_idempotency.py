"""Idempotency-Key at every door of a running server with two workers."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import grpc
import httpx2
import pytest
from grpc import StatusCode

from bentos.grpc import frontdesk_pb2 as pb
from bentos.grpc.frontdesk_pb2_grpc import FrontdeskServiceStub
from frontdesk.security.key_store import RELOAD_INTERVAL_S, KeyFiles, KeyPurpose
from tests.support.command_line import invoke
from tests.support.serving import Server

TEXT = "Where is order #48213? Write to maria.lindqvist@example.org"
PATHS = ("/v1/understand", "/v1/queries", "/understand", "/answer")


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx2.Client]:
    with server.client() as opened:
        yield opened


@pytest.fixture(scope="module")
def stub(server: Server) -> Iterator[FrontdeskServiceStub]:
    with grpc.insecure_channel(server.grpc_address) as channel:
        yield FrontdeskServiceStub(channel)


@pytest.fixture
def key() -> str:
    return str(uuid.uuid4())


def keyed(key: str) -> dict[str, str]:
    return {"idempotency-key": key}


def metadata(server: Server, key: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {server.token()}"), ("idempotency-key", key))


@pytest.mark.parametrize("path", PATHS)
def test_the_same_key_and_request_get_the_same_bytes_and_are_stored_once(
    server: Server, client: httpx2.Client, key: str, path: str
) -> None:
    before = server.count()
    first = client.post(path, json={"text": TEXT}, headers=keyed(key))
    again = [client.post(path, json={"text": TEXT}, headers=keyed(form)) for form in (key, f'"{key}"') * 3]
    assert first.status_code == 200
    assert "idempotency-replayed" not in first.headers
    assert {response.content for response in again} == {first.content}
    assert {response.headers["idempotency-replayed"] for response in again} == {"true"}
    assert server.count() == before + 1


def test_the_doors_share_their_keys(
    server: Server, client: httpx2.Client, stub: FrontdeskServiceStub, key: str
) -> None:
    over_http = client.post("/v1/queries", json={"text": TEXT}, headers=keyed(key)).json()
    over_grpc, call = stub.Answer.with_call(pb.Query(text=TEXT), metadata=metadata(server, key))
    assert over_grpc.query_id == over_http["query_id"]
    assert over_grpc.reply.text == over_http["reply"]["text"]
    assert ("idempotency-replayed", "true") in [tuple(one) for one in call.trailing_metadata()]


def test_a_stream_is_replayed_by_its_final_message_alone(server: Server, stub: FrontdeskServiceStub, key: str) -> None:
    first, again = (list(stub.AnswerStream(pb.Query(text=TEXT), metadata=metadata(server, key))) for _ in range(2))
    assert len(first) > 1
    assert again == first[-1:]


def test_another_request_under_the_key_is_refused(
    server: Server, client: httpx2.Client, stub: FrontdeskServiceStub, key: str
) -> None:
    client.post("/v1/queries", json={"text": TEXT}, headers=keyed(key))
    for path, body in (("/v1/queries", {"text": "Something else"}), ("/v1/understand", {"text": TEXT})):
        refused = client.post(path, json=body, headers=keyed(key))
        assert (refused.status_code, refused.json()["type"]) == (422, "urn:frontdesk:key-reused")
    with pytest.raises(grpc.RpcError) as message:
        stub.Answer(pb.Query(text="Something else"), metadata=metadata(server, key))
    assert message.value.code() is StatusCode.INVALID_ARGUMENT


def test_of_many_at_once_on_two_workers_one_is_answered_and_the_others_wait_or_get_the_same(
    server: Server, key: str
) -> None:
    def ask(_: int) -> httpx2.Response:
        with server.client() as own:
            return own.post("/v1/queries", json={"text": TEXT}, headers=keyed(key))

    before = server.count()
    with ThreadPoolExecutor(8) as threads:
        responses = list(threads.map(ask, range(24)))
    assert {response.status_code for response in responses} <= {200, 409}
    assert len({response.content for response in responses if response.status_code == 200}) == 1
    assert all(response.headers["retry-after"] == "1" for response in responses if response.status_code == 409)
    assert server.count() == before + 1


@pytest.mark.parametrize("wrong", [b"", b"two words", b"x" * 256, b'""', b"\xc3\xa4"], ids=repr)
def test_what_is_no_key_is_refused(client: httpx2.Client, wrong: bytes) -> None:
    refused = client.post("/v1/queries", json={"text": TEXT}, headers=[(b"idempotency-key", wrong)])
    assert refused.status_code == 400


def test_a_key_at_a_batch_is_refused(
    server: Server, client: httpx2.Client, stub: FrontdeskServiceStub, key: str
) -> None:
    refused = client.post("/v1/understand/batch", json={"queries": [{"text": TEXT}]}, headers=keyed(key))
    assert refused.status_code == 400
    assert "a batch has several" in refused.json()["detail"]
    with pytest.raises(grpc.RpcError) as message:
        stub.UnderstandBatch(pb.BatchRequest(queries=[pb.Query(text=TEXT)]), metadata=metadata(server, key))
    assert message.value.code() is StatusCode.INVALID_ARGUMENT


def test_a_request_that_is_wrong_does_not_use_its_key_up(client: httpx2.Client, key: str) -> None:
    assert client.post("/v1/queries", json={"text": " "}, headers=keyed(key)).status_code == 400
    assert client.post("/v1/queries", json={"text": TEXT}, headers=keyed(key)).status_code == 200


def test_the_key_is_told_in_the_documentation(client: httpx2.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    for path in ("/v1/understand", "/v1/queries"):
        described = paths[path]["post"]
        assert [one["name"] for one in described["parameters"]] == ["Idempotency-Key"]
        assert {"409", "422"} <= set(described["responses"])


def test_feedback_under_a_key_is_kept_once(server: Server, client: httpx2.Client, key: str) -> None:
    query_id = client.post("/v1/queries", json={"text": TEXT}).json()["query_id"]
    path, output = f"/v1/queries/{query_id}/feedback", {"satisfaction": 4, "reply": "edited"}
    missing = client.post(f"/v1/queries/{uuid.uuid4()}/feedback", json=output, headers=keyed(key))
    assert missing.status_code == 404  # and the key is free again
    first, *again = [client.post(path, json=output, headers=keyed(key)) for _ in range(4)]
    another = client.post(path, json={"satisfaction": 5}, headers=keyed(key))
    assert first.status_code == 200
    assert "idempotency-replayed" not in first.headers
    assert {(response.content, response.headers["idempotency-replayed"]) for response in again} == {
        (first.content, "true")
    }
    assert another.status_code == 422
    assert len(server.rows("SELECT id FROM feedback WHERE query_id = ?", query_id)) == 1


def test_feedback_with_one_key_at_the_same_time_is_kept_once(server: Server, client: httpx2.Client, key: str) -> None:
    query_id = client.post("/v1/queries", json={"text": TEXT}).json()["query_id"]
    path, output = f"/v1/queries/{query_id}/feedback", {"satisfaction": 4}

    def give(_: int) -> httpx2.Response:
        return client.post(path, json=output, headers=keyed(key))

    with ThreadPoolExecutor(8) as threads:
        stored_value = list(threads.map(give, range(16)))
    assert {response.status_code for response in stored_value} <= {200, 409}
    assert len({response.content for response in stored_value if response.status_code == 200}) == 1
    assert len(server.rows("SELECT id FROM feedback WHERE query_id = ?", query_id)) == 1


def test_answers_come_and_are_replayed_while_the_sealing_key_is_rotated_and_all_is_sealed_anew(
    server: Server, client: httpx2.Client, key: str
) -> None:
    first = client.post("/v1/queries", json={"text": TEXT}, headers=keyed(key))
    old = KeyFiles(server.home / "keys", KeyPurpose.FIELD_ENCRYPTION).active().kid
    over = Event()

    def ask() -> list[int]:
        statuses = []
        while not over.is_set():
            request = client.post("/v1/queries", json={"text": TEXT}, headers=keyed(str(uuid.uuid4())))
            statuses.append(request.status_code)
        return statuses

    with ThreadPoolExecutor(2) as threads:
        asking = [threads.submit(ask) for _ in range(2)]
        new = invoke(server.home, "keys", "rotate", "--sealing").stdout.strip()
        time.sleep(RELOAD_INTERVAL_S + 0.5)
        resealed = invoke(server.home, "keys", "reseal")
        again = client.post("/v1/queries", json={"text": TEXT}, headers=keyed(key))
        over.set()
        statuses = [status for request in asking for status in request.result()]

    assert (set(statuses), len(statuses) > 20) == ({200}, True)
    assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")
    assert (new != old, resealed.returncode) == (True, 0), resealed.stderr
    left = server.rows("SELECT substr(query_sealed, 2, 4) AS kid, count(*) AS n FROM queries GROUP BY kid")
    assert new in {row["kid"].hex() for row in left if row["kid"]}
    assert old not in {row["kid"].hex() for row in left if row["kid"]}
