"""The last event of a stream after an error."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from bentos.gateway.request_state import AdmittedRequest, set_request_state
from bentos.gateway.stream import add_stream_route
from frontdesk.deadline import Deadline
from frontdesk.types import Caller
from tests.support.fakes import FailingWriter
from tests.support.grpc_server import FakeWorker

PATH = "/v1/queries/stream"
MARKER = "Kassandra"
BODY = json.dumps({"text": f"Where is my parcel? {MARKER}"}).encode()


@pytest.fixture
def worker() -> FakeWorker:
    return FakeWorker()


@pytest.fixture
async def client(worker: FakeWorker) -> AsyncIterator[httpx2.AsyncClient]:
    app = FastAPI()
    add_stream_route(app)

    async def behind_the_door(scope: Scope, receive: Receive, send: Send) -> None:
        caller = Caller("acme", "agent", frozenset())
        set_request_state(scope, worker, AdmittedRequest(caller, Deadline.after(5), "mine", BODY))
        await app(scope, receive, send)

    transport = httpx2.ASGITransport(behind_the_door)
    async with httpx2.AsyncClient(transport=transport, base_url="http://desk") as opened:
        yield opened


async def streamed(client: httpx2.AsyncClient) -> list[tuple[str, dict[str, Any]]]:
    response = await client.post(PATH)
    assert response.status_code == 200
    lines = [event.split("\n") for event in response.text.removesuffix("\n\n").split("\n\n")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in lines]


async def test_a_defect_in_mid_stream_is_its_last_event_and_says_nothing_of_itself(
    worker: FakeWorker, client: httpx2.AsyncClient
) -> None:
    worker.pipeline.writer = FailingWriter(ValueError(MARKER))
    with capture_logs() as lines:
        events = await streamed(client)

    assert [name for name, _ in events] == ["understanding", "sentence", "error"]
    problem = events[-1][1]
    assert (problem["type"], problem["status"]) == ("urn:frontdesk:defect", 500)
    assert MARKER not in json.dumps(problem)
    (line,) = lines
    assert (line["event"], line["error"], line["request_id"]) == ("failure", "builtins.ValueError", "mine")
    assert MARKER not in json.dumps(line)
    assert not worker.recorder.records


async def test_what_cannot_be_stored_is_an_error_and_no_final(worker: FakeWorker, client: httpx2.AsyncClient) -> None:
    worker.recorder.unavailable = True
    with capture_logs() as lines:
        *_, (name, problem) = await streamed(client)

    assert (name, problem["type"]) == ("error", "urn:frontdesk:storage-unavailable")
    assert not lines
    assert 'kind="storage-unavailable"' in worker.counted()
