"""What a running server tells other systems: each answer once it is kept, and dead letters to its administrator."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from frontdesk.identifiers import uuid7
from frontdesk.storage.database import open_database
from frontdesk.storage.tables import outbox
from model_store.bundle import Bundle
from tests.support.records import CREATED_AT
from tests.support.serving import Server, home_with

MARKER = "Ysolde-Brannagh-77"
PATIENCE_S = 10.0


@pytest.fixture(scope="module")
def telling(tiny_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = home_with(tiny_bundle, tmp_path_factory.mktemp("telling") / "home")
    with Server(home, outbox__sinks="[file]") as running:
        yield running


def told(server: Server, query_id: str) -> dict[str, Any]:
    """The event, once it is in the file."""
    path = server.home / "events.jsonl"
    give_up = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up:
        lines = path.read_text().split("\n") if path.exists() else []
        for event in map(json.loads, filter(None, lines)):
            if event["event_id"] == query_id:
                return event
        time.sleep(0.05)
    raise AssertionError(f"{query_id} was never told")


def test_an_answer_is_told_masked_and_only_to_who_was_configured(telling: Server) -> None:
    with telling.client() as client:
        request = {"text": f"My name is {MARKER}, where is order #48213?", "customer_id": "ada"}
        answer = client.post("/v1/queries", json=request).json()
    event = told(telling, answer["query_id"])
    assert (event["type"], event["tenant"], event["customer_id"]) == ("query.answered", "acme", "ada")
    assert event["payload"]["intent"] == answer["intent"]["label"]
    assert "48213" not in json.dumps(event)


def test_a_second_message_about_the_same_thing_is_more_pressing_and_says_why(telling: Server) -> None:
    customer = f"customer-{uuid7()}"
    with telling.client() as client:
        request = {"text": "Where is my parcel?", "customer_id": customer}
        first, second = (client.post("/v1/queries", json=request).json() for _ in range(2))
    names = [part["name"] for part in second["priority"]["parts"]]
    assert "history.repeated" in names
    assert second["priority"]["score"] > first["priority"]["score"]
    assert second["skipped"] == []


def test_a_dead_letter_is_listed_retried_and_dropped_by_its_tenants_administrator(telling: Server) -> None:
    engine = open_database(f"sqlite:///{telling.home / 'frontdesk.db'}")
    given_up = [uuid7(), uuid7()]
    with telling.client() as client, telling.client(tenant="other") as stranger:
        for event_id in given_up:
            bury(engine, event_id)
        told_of = client.get("/v1/admin/outbox").json()
        assert {letter["event_id"] for letter in told_of["dead"]} == set(given_up)
        assert stranger.get("/v1/admin/outbox").json() == {"sinks": [], "dead": []}
        retried, dropped = given_up
        assert stranger.post(f"/v1/admin/outbox/file/{dropped}/drop", json={}).status_code == 404
        assert client.post(f"/v1/admin/outbox/file/{dropped}/drop", json={}).status_code == 200
        assert client.post(f"/v1/admin/outbox/file/{dropped}/retry", json={}).status_code == 404
        assert client.post(f"/v1/admin/outbox/file/{retried}/retry", json={}).status_code == 200
    assert told(telling, retried)["payload"] == {}
    engine.dispose()


def bury(engine: Engine, event_id: str) -> None:
    """A dead letter as the dispatcher leaves it behind."""
    row = {"event_id": event_id, "sink": "file", "tenant": "acme", "customer_id": None, "type": "query.answered"}
    row |= {"payload": "{}", "created_at": CREATED_AT, "attempts": 8, "next_attempt_at": CREATED_AT}
    with engine.begin() as connection:
        connection.execute(outbox.insert(), row | {"is_dead": True, "last_error": "ValueError"})
