"""A customer whose data was stored through every route is erased: no raw bytes of it remain in any store.

`PLANTS` lists the ways to store data. Code that stores something new needs an entry there and a place to search.
"""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import shutil
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import grpc
import httpx2
import psycopg2
import pytest

from bentos.grpc import frontdesk_pb2 as pb
from bentos.grpc.frontdesk_pb2_grpc import FrontdeskServiceStub
from model_store.bundle import Bundle
from tests.e2e.test_planted_values import PATIENCE_S, everything_in, files_of, found_in, recording_model
from tests.support.faulty_llm import FaultyServer
from tests.support.postgresql import PostgreSql
from tests.support.serving import Server, home_with

CUSTOMER = "zqxcust/ömer 17"
SESSION = "zqxsession ünter 23"
NAME = "Zorblaxine Quintavelle"
OTHER = "zqother-customer-4"
OTHER_WORDS = "zqotherwords"
REFUSED_WORDS = "zqrefusedwords"
SLOW_AFTER_S = 0.8
ERASED_TYPE = "customer.erased"


@dataclass
class Planting:
    """A running server and the texts stored so far. Each text has a unique word, so a leak identifies its route."""

    server: Server
    client: httpx2.Client
    stub: FrontdeskServiceStub
    model: FaultyServer
    words: dict[str, str] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def body(self, way: str, *, mark: str = "zqwords", **more: Any) -> dict[str, Any]:
        number = next(self.numbers)
        word = f"{mark}{''.join(chr(97 + int(digit)) for digit in f'{number:04d}')}"
        self.words[word] = way
        text = f"Where is my parcel? It should have come on Monday, {word} says {NAME} of Hamburg."
        return {"text": text, "customer_id": CUSTOMER, "session_id": SESSION, **more}

    def post(self, path: str, way: str, *, key: str | None = None, mark: str = "zqwords", **more: Any) -> Any:
        headers = {} if key is None else {"idempotency-key": key}
        response = self.client.post(path, json=self.body(way, mark=mark, **more), headers=headers)
        assert response.status_code == 200, (way, response.text)
        return response

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self.server.token()}"),)

    def query(self, way: str, **more: Any) -> pb.Query:
        return pb.Query(**self.body(way, **more))


def plant_http(planting: Planting) -> None:
    """Store through every route that takes a text, with and without `store` and an Idempotency-Key."""
    routes = ("/v1/understand", "/v1/queries", "/v1/queries/stream", "/understand", "/answer")
    for path, store, keyed in itertools.product(routes, (True, False), (True, False)):
        way = f"{path} store={store} key={keyed}"
        key = f"key-{path}-{store}" if keyed else None
        planting.post(path, way, key=key, store=store)
    for store in (True, False):
        queries = [planting.body(f"batch store={store}", store=store) for _ in range(2)]
        response = planting.client.post("/v1/understand/batch", json={"queries": queries})
        assert response.status_code == 200


def plant_grpc(planting: Planting) -> None:
    stub = planting.stub
    for call, store, keyed in itertools.product((stub.Understand, stub.Answer), (True, False), (True, False)):
        metadata = planting.metadata + ((("idempotency-key", f"grpc-{id(call)}-{store}"),) if keyed else ())
        call(planting.query(f"grpc store={store} key={keyed}", store=store), metadata=metadata, timeout=PATIENCE_S)
    list(stub.AnswerStream(planting.query("grpc stream"), metadata=planting.metadata, timeout=PATIENCE_S))
    stub.UnderstandBatch(pb.BatchRequest(queries=[planting.query("grpc batch")]), metadata=planting.metadata)


def plant_feedback(planting: Planting) -> None:
    for key in (None, "feedback-key"):
        query_id = planting.post("/v1/queries", "feedback").json()["query_id"]
        headers = {} if key is None else {"idempotency-key": key}
        feedback = {"satisfaction": 2, "intent": "get_refund", "reply": "edited"}
        response = planting.client.post(f"/v1/queries/{query_id}/feedback", json=feedback, headers=headers)
        assert response.status_code == 200, response.text


def plant_spool(planting: Planting, block: Callable[[], Any]) -> None:
    """Store rows and keys while the database is unavailable; the database refuses some of them later."""
    with block():
        for mark, store, keyed in itertools.product(("zqwords", REFUSED_WORDS), (True, False), (True, False)):
            key = f"spooled-{next(planting.numbers)}" if keyed else None
            planting.post("/v1/queries", f"spool {mark} store={store} key={keyed}", key=key, mark=mark, store=store)


