"""Customer features in Redis: as defined, counted once however often an event arrives, and never blocking a request."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import redis as redis_library
from hypothesis import HealthCheck, given, settings
from sqlalchemy import Engine, delete, insert

from frontdesk.deadline import Deadline
from frontdesk.features.customer_history import EMPTY_HISTORY, CustomerContact, history_before
from frontdesk.identifiers import uuid7
from frontdesk.storage.database import begin_reading, migrate, open_database
from frontdesk.storage.erasure.eraser import Eraser
from frontdesk.storage.erasure_subjects import ErasureSubject, SubjectKind
from frontdesk.storage.events import (
    ErasedQuery,
    Event,
    answered_event,
    erased_event,
    feedback_event,
    queries_erased_event,
)
from frontdesk.storage.outbox.features_sink import FeaturesSink, rebuild_features
from frontdesk.storage.outbox.sinks import SinkUnavailable
from frontdesk.storage.redis.customer_history import RedisCustomerHistory
from frontdesk.storage.redis.optional_redis import OptionalRedis
from frontdesk.storage.sql.records import insert_rows
from frontdesk.storage.tables import customer_history, feedback, queries
from tests.support.customer_facts import CUSTOMERS, NOW, TENANTS, Fact, as_feedback, as_record, facts, moments, of
from tests.support.records import record, rows
from tests.support.redis_server import RedisServer
from tests.support.worker_storage import fingerprint

SEVERAL_EXAMPLES_SHARE_A_SERVER = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25
)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    migrate(database_url)
    engine = open_database(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
async def customers(redis_server: RedisServer) -> AsyncIterator[RedisCustomerHistory]:
    redis = OptionalRedis(redis_server.url, timeout_s=5.0)
    yield RedisCustomerHistory(redis)
    await redis.close()


def told(fact: Fact) -> Event:
    if isinstance(fact.fact, CustomerContact):
        return answered_event(as_record(fact))
    return feedback_event(as_feedback(fact))


async def histories(server: RedisServer, at: datetime) -> dict[tuple[str, str], object]:
    redis = OptionalRedis(server.url, timeout_s=5.0)
    customers = RedisCustomerHistory(redis)
    results = {tenant: await customers.load_histories(tenant, CUSTOMERS, at) for tenant in TENANTS}
    await redis.close()
    assert None not in results.values()
    return {(tenant, customer): history for tenant, each in results.items() for customer, history in each.items()}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@SEVERAL_EXAMPLES_SHARE_A_SERVER
@given(everything=facts(), at=moments)
async def test_duplicate_events_in_any_order_give_the_defined_features(
    engine: Engine, redis_server: RedisServer, everything: list[Fact], at: datetime
) -> None:
    redis_server.flush()
    sink = FeaturesSink(redis_server.url, engine)
    sink.deliver([told(each) for each in everything])
    sink.deliver([told(each) for each in reversed(everything)])
    expected = {(t, c): history_before(*of(everything, t, c), at) for t in TENANTS for c in CUSTOMERS}
    assert await histories(redis_server, at) == expected


@SEVERAL_EXAMPLES_SHARE_A_SERVER
@given(everything=facts(), at=moments)
async def test_features_rebuilt_from_the_database_are_the_same(
    engine: Engine, redis_server: RedisServer, everything: list[Fact], at: datetime
) -> None:
    with engine.begin() as connection:
        for table in (queries, customer_history, feedback):
            connection.execute(delete(table))
        for each in everything:
            if isinstance(each.fact, CustomerContact):
                insert_rows(connection, rows(as_record(each)))
            else:
                connection.execute(insert(feedback), as_feedback(each))
    with begin_reading(engine) as connection, redis_library.Redis.from_url(redis_server.url) as client:
        rebuild_features(client, connection)
    expected = {(t, c): history_before(*of(everything, t, c), at) for t in TENANTS for c in CUSTOMERS}
    assert await histories(redis_server, at) == expected


async def test_a_redis_without_its_data_returns_nothing_until_it_is_rebuilt(
    engine: Engine, redis_server: RedisServer, customers: RedisCustomerHistory
) -> None:
    with engine.begin() as connection:
        insert_rows(connection, rows(record(customer_id="ada")))
    later = NOW + timedelta(seconds=1)
    assert await customers.load_histories("acme", ["ada"], later) is None
    FeaturesSink(redis_server.url, engine).deliver([answered_event(record(customer_id="bob"))])
    reference = await customers.load_histories("acme", ["ada", "bob", "eve"], later)
    assert reference is not None
    assert {name: history.contacts_30d for name, history in reference.items()} == {"ada": 1, "bob": 1, "eve": 0}
    assert reference["eve"] == EMPTY_HISTORY


async def test_a_rating_that_was_replaced_does_not_count(
    engine: Engine, redis_server: RedisServer, customers: RedisCustomerHistory
) -> None:
    earlier = {"id": uuid7(), "created_at": NOW, "satisfaction": 1}
    labels = dict.fromkeys(("intent", "sentiment", "priority", "reply"))
    load_histories = {"tenant": "acme", "customer_id": "ada", "query_id": uuid7(), **labels}
    later = {"id": uuid7(), "created_at": NOW + timedelta(hours=1), "satisfaction": 5}
    sink = FeaturesSink(redis_server.url, engine)
    sink.deliver(
        [feedback_event({**load_histories, **earlier}), feedback_event({**load_histories, **later}, [earlier])]
    )
    reference = await customers.load_histories("acme", ["ada"], NOW + timedelta(days=1))
    assert reference is not None
    assert reference["ada"].mean_satisfaction == 5


async def test_of_an_erased_customer_nothing_is_left(
    engine: Engine, redis_server: RedisServer, customers: RedisCustomerHistory
) -> None:
    sink = FeaturesSink(redis_server.url, engine)
    sink.deliver([answered_event(record(customer_id="ada")), erased_event(uuid7(), "acme", "ada", NOW)])
    assert await customers.load_histories("acme", ["ada"], NOW + timedelta(days=1)) == {"ada": EMPTY_HISTORY}
    with redis_library.Redis.from_url(redis_server.url) as client:
        assert not [key for key in client.scan_iter() if b"ada" in key]


async def test_an_erased_query_leaves_its_customer_the_others(
    engine: Engine, redis_server: RedisServer, customers: RedisCustomerHistory
) -> None:
    gone, stays = record(customer_id="ada"), record(customer_id="ada")
    with engine.begin() as connection:
        insert_rows(connection, rows(gone, stays))
    sink = FeaturesSink(redis_server.url, engine)
    sink.deliver([answered_event(gone), answered_event(stays)])
    subject = ErasureSubject(SubjectKind.QUERY, "acme", gone.answer.query_id)
    await Eraser(engine, (), fingerprint).erase(subject, Deadline.after(20))
    query = ErasedQuery(gone.answer.query_id, "ada")
    sink.deliver([queries_erased_event(uuid7(), "acme", "ada", [query], NOW)])
    reference = await customers.load_histories("acme", ["ada"], NOW + timedelta(seconds=1))
    assert reference is not None
    assert reference["ada"].contacts_30d == 1
    with redis_library.Redis.from_url(redis_server.url) as client:
        members = b"".join(client.zrange("frontdesk:customers:acme:ada:contacts", 0, -1))
    assert (gone.answer.query_id.encode() in members, stays.answer.query_id.encode() in members) == (False, True)


async def test_an_unavailable_redis_is_an_unavailable_sink(engine: Engine, redis_server: RedisServer) -> None:
    redis_server.kill()
    try:
        with pytest.raises(SinkUnavailable):
            FeaturesSink(redis_server.url, engine).deliver([answered_event(record())])
    finally:
        redis_server.start()


async def test_a_frozen_redis_costs_a_few_requests_their_wait_and_the_rest_nothing(redis_server: RedisServer) -> None:
    if not redis_server.is_real:
        pytest.skip("fakeredis cannot be frozen")
    redis = OptionalRedis(redis_server.url, timeout_s=0.01)
    customers = RedisCustomerHistory(redis)
    await customers.load_histories("acme", ["ada"], datetime.now(UTC))
    redis_server.stop()
    try:
        waits = []
        for _ in range(50):
            began = time.monotonic()
            assert await customers.load_histories("acme", ["ada"], NOW) is None
            waits.append(time.monotonic() - began)
    finally:
        redis_server.cont()
    assert sum(wait > 0.008 for wait in waits) <= 4
    assert sorted(waits)[-1] < 0.1  # 0.01 and what a busy machine adds
    await redis.close()
