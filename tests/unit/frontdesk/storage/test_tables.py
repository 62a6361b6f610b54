"""Times keep their instant, and every table has a tenant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Table, create_engine, select, text
from sqlalchemy.exc import StatementError

from frontdesk.storage.tables import metadata, model_performance

zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1970, 1, 2), datetime(2999, 1, 1), timezones=zones)


def stored(connection: Connection, moment: datetime) -> datetime | None:
    connection.execute(
        model_performance.insert(),
        {
            "id": "1",
            "tenant": "acme",
            "model_name": "ensemble",
            "model_version": "1",
            "metric_name": "accuracy",
            "metric_value": 0.9,
            "evaluation_date": moment,
        },
    )
    return connection.scalar(select(model_performance.c.evaluation_date))


@pytest.fixture(scope="module")
def connection() -> Connection:
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    return engine.connect()


@given(moment=moments)
def test_a_time_of_any_zone_is_returned_as_the_same_instant_in_utc(connection: Connection, moment: datetime) -> None:
    with connection.begin() as transaction:
        back = stored(connection, moment)
        transaction.rollback()
    assert back == moment
    assert back.tzinfo is UTC


def test_a_time_is_written_in_utc_so_that_its_text_sorts_by_time(connection: Connection) -> None:
    with connection.begin() as transaction:
        stored(connection, datetime(2026, 6, 1, 1, 0, tzinfo=timezone(timedelta(hours=2))))
        stored_text = connection.scalar(text("SELECT evaluation_date FROM model_performance"))
        transaction.rollback()
    assert stored_text == "2026-05-31 23:00:00.000000"


def test_a_time_without_a_zone_is_refused(connection: Connection) -> None:
    with connection.begin() as transaction:
        with pytest.raises(StatementError, match="without a time zone"):
            stored(connection, datetime(2026, 6, 1))
        transaction.rollback()


OF_ALL_TENANTS = (
    "audit_checkpoints",
    "spools",
    "retention_runs",
)  # a signature over all chains; reports of hosts; runs for all tenants


@pytest.mark.parametrize(
    "table",
    [table for table in metadata.sorted_tables if table.name not in OF_ALL_TENANTS],
    ids=lambda table: table.name,
)
def test_every_row_has_a_tenant_and_every_index_begins_with_it(table: Table) -> None:
    assert not table.c.tenant.nullable
    assert table.indexes
    assert {index.columns[0].name for index in table.indexes} == {"tenant"}


def test_the_tables_are_those_of_the_design() -> None:
    required = {"queries", "customer_history", "model_performance", "feedback"}
    assert set(metadata.tables) == required | {
        "audit_checkpoints",
        "audit_log",
        "daily_counts",
        "erasures",
        "idempotency",
        "outbox",
        "retention_runs",
        "revoked_tokens",
        "spools",
    }
