"""Rows that leave a spool after their customer was erased, or after their day was counted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, select

from frontdesk.deadline import Deadline
from frontdesk.storage.database import begin_reading, migrate, open_database
from frontdesk.storage.reads.query_history import QueryHistory
from frontdesk.storage.record_rows import RecordRows, RowBuilder
from frontdesk.storage.spool.replay import anonymise_replayed
from frontdesk.storage.sql.records import insert_rows
from frontdesk.storage.tables import customer_history, outbox, queries
from tests.support.records import CREATED_AT, MASKED_TEXT, record
from tests.support.worker_storage import SEAL, fingerprint


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    migrate(database_url)
    engine = open_database(database_url)
    yield engine
    engine.dispose()


def rows(**fields: object) -> RecordRows:
    return RowBuilder(SEAL, ("file",)).rows(record(**fields))


def arrive(engine: Engine, *late: RecordRows) -> None:
    with engine.begin() as connection:
        insert_rows(connection, anonymise_replayed(connection, late, fingerprint))


async def test_a_row_of_an_erased_customer_is_anonymised_and_another_is_not(engine: Engine) -> None:
    await QueryHistory(engine, (), fingerprint).erase("acme", "customer-7", Deadline.after(10))
    theirs, others, elsewhere = rows(), rows(customer_id="customer-8"), rows(tenant="other")
    arrive(engine, theirs, others, elsewhere)
    with begin_reading(engine) as connection:
        results = {row.id: row for row in connection.execute(select(queries))}
        history = {row.id: row.customer_id for row in connection.execute(select(customer_history))}
        message = {row.event_id for row in connection.execute(select(outbox))}
    assert (results[theirs.id].query_text, results[theirs.id].answer, results[theirs.id].customer_id) == ("", "", None)
    assert (results[theirs.id].query_sealed, results[theirs.id].intent) == (None, "track_order")
    assert results[others.id].query_text == results[elsewhere.id].query_text == MASKED_TEXT
    assert history == {theirs.id: "", others.id: "customer-8", elsewhere.id: "customer-7"}
    assert message == {others.id, elsewhere.id}


async def test_a_customer_who_writes_again_after_an_erasure_is_kept(engine: Engine) -> None:
    await QueryHistory(engine, (), fingerprint).erase("acme", "customer-7", Deadline.after(10))
    later = rows(created_at=datetime(2999, 1, 1, tzinfo=UTC))
    arrive(engine, later)
    with begin_reading(engine) as connection:
        assert connection.scalars(select(queries.c.query_text)).all() == [MASKED_TEXT]
    assert later.inserts["queries"][0]["created_at"] > CREATED_AT
