"""What a recording removes and what a comparison reports."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.golden import recording
from tests.golden.exchange import GrpcRequest, HttpRequest, Request, request_of
from tests.golden.messages import messages

RESPONSE = {
    "status": 200,
    "headers": {"date": "today", "content-type": "application/json"},
    "body": {"query_id": "1", "intent": {"label": "get_refund"}, "timings_ms": {"total": 8.9, "mask": 0.1}},
}
REQUESTS = (
    HttpRequest("POST", "/v1/queries", (("content-type", "text/plain"),), b'{"text": "x"}', "scopes answer"),
    HttpRequest("POST", "/v1/queries", body=b"\xff\x00"),
    GrpcRequest("Understand", {"text": "x"}, ""),
)


def test_there_are_500_messages_and_they_are_always_the_same() -> None:
    assert len(messages()) == 500
    assert messages() == messages()


def test_ids_and_times_are_removed_and_nothing_else() -> None:
    assert recording.normalised(RESPONSE) == {
        "status": 200,
        "headers": {"content-type": "application/json"},
        "body": {"intent": {"label": "get_refund"}, "timings_ms": ["mask", "total"]},
    }


@pytest.mark.parametrize("request_", REQUESTS, ids=repr)
def test_a_request_is_read_back_as_it_was_written(request_: Request) -> None:
    assert request_of(json.loads(json.dumps(request_.to_json()))) == request_


def test_a_recording_is_read_back_and_equals_itself(tmp_path: Path) -> None:
    recorded = [(request, recording.normalised(RESPONSE)) for request in REQUESTS]
    assert recording.write(tmp_path / "file", "20261130-0123456789ab", recorded) == len(REQUESTS)

    version, read = recording.read(tmp_path / "file")

    assert version == "20261130-0123456789ab"
    assert list(recording.differences([response for _, response in read], recorded)) == []


@pytest.mark.parametrize(
    ("actual", "text"),
    [
        ({"status": 400}, "1 POST /v1/queries: status: 200 -> 400"),
        ({"status": 200, "body": {}}, "1 POST /v1/queries: body: absent -> {}"),
        ({}, "1 POST /v1/queries: status: 200 -> absent"),
    ],
)
def test_a_difference_names_exchange_field_and_values(actual: dict[str, object], text: str) -> None:
    differing = recording.differences([{"status": 200}], [(REQUESTS[0], actual)])

    assert [str(difference) for difference in differing] == [text]
