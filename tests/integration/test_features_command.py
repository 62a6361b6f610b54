"""`frontdesk features` and `frontdesk explain --customer` over a record that holds something."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from sqlalchemy import Engine, insert

from cli.features import export_lines
from frontdesk.features.customer_history import history_before
from frontdesk.storage.database import begin_reading, migrate, open_database
from frontdesk.storage.sql.records import insert_rows
from frontdesk.storage.tables import feedback
from tests.support.command_line import invoke
from tests.support.customer_facts import NOW, AnswerRating, CustomerContact, Fact, as_feedback, as_record
from tests.support.records import record, rows
from tests.support.redis_server import RedisServer


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    migrate(database_url)
    engine = open_database(database_url)
    yield engine
    engine.dispose()


def test_each_query_is_exported_with_what_came_before_it_alone(engine: Engine) -> None:
    at = [NOW + timedelta(hours=hour) for hour in range(4)]
    contacts = [CustomerContact(f"{n}", each, "track_order", "negative", n == 1) for n, each in enumerate(at)]
    ratings = [AnswerRating("r", at[2] - timedelta(minutes=1), 2)]
    with engine.begin() as connection:
        insert_rows(connection, rows(*(as_record(Fact("acme", "ada", one)) for one in contacts)))
        connection.execute(insert(feedback), as_feedback(Fact("acme", "ada", ratings[0])))
    with begin_reading(engine) as connection:
        lines = [json.loads(line) for line in export_lines(connection)]
    assert [line["query_id"] for line in lines] == ["0", "1", "2", "3"]
    assert [line["contacts_30d"] for line in lines] == [0, 1, 2, 3]
    assert [line["escalations_30d"] for line in lines] == [0, 0, 1, 1]
    assert [line["mean_satisfaction"] for line in lines] == [None, None, 2.0, 2.0]
    for line in lines:
        received_at = datetime.fromisoformat(line["at"])
        assert line["tenure_days"] == history_before(contacts, ratings, received_at).tenure_days


def test_a_customer_is_shown_and_redis_is_filled_from_the_command_line(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    home = tmp_path / "home"
    url = f"sqlite:///{home / 'frontdesk.db'}"
    migrate(url)
    engine = open_database(url)
    with engine.begin() as connection:
        recent = datetime.now(UTC) - timedelta(hours=1)
        insert_rows(connection, rows(record(customer_id="ada", tenant="default", created_at=recent)))
    engine.dispose()
    output = invoke(home, "features", "show", "ada")
    assert json.loads(output.stdout)["contacts_7d_by_intent"] == {"track_order": 1}
    assert json.loads(invoke(home, "features", "show", "ada", "--at", "2020-01-01").stdout)["contacts_30d"] == 0
    filled = invoke(home, "features", "rebuild", redis__url=redis_server.url)
    assert (filled.returncode, filled.stdout) == (0, "1 customers\n")
    with redis.Redis.from_url(redis_server.url) as client:
        assert client.zcard("frontdesk:customers:default:ada:contacts") == 1
    assert "set redis.url" in invoke(home, "features", "rebuild").stderr.lower()