PLANTS: tuple[Callable[[Planting], None], ...] = (plant_http, plant_grpc, plant_feedback)


@contextmanager
def slow_requests(planting: Planting) -> Iterator[None]:
    """Requests that begin before the block and are answered after it."""
    planting.model.mode = "late"

    def streamed() -> None:
        list(planting.stub.AnswerStream(planting.query("slow grpc"), metadata=planting.metadata, timeout=PATIENCE_S))

    requests: list[Callable[[], Any]] = [
        lambda: planting.post("/v1/queries", "slow stored"),
        lambda: planting.post("/v1/queries", "slow stored, key", key="slow-1"),
        lambda: planting.post("/v1/queries", "slow not stored, key", key="slow-2", store=False),
        lambda: planting.post("/v1/queries/stream", "slow stream"),
        streamed,
    ]
    failed: list[BaseException] = []

    def run(request: Callable[[], Any]) -> None:
        try:
            request()
        except BaseException as error:  # noqa: BLE001 - asserted in the test's thread
            failed.append(error)

    calls = planting.model.calls
    threads = [threading.Thread(target=run, args=(request,)) for request in requests]
    for thread in threads:
        thread.start()
    wait_until(lambda: planting.model.calls > calls, "the language model is called")
    time.sleep(SLOW_AFTER_S)
    yield
    assert any(thread.is_alive() for thread in threads), "the requests were not slow"
    for thread in threads:
        thread.join(PATIENCE_S)
    planting.model.mode = "good"
    assert failed == []


