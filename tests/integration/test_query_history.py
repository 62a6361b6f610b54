"""Pages, feedback and erasure on both databases, as the routes use them."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Table, func, select, text

from frontdesk.deadline import Deadline
from frontdesk.errors import DeadlineExceeded, StorageUnavailable
from frontdesk.storage.database import begin_reading, migrate, open_database
from frontdesk.storage.erasure_subjects import customer_hash
from frontdesk.storage.reads.query_history import QueryHistory
from frontdesk.storage.sql.erasure import is_customer_erased
from frontdesk.storage.sql.feedback import NewFeedback
from frontdesk.storage.sql.pagination import PagePosition, QueryFilters
from frontdesk.storage.sql.records import find_answer
from frontdesk.storage.tables import customer_history, feedback, idempotency, outbox, queries
from frontdesk.storage.transactions import read, write
from frontdesk.types import Caller
from tests.support.stored_rows import START, hours, insert_feedback, insert_queries, query_row

AGENT = Caller("acme", "agent-1", frozenset({"feedback"}))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    migrate(database_url)
    engine = open_database(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def query_history(engine: Engine) -> QueryHistory:
    return QueryHistory(engine, ("file",), lambda plain: f"hash of {len(plain)} bytes")


def soon() -> Deadline:
    return Deadline.after(20)


def rows(engine: Engine, table: Table) -> list[dict[str, Any]]:
    with begin_reading(engine) as connection:
        return [dict(row) for row in connection.execute(select(table)).mappings()]


async def ids(
    query_history: QueryHistory, filters: QueryFilters, *, limit: int = 200, tenant: str = "acme"
) -> list[str]:
    return [row["id"] for row in await query_history.queries(tenant, filters, None, limit, soon())]


class TestPages:
    @pytest.mark.parametrize("seed", range(3))
    async def test_every_row_is_on_exactly_one_page_while_others_are_added(
        self, query_history: QueryHistory, engine: Engine, seed: int
    ) -> None:
        chance = random.Random(seed)
        moments = [START + hours(chance.randrange(40)) for _ in range(150)]  # many at the same moment
        there = [query_row(created_at=moment) for moment in moments]
        insert_queries(engine, there)
        observed: list[PagePosition] = []
        after: PagePosition | None = None
        while page := await query_history.queries("acme", QueryFilters(), after, chance.choice((1, 7, 30)), soon()):
            observed += [PagePosition(row["created_at"], row["id"]) for row in page]
            after = observed[-1]
            insert_queries(
                engine,
                [query_row(created_at=START + hours(50)), query_row(created_at=moments[0]), query_row(tenant="other")],
            )
        assert observed == sorted(observed, reverse=True)
        assert len(set(observed)) == len(observed)
        assert {row["id"] for row in there} <= {position.id for position in observed}

    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("customer_id", "customer-9"),
            ("intent", "get_refund"),
            ("sentiment", "negative"),
            ("priority", "urgent"),
            ("priority", "o'ne; -- \\ 100% :not %(a)s"),
            ("decision", "escalate"),
            ("model_version", "v2"),
        ],
    )
    async def test_a_filter_finds_exactly_the_rows_with_its_value(
        self, query_history: QueryHistory, engine: Engine, column: str, value: str
    ) -> None:
        expected = query_row(**{column: value})
        insert_queries(engine, [query_row(), expected, query_row(), query_row(tenant="other", **{column: value})])
        assert await ids(query_history, QueryFilters(**{column: value})) == [expected["id"]]

    async def test_a_span_of_time_has_its_start_and_not_its_end(
        self, query_history: QueryHistory, engine: Engine
    ) -> None:
        there = [query_row(created_at=START + hours(hour)) for hour in range(4)]
        insert_queries(engine, there)
        results = await ids(query_history, QueryFilters(start=START + hours(1), end=START + hours(3)))
        assert results == [there[2]["id"], there[1]["id"]]

    async def test_a_tenant_sees_no_row_of_another(self, query_history: QueryHistory, engine: Engine) -> None:
        insert_queries(engine, [query_row()], with_history=True)
        assert await ids(query_history, QueryFilters(), tenant="other") == []
        assert await query_history.interactions("other", "customer-7", None, 10, soon()) == []
        assert len(await query_history.interactions("acme", "customer-7", None, 10, soon())) == 1

    async def test_interactions_have_the_feedback_on_their_query(
        self, query_history: QueryHistory, engine: Engine
    ) -> None:
        first, second = query_row(), query_row(created_at=START + hours(1))
        insert_queries(engine, [first, second], with_history=True)
        insert_feedback(engine, first, reply="edited")
        insert_feedback(engine, first, satisfaction=2, subject="agent-2")
        newest, oldest = await query_history.interactions("acme", "customer-7", None, 10, soon())
        assert (newest.id, newest.feedback) == (second["id"], ())
        assert [(stored_value.reply, stored_value.satisfaction) for stored_value in oldest.feedback] == [
            ("edited", None),
            (None, 2),
        ]

    async def test_a_page_has_the_last_opinion_of_a_subject_and_ten_of_a_query_however_many_there_are(
        self, query_history: QueryHistory, engine: Engine
    ) -> None:
        query = query_row()
        insert_queries(engine, [query], with_history=True)
        for number in range(30):  # as they were kept before a subject had one opinion on a query
            insert_feedback(engine, query, satisfaction=1, created_at=START + hours(number))
        for number in range(30):
            values = {"satisfaction": 2, "subject": f"agent-{number}", "created_at": START + hours(40 + number)}
            insert_feedback(engine, query, **values)
        insert_feedback(engine, query, satisfaction=5, created_at=START + hours(100))
        (page,) = await query_history.interactions("acme", "customer-7", None, 10, soon())
        assert [stored_value.subject for stored_value in page.feedback] == [
            *(f"agent-{number}" for number in range(21, 30)),
            "agent",
        ]
        assert page.feedback[-1].satisfaction == 5


def history_score(engine: Engine, query: dict[str, Any]) -> float | None:
    (score,) = (row["satisfaction_score"] for row in rows(engine, customer_history) if row["id"] == query["id"])
    return score


class TestFeedback:
    async def test_feedback_is_stored_sent_and_part_of_the_history(
        self, query_history: QueryHistory, engine: Engine
    ) -> None:
        query = query_row()
        insert_queries(engine, [query], with_history=True)
        stored_value = await query_history.store_feedback(
            AGENT, query["id"], NewFeedback("get_refund", reply="edited", satisfaction=4), soon()
        )
        (row,), (event,) = rows(engine, feedback), rows(engine, outbox)
        assert stored_value is not None
        assert (row["id"], row["subject"], row["customer_id"]) == (stored_value.id, "agent-1", "customer-7")
        assert (row["intent"], row["reply"], row["satisfaction"]) == ("get_refund", "edited", 4)
        assert (event["type"], event["tenant"], event["customer_id"]) == ("feedback.given", "acme", "customer-7")
        history = {row["interaction_type"]: row for row in rows(engine, customer_history)}
        assert history["query"]["satisfaction_score"] == 4
        assert history["feedback"]["satisfaction_score"] is None  # once, or a mean would count it twice
        assert history["feedback"]["summary"] == "reply: edited, intent: get_refund, satisfaction: 4"

    async def test_satisfaction_with_a_message_that_got_no_reply_stands_at_the_feedback(
        self, query_history: QueryHistory, engine: Engine
    ) -> None:
        query = query_row()
        insert_queries(engine, [query])
        await query_history.store_feedback(AGENT, query["id"], NewFeedback(satisfaction=1), soon())
        assert [row["satisfaction_score"] for row in rows(engine, customer_history)] == [1]

    async def test_a_subjects_later_opinion_on_a_query_takes_the_place_of_the_earlier_one(
        self, query_history: QueryHistory, engine: Engine
    ) -> None:
        query = query_row()
        insert_queries(engine, [query], with_history=True)
        other = Caller("acme", "agent-2", AGENT.scopes)
        await query_history.store_feedback(other, query["id"], NewFeedback(satisfaction=3), soon())
        for satisfaction in (1, 1, 5):
            await query_history.store_feedback(AGENT, query["id"], NewFeedback(satisfaction=satisfaction), soon())
        opinions = {(row["subject"], row["satisfaction"]) for row in rows(engine, feedback)}
        assert opinions == {("agent-2", 3), ("agent-1", 5)}
        assert len(rows(engine, feedback)) == 2
        assert sorted(row["interaction_type"] for row in rows(engine, customer_history)) == [
            *["feedback"] * 2,
            "query",
        ]
        assert history_score(engine, query) == 5
        await query_history.store_feedback(AGENT, query["id"], NewFeedback(reply="accepted"), soon())
        assert history_score(engine, query) == 3  # the other subject's, which is the only one left
        replaces = [json.loads(row["payload"]).get("replaces", []) for row in rows(engine, outbox)]
        assert sorted(len(replaced) for replaced in replaces) == [0, 0, 1, 1, 1]

    async def test_opinions_of_a_subject_that_come_at_once_leave_one(
        self, query_history: QueryHistory, engine: Engine
    ) -> None:
        query = query_row()
        insert_queries(engine, [query], with_history=True)
        giving = [
            query_history.store_feedback(AGENT, query["id"], NewFeedback(satisfaction=1), soon()) for _ in range(8)
        ]
        await asyncio.gather(*giving)
        assert len(rows(engine, feedback)) == 1
        assert len(rows(engine, customer_history)) == 2

    async def test_feedback_on_a_query_of_another_tenant_is_refused(
        self, query_history: QueryHistory, engine: Engine
    ) -> None:
        query = query_row(tenant="other")
        insert_queries(engine, [query])
        assert await query_history.store_feedback(AGENT, query["id"], NewFeedback(satisfaction=1), soon()) is None
        assert rows(engine, feedback) == rows(engine, outbox) == []

    async def test_feedback_on_an_unknown_customers_query_is_no_history(
        self, query_history: QueryHistory, engine: Engine
    ) -> None:
        query = query_row(customer_id=None)
        insert_queries(engine, [query])
        assert await query_history.store_feedback(AGENT, query["id"], NewFeedback(reply="accepted"), soon()) is not None
        assert rows(engine, customer_history) == []


class TestErasure:
    async def test_an_erased_customer_leaves_counts_and_nothing_else(
        self, query_history: QueryHistory, engine: Engine
    ) -> None:
        theirs, others, elsewhere = query_row(), query_row(customer_id="customer-8"), query_row(tenant="other")
        insert_queries(engine, [theirs, others, elsewhere], with_history=True)
        await query_history.store_feedback(AGENT, theirs["id"], NewFeedback(satisfaction=4), soon())
        erased = await query_history.erase("acme", "customer-7", soon())
        results = {row["id"]: row for row in rows(engine, queries)}
        gone = results[theirs["id"]]
        assert (erased.queries, erased.interactions, erased.feedback) == (1, 2, 1)
        emptied = ("customer_id", "session_id", "query_sealed", "response_sealed", "response_text")
        assert [gone[name] for name in emptied] == [None] * 5
        assert (gone["query_text"], gone["answer"]) == ("", "")
        assert (gone["intent"], gone["created_at"], gone["decision"]) == ("track_order", START, "draft")
        for other in (others, elsewhere):
            assert results[other["id"]] == other
        assert {row["customer_id"] for row in rows(engine, customer_history)} == {"", "customer-8", "customer-7"}
        assert [row["customer_id"] for row in rows(engine, feedback)] == [None]

    async def test_an_erased_customers_answer_is_not_found_and_accepts_no_feedback(
        self, query_history: QueryHistory, engine: Engine
    ) -> None:
        query = query_row()
        insert_queries(engine, [query], with_history=True)
        await query_history.erase("acme", "customer-7", soon())
        with begin_reading(engine) as connection:
            assert find_answer(connection, "acme", query["id"]) is None
        assert await query_history.store_feedback(AGENT, query["id"], NewFeedback(satisfaction=4), soon()) is None
        assert await query_history.interactions("acme", "customer-7", None, 10, soon()) == []
        assert await ids(query_history, QueryFilters()) == [query["id"]]

    async def test_events_and_answers_under_keys_are_erased_and_the_sinks_are_notified(
        self, query_history: QueryHistory, engine: Engine
    ) -> None:
        theirs, others = query_row(), query_row(customer_id="customer-8")
        insert_queries(engine, [theirs, others])
        for query in (theirs, others):
            await query_history.store_feedback(AGENT, query["id"], NewFeedback(satisfaction=4), soon())
        with engine.begin() as connection:
            for query in (theirs, others):
                connection.execute(idempotency.insert().values(**claimed(query)))
        await query_history.erase("acme", "customer-7", soon())
        assert {(row["type"], row["customer_id"]) for row in rows(engine, outbox)} == {
            ("customer.erased", "customer-7"),
            ("feedback.given", "customer-8"),
        }
        assert [row["query_id"] for row in rows(engine, idempotency)] == [others["id"]]

    async def test_rows_before_an_erasure_count_as_erased_and_later_ones_do_not(
        self, query_history: QueryHistory, engine: Engine
    ) -> None:
        await query_history.erase("acme", "nobody yet", soon())
        await query_history.erase("acme", "nobody yet", soon())
        reference = customer_hash(query_history.fingerprint, "acme", "nobody yet")
        with begin_reading(engine) as connection:
            assert is_customer_erased(connection, "acme", reference, START)
            assert not is_customer_erased(connection, "acme", reference, START + hours(24 * 3650))
            assert not is_customer_erased(connection, "other", reference, START)

    async def test_no_byte_of_an_erased_customer_is_left_in_sqlites_files(self, tmp_path: Path) -> None:
        """Among many others, in an order that splits pages of every index."""
        file = tmp_path / "database" / "frontdesk.db"
        migrate(f"sqlite:///{file}")
        engine = open_database(f"sqlite:///{file}")
        query_history = QueryHistory(engine, (), lambda plain: "hash")
        marks = [f"zq{number}x" for number in range(20)]
        chance = random.Random(1)
        for mark in marks:
            crowd = [
                query_row(customer_id=f"c{chance.random()}", query_text="a" * chance.randrange(2000)) for _ in range(60)
            ]
            words = {"customer_id": f"cust{mark}", "session_id": f"sess{mark}", "query_text": f"text{mark}" * 200}
            sealed = {
                "query_sealed": f"seal{mark}".encode(),
                "answer": f"answ{mark}" * 300,
                "response_text": f"repl{mark}",
            }
            insert_queries(engine, [*crowd, query_row(**words, **sealed)], with_history=True)
        for mark in marks:
            await query_history.erase("acme", f"cust{mark}", soon())
        engine.dispose()
        left = b"".join(path.read_bytes() for path in file.parent.iterdir())
        assert [mark for mark in marks if mark.encode() in left] == []
        with closing(sqlite3.connect(file)) as connection:
            assert connection.execute("SELECT count(*) FROM queries WHERE query_text = ''").fetchone() == (20,)


class TestDeadlines:
    async def test_a_statement_that_takes_too_long_is_stopped(self, engine: Engine) -> None:
        endless = "SELECT pg_sleep(30)" if engine.dialect.name == "postgresql" else ENDLESS
        with pytest.raises(DeadlineExceeded):
            await read(
                engine, lambda connection: connection.execute(text(endless)).all(), Deadline.after(0.2), "waiting"
            )
        assert await read(engine, lambda connection: connection.scalar(select(1)), soon(), "counting") == 1

    async def test_on_postgresql_reading_cannot_write(self, postgresql_url: str) -> None:
        migrate(postgresql_url)
        engine = open_database(postgresql_url)
        with pytest.raises(StorageUnavailable):
            await read(
                engine, lambda connection: connection.execute(queries.insert().values(**query_row())), soon(), "x"
            )
        engine.dispose()

    async def test_a_failed_transaction_leaves_nothing(self, engine: Engine) -> None:
        def fails(connection: Any) -> None:
            connection.execute(queries.insert().values(**query_row()))
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await write(engine, fails, soon(), "writing")
        with begin_reading(engine) as connection:
            assert connection.scalar(select(func.count()).select_from(queries)) == 0


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


def claimed(query: dict[str, Any]) -> dict[str, Any]:
    return {
        "tenant": query["tenant"],
        "subject": "shop",
        "key": base64.b64encode(query["id"].encode()).decode(),
        "fingerprint": "f",
        "claim": "c",
        "lease_until": START,
        "query_id": query["id"],
        "answer_sealed": b"sealed",
        "created_at": START,
    }
