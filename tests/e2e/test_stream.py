"""`/v1/queries/stream` of a running server: events in their order, errors where they belong, and how soon it begins."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.support.serving import Server

TEXT = "Where is order #48213? It should have come on Monday."
PATH = "/v1/queries/stream"
ROUNDS = 30
SLOWER_AT_MOST_S = 0.005


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx2.Client]:
    with server.client() as opened:
        yield opened


def events(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    name = ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def streamed(client: httpx2.Client, **fields: Any) -> list[tuple[str, dict[str, Any]]]:
    with client.stream("POST", PATH, json={"text": TEXT, **fields}) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        return list(events(response.iter_lines()))


def test_understanding_sentences_final_and_the_record_is_there(server: Server, client: httpx2.Client) -> None:
    (first, understood), *message, (last, final) = streamed(client)

    assert (first, last) == ("understanding", "final")
    assert {name for name, _ in message} == {"sentence"}
    assert "reply" not in understood
    assert understood["query_id"] == final["query_id"]
    assert "".join(data["text"] for _, data in message) == final["reply"]["text"]
    assert final["stored"] == "committed"
    assert "48213" in json.dumps(final["decision"])
    (row,) = server.rows("SELECT query_text FROM queries WHERE id = ?", final["query_id"])
    assert "48213" not in row["query_text"]


def test_what_is_refused_is_an_ordinary_response(client: httpx2.Client) -> None:
    assert client.post(PATH, json={"text": " "}).status_code == 400
    assert client.post(PATH, json={"text": TEXT}, headers={"authorization": "Bearer x.y.z"}).status_code == 401


def test_a_key_brings_the_earlier_answer_as_its_final_event(client: httpx2.Client) -> None:
    headers = {"idempotency-key": "stream-1"}
    with client.stream("POST", PATH, json={"text": TEXT}, headers=headers) as response:
        *_, (_, first) = events(response.iter_lines())
    with client.stream("POST", PATH, json={"text": TEXT}, headers=headers) as response:
        assert response.headers["idempotency-replayed"] == "true"
        assert list(events(response.iter_lines())) == [("final", first)]


def test_the_first_event_comes_as_soon_as_understand_answers(client: httpx2.Client) -> None:
    """Medians of alternating requests; both ask the models afresh, and neither waits for a reply."""
    fresh = {"cache-control": "no-cache"}
    whole, first = [], []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        client.post("/v1/understand", json={"text": TEXT, "store": False}, headers=fresh)
        whole.append(time.perf_counter() - started)
        started = time.perf_counter()
        with client.stream("POST", PATH, json={"text": TEXT, "store": False}, headers=fresh) as response:
            next(events(response.iter_lines()))
            first.append(time.perf_counter() - started)
    assert statistics.median(first) <= statistics.median(whole) + SLOWER_AT_MOST_S