@contextmanager
def drain_held(home: Path) -> Iterator[None]:
    """Keep rows in the spool, as if another host drained slowly."""
    lock = os.open(home / "spool.drain.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def wait_until(condition: Callable[[], bool], description: str) -> None:
    give_up = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < give_up, f"timed out waiting until {description}"
        time.sleep(0.05)


@dataclass
class Place:
    """The database of a server: its settings, and functions to block it, make it refuse rows, and dump it."""

    settings: dict[str, object]
    block: Callable[[], Any]
    refuse: Callable[[], None]
    dump: Callable[[], bytes]


def on_sqlite(home: Path) -> Place:
    file = home / "frontdesk.db"

    @contextmanager
    def block() -> Iterator[None]:
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")

    def refuse() -> None:
        with closing(sqlite3.connect(file, isolation_level=None, timeout=10.0)) as connection:
            connection.execute(
                "CREATE TRIGGER refuse BEFORE INSERT ON queries "
                f"WHEN NEW.query_text LIKE '%{REFUSED_WORDS}%' BEGIN SELECT RAISE(ABORT, 'refused'); END"
            )

    return Place({}, block, refuse, lambda: b"")


def on_postgresql(server: PostgreSql, url: str) -> Place:
    plain = url.replace("+psycopg2", "")

    @contextmanager
    def block() -> Iterator[None]:
        with closing(psycopg2.connect(plain)) as connection:
            connection.cursor().execute("LOCK TABLE queries, idempotency IN ACCESS EXCLUSIVE MODE")
            yield
            connection.rollback()

    def refuse() -> None:
        with closing(psycopg2.connect(plain)) as connection:
            connection.cursor().execute(
                f"ALTER TABLE queries ADD CONSTRAINT refuse CHECK (query_text NOT LIKE '%{REFUSED_WORDS}%')"
            )
            connection.commit()

    def dump() -> bytes:
        installed = server._binaries / "pg_dump"
        program = installed if installed.exists() else shutil.which("pg_dump")
        assert program, "pg_dump is not on this machine, although PostgreSQL is"
        return subprocess.run([program, "--inserts", plain], capture_output=True, check=True).stdout

    return Place({"storage__url": url}, block, refuse, dump)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_nothing_of_an_erased_customer_is_found_anywhere(
    kind: str, tiny_bundle: Bundle, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    home = home_with(tiny_bundle, tmp_path / "home")
    redis_url = None
    if kind == "sqlite":
        place = on_sqlite(home)
    else:
        place = on_postgresql(request.getfixturevalue("postgresql"), request.getfixturevalue("postgresql_url"))
        redis_url = request.getfixturevalue("redis_server").url
    settings: dict[str, object] = {
        "responses__provider": "openai",
        "llm__model": "recorded",
        "llm__slow_first_token_s": 9.0,
        "llm__first_token_timeout_s": 9.0,
        "llm__stall_timeout_s": 9.0,
        "llm__concurrency": 16,
        "outbox__sinks": ["file"],
        "outbox__max_attempts": 2,
        "storage__commit_budget_s": 0.3,
        **place.settings,
    }
    if redis_url is not None:
        settings |= {"redis__url": redis_url, "redis__timeout_s": 1.0}
    workers = 2 if kind == "sqlite" else 1
    with ExitStack() as stack:
        model = stack.enter_context(recording_model())
        server = stack.enter_context(Server(home, workers=workers, llm__base_url=model.base_url, **settings))
        client = stack.enter_context(server.client())
        channel = stack.enter_context(grpc.insecure_channel(server.grpc_address))
        planting = Planting(server, client, FrontdeskServiceStub(channel), model)

        def look() -> dict[str, bytes]:
            contents = files_of(home) | {"pg_dump": place.dump()}
            return contents | ({"Redis": everything_in(redis_url)} if redis_url else {})

        other = {"text": f"Where is my parcel? {OTHER_WORDS} It should have come.", "customer_id": OTHER}
        assert client.post("/v1/queries", json=other).status_code == 200
        for plant in PLANTS:
            plant(planting)
        place.refuse()
        plant_spool(planting, place.block)
        wait_until(lambda: (client.get("/readyz").json()["spool_waiting"]) == 0, "the spool is empty")
        assert client.get("/readyz").json()["spool_refused"] == 2
        wait_until(lambda: OTHER_WORDS.encode() in events(home), "events are delivered")
        with drain_held(home):
            plant_spool(planting, place.block)
            assert client.get("/readyz").json()["spool_waiting"] > 0
            contents = look()
            planted = {way for _, way in found_words(contents, planting)}
            assert planted >= {way for way in planting.words.values() if "store=False" not in way}, "planting failed"
            with slow_requests(planting):
                receipt = client.delete(f"/v1/customers/{quote(CUSTOMER, safe='')}")
                assert receipt.status_code == 200, receipt.text
        removed = receipt.json()["removed"]
        may_be_empty = {"outbox", *(("replies",) if workers > 1 else ())}  # depend on timing and on the worker
        assert [name for name, count in removed.items() if count == 0 and name not in may_be_empty] == [], removed
        assert {"place": "outbox", "name": "file", "rows": 1, "seen_at": None} in receipt.json()["waiting"]
        wait_until(lambda: client.get("/readyz").json()["spool_waiting"] == 0, "the spool is empty again")
        wait_until(lambda: ERASED_TYPE.encode() in events(home), "the erasure event is delivered")
        wait_until(lambda: not client.get("/v1/admin/outbox").json()["sinks"], "the outbox is empty")
        wait_until(lambda: not found_words(look(), planting), "every worker has followed the erasure")
        running = look()
        assert [way for _, way in found_words(running, planting)] == []
        assert found_in(without_erasures(running), {CUSTOMER, SESSION, NAME}) == set()
        assert found_in({"events": events(home)}, {CUSTOMER}), "the erasure names whom other systems must erase"
        for number in range(3):
            assert client.post("/v1/queries", json={**other, "text": f"{other['text']} {number}"}).status_code == 200
            wait_until(lambda: not client.get("/v1/admin/outbox").json()["sinks"], "the outbox is empty")
        assert found_in(look(), {CUSTOMER, SESSION, NAME}) == set()
        assert OTHER_WORDS.encode() in events(home)
        replayed = client.post("/v1/queries", json=other, headers={"idempotency-key": "key-/v1/queries-False"})
        assert "idempotency-replayed" not in replayed.headers
    assert found_in(files_of(home), {CUSTOMER, SESSION, NAME, *planting.words}) == set()


def events(home: Path) -> bytes:
    file = home / "events.jsonl"
    return file.read_bytes() if file.exists() else b""


def found_words(places: dict[str, bytes], planting: Planting) -> set[tuple[str, str]]:
    return {(place, planting.words[word]) for place, word in found_in(places, set(planting.words))}


def without_erasures(places: dict[str, bytes]) -> dict[str, bytes]:
    """The contents without the lines of the file of events that report the erasure itself."""
    lines = places["events.jsonl"].splitlines(keepends=True)
    erasures = [line for line in lines if json.loads(line)["type"] == ERASED_TYPE]
    assert erasures
    return {**places, "events.jsonl": b"".join(line for line in lines if line not in erasures)}
