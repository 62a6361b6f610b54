"""Statements of the outbox on both databases: order for each customer, and access to dead letters by tenant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from frontdesk.storage.database import begin_reading, migrate, open_database
from frontdesk.storage.events import Event, answered_event, erased_event, outbox_rows
from frontdesk.storage.sql import outbox
from tests.support.records import CREATED_AT, record

LATER = CREATED_AT + timedelta(minutes=5)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    migrate(database_url)
    engine = open_database(database_url)
    yield engine
    engine.dispose()


def put(engine: Engine, *events: Event, sinks: tuple[str, ...] = ("file",)) -> None:
    with engine.begin() as connection:
        outbox.insert_outbox(connection, [row for event in events for row in outbox_rows(event, sinks)])


def events_of(customer: str | None, *ids: str, tenant: str = "acme") -> list[Event]:
    return [answered_event(record(query_id=each, customer_id=customer, tenant=tenant)) for each in ids]


def due(engine: Engine, sink: str = "file", limit: int = 100) -> list[str]:
    with begin_reading(engine) as connection:
        return [one.event.event_id for one in outbox.due_events(connection, sink, CREATED_AT, limit)]


def refuse(engine: Engine, event_id: str, *, give_up: bool = False) -> None:
    with engine.begin() as connection:
        outbox.postpone(connection, "file", event_id, attempts=3, until=LATER, give_up=give_up, error="TimeoutError")


def test_events_are_returned_in_order(engine: Engine) -> None:
    one, two = events_of("ada", "2", "1")
    put(engine, one, two)
    with begin_reading(engine) as connection:
        assert [one.event for one in outbox.due_events(connection, "file", CREATED_AT, 100)] == [two, one]
    assert due(engine, limit=1) == ["1"]
    assert due(engine, sink="features") == []


def test_a_refused_event_holds_back_only_later_ones_of_its_customer_in_its_sink(engine: Engine) -> None:
    put(engine, *events_of("ada", "1", "2", "4"), *events_of("bob", "3"), sinks=("file", "features"))
    put(engine, *events_of("ada", "5", tenant="other"), *events_of(None, "6", "7"))
    refuse(engine, "2")
    refuse(engine, "6")
    assert due(engine) == ["1", "3", "5", "7"]
    assert due(engine, sink="features") == ["1", "2", "3", "4"]


def test_a_dead_letter_holds_back_no_event_and_only_its_tenant_sees_it(engine: Engine) -> None:
    put(engine, *events_of("ada", "1", "2"))
    refuse(engine, "1", give_up=True)
    assert due(engine) == ["2"]
    with begin_reading(engine) as connection:
        assert outbox.dead_letters(connection, "other", 10) == []
        (letter,) = outbox.dead_letters(connection, "acme", 10)
    assert (letter.event_id, letter.attempts, letter.last_error) == ("1", 3, "TimeoutError")


def test_a_dead_letter_is_retried_or_dropped_only_by_its_tenant(engine: Engine) -> None:
    put(engine, *events_of("ada", "1", "2", "3"))
    refuse(engine, "1", give_up=True)
    refuse(engine, "2", give_up=True)
    with engine.begin() as connection:
        assert not outbox.retry_dead_letter(connection, "other", "file", "1", CREATED_AT)
        assert not outbox.delete_dead_letter(connection, "other", "file", "2")
        assert not outbox.delete_dead_letter(connection, "acme", "file", "3")  # not dead
        assert outbox.retry_dead_letter(connection, "acme", "file", "1", CREATED_AT)
        assert outbox.delete_dead_letter(connection, "acme", "file", "2")
    assert due(engine) == ["1", "3"]


def test_lag_has_waiting_and_dead_events_and_the_oldest_time(engine: Engine) -> None:
    put(engine, *events_of("ada", "1", "2"), sinks=("file", "features"))
    put(engine, *events_of("ada", "3", tenant="other"))
    refuse(engine, "1", give_up=True)
    with begin_reading(engine) as connection:
        assert outbox.list_sink_backlogs(connection) == [
            outbox.SinkBacklog("features", 2, 0, CREATED_AT),
            outbox.SinkBacklog("file", 2, 1, CREATED_AT),
        ]
        assert outbox.list_sink_backlogs(connection, "other") == [outbox.SinkBacklog("file", 1, 0, CREATED_AT)]


def test_a_delivered_event_is_deleted_for_its_sink(engine: Engine) -> None:
    put(engine, *events_of("ada", "1", "2"), sinks=("file", "features"))
    with engine.begin() as connection:
        outbox.delete_delivered(connection, "file", ["1", "2"])
    assert due(engine) == []
    assert due(engine, sink="features") == ["1", "2"]


def test_only_the_erasure_event_of_an_erased_customer_stays(engine: Engine) -> None:
    put(engine, *events_of("ada", "1"), *events_of("bob", "2"), erased_event("3", "acme", "ada", CREATED_AT))
    with engine.begin() as connection:
        outbox.delete_customer_events(connection, "acme", "ada")
    assert due(engine) == ["2", "3"]
