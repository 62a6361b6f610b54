"""Customer histories from real servers: as defined, and without blocking a request."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import Engine, delete, event, insert
from sqlalchemy.exc import OperationalError

from frontdesk.circuit_breaker import BreakerLimits
from frontdesk.features.customer_history import EMPTY_HISTORY, CustomerHistory, history_before
from frontdesk.storage.database import begin_reading, migrate, open_database
from frontdesk.storage.reads import sql_customer_history
from frontdesk.storage.reads.sql_customer_history import SqlCustomerHistory
from frontdesk.storage.sql.contacts_and_ratings import all_contacts, all_ratings, history_as_of
from frontdesk.storage.sql.records import insert_rows
from frontdesk.storage.tables import customer_history, feedback, queries
from tests.support.customer_facts import (
    CUSTOMERS,
    NOW,
    TENANTS,
    AnswerRating,
    Fact,
    as_feedback,
    as_record,
    facts,
    moments,
    of,
)
from tests.support.postgresql import PostgreSql
from tests.support.records import record, rows

SEVERAL_EXAMPLES_SHARE_A_DATABASE = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40
)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    migrate(database_url)
    engine = open_database(database_url)
    yield engine
    engine.dispose()


def store(engine: Engine, everything: list[Fact]) -> None:
    """Exactly this is in the tables."""
    with engine.begin() as connection:
        for table in (queries, customer_history, feedback):
            connection.execute(delete(table))
        for each in everything:
            if isinstance(each.fact, AnswerRating):
                connection.execute(insert(feedback), as_feedback(each))
            else:
                insert_rows(connection, rows(as_record(each)))


@SEVERAL_EXAMPLES_SHARE_A_DATABASE
@given(everything=facts(), at=moments)
def test_the_database_gives_the_defined_features(engine: Engine, everything: list[Fact], at: datetime) -> None:
    store(engine, everything)
    with begin_reading(engine) as connection:
        for tenant in TENANTS:
            for customer in CUSTOMERS:
                expected = history_before(*of(everything, tenant, customer), at)
                assert history_as_of(connection, tenant, customer, at) == expected


@SEVERAL_EXAMPLES_SHARE_A_DATABASE
@given(everything=facts())
def test_all_rows_are_ordered_by_customer_and_time(engine: Engine, everything: list[Fact]) -> None:
    store(engine, everything)
    with begin_reading(engine) as connection:
        contacts, ratings = list(all_contacts(connection)), list(all_ratings(connection))
    expected = sorted((each.tenant, each.customer_id, each.fact.at, each.fact.id) for each in everything)
    message = [(each.tenant, each.customer_id, each.contact) for each in contacts]
    message += [(each.tenant, each.customer_id, each.rating) for each in ratings]
    assert [(*owner, fact.at, fact.id) for *owner, fact in message[: len(contacts)]] == [
        each for each in expected if each[3] in {one.contact.id for one in contacts}
    ]
    assert sorted((*owner, fact.at, fact.id) for *owner, fact in message) == expected
    assert all(each.received_at <= each.contact.at for each in contacts)


async def test_histories_of_several_customers_are_loaded_together(engine: Engine) -> None:
    with engine.begin() as connection:
        insert_rows(connection, rows(*(record(customer_id=each) for each in ("ada", "ada", "bob"))))
    customers = SqlCustomerHistory(engine, timeout_s=5.0)
    message = await customers.load_histories("acme", {"ada", "bob", "eve"}, NOW + timedelta(seconds=1))
    customers.close()
    assert message is not None
    assert {customer: history.contacts_1d for customer, history in message.items()} == {"ada": 2, "bob": 1, "eve": 0}
    assert message["eve"] == EMPTY_HISTORY


async def test_a_frozen_postgresql_costs_a_few_requests_their_wait_and_the_rest_nothing(
    postgresql: PostgreSql, postgresql_url: str
) -> None:
    migrate(postgresql_url)
    engine = open_database(postgresql_url)
    customers = SqlCustomerHistory(engine, timeout_s=0.1)
    assert await customers.load_histories("acme", {"ada"}, NOW) == {"ada": EMPTY_HISTORY}
    postgresql.stop()
    try:
        waits = []
        for _ in range(20):
            began = time.monotonic()
            assert await customers.load_histories("acme", {"ada"}, NOW) is None
            waits.append(time.monotonic() - began)
    finally:
        postgresql.cont()
    assert max(waits) < 0.2
    assert sum(wait > 0.05 for wait in waits) == 3
    customers.close()
    engine.dispose()


async def test_a_cancelled_read_lets_the_next_one_probe(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_customer_history, "OPTIONAL_DEPENDENCY", BreakerLimits.consecutive(1, open_s=0.0))
    customers = SqlCustomerHistory(engine, timeout_s=5.0)
    with monkeypatch.context() as patch:
        patch.setattr(SqlCustomerHistory, "_read", raise_operational_error)
        assert await customers.load_histories("acme", {"ada"}, NOW) is None
    probe = asyncio.create_task(customers.load_histories("acme", {"ada"}, NOW))
    await asyncio.sleep(0)
    assert await customers.load_histories("acme", {"ada"}, NOW) is None, "one probe at a time"
    probe.cancel()
    await asyncio.gather(probe, return_exceptions=True)
    assert await customers.load_histories("acme", {"ada"}, NOW) == {"ada": EMPTY_HISTORY}
    customers.close()


def raise_operational_error(*_: object) -> dict[str, CustomerHistory]:
    raise OperationalError("SELECT", None, Exception("no connection"))


async def test_a_killed_postgresql_is_queried_again_when_it_is_back(
    postgresql: PostgreSql, postgresql_url: str
) -> None:
    migrate(postgresql_url)
    engine = open_database(postgresql_url)
    customers = SqlCustomerHistory(engine, timeout_s=5.0)
    assert await customers.load_histories("acme", {"ada"}, NOW) == {"ada": EMPTY_HISTORY}
    postgresql.kill()
    assert await customers.load_histories("acme", {"ada"}, NOW) is None
    postgresql.start()
    assert await customers.load_histories("acme", {"ada"}, NOW) == {"ada": EMPTY_HISTORY}
    customers.close()
    engine.dispose()


def test_a_history_scans_only_the_customers_own_rows(tmp_path: Path) -> None:
    """SQLite must not scan the tenant's whole month, which it prefers if only that index has the requested order."""
    url = f"sqlite:///{tmp_path / 'frontdesk.db'}"
    migrate(url)
    engine = open_database(url)
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    with begin_reading(engine) as connection:
        history_as_of(connection, "acme", "ada", NOW)
        request = statements[-1]
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {request}", (0,) * request.count("?")).all()
    engine.dispose()
    steps = [step for *_, step in plan if step.startswith("SEARCH")]
    assert len(steps) == 3
    assert all("customer_id=?" in step for step in steps)
