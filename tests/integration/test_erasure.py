"""Erasure with slow requests, answers under Idempotency-Keys, rows in spools and differing clocks."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Table, select

from frontdesk.deadline import Deadline
from frontdesk.storage.database import begin_reading, begin_writing, migrate, open_database
from frontdesk.storage.erasure.eraser import Eraser, ErasureReceipt
from frontdesk.storage.erasure.follower import ErasureFollower
from frontdesk.storage.erasure_subjects import ErasureSubject, SubjectKind
from frontdesk.storage.record_rows import COMMITTED, FinishedClaim, RecordRows, RowBuilder
from frontdesk.storage.spool.replay import anonymise_replayed
from frontdesk.storage.spool.spool_file import RefusedRows, Spool
from frontdesk.storage.sql import erasure
from frontdesk.storage.sql.idempotency import ClaimRow, acquire_claim
from frontdesk.storage.sql.spool import add_to_spool
from frontdesk.storage.tables import customer_history, feedback, idempotency, outbox, queries
from frontdesk.storage.writes.write_commands import StoreRows, write_database
from frontdesk.types import Claim, Record
from tests.support.records import MASKED_TEXT, mail_record, record
from tests.support.stored_rows import insert_feedback, insert_queries, query_row
from tests.support.worker_storage import SEAL, fingerprint, open_worker_storage

MAKER = RowBuilder(SEAL, ("file",), fingerprint=fingerprint)
CUSTOMER = ErasureSubject(SubjectKind.CUSTOMER, "acme", "customer-7")
SESSION = ErasureSubject(SubjectKind.SESSION, "acme", "session-1")
HOUR = timedelta(hours=1)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    migrate(database_url)
    engine = open_database(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    opened = Spool.open(tmp_path / "home")
    yield opened
    opened.close()


def now() -> datetime:
    return datetime.now(UTC)


def made(
    *,
    key: str | None = None,
    store: bool = True,
    session_id: str = "session-1",
    received_at: datetime | None = None,
    make: Callable[..., Record] = record,
    **fields: Any,
) -> RecordRows:
    plain = make(created_at=now(), **fields)
    query = replace(plain.query, store=store, session_id=session_id)
    claim = None if key is None else Claim(f"claim-{key}", key, "print", COMMITTED)
    received = received_at or plain.created_at
    return MAKER.rows(replace(plain, query=query, claim=claim, received_at=received))


def claimed(finish: FinishedClaim) -> ClaimRow:
    """The claim that `finish` ends, in flight."""
    moments = {"lease_until": now() + HOUR, "created_at": now(), "expired": now() - HOUR}
    names = ("tenant", "subject", "key", "fingerprint", "claim", "customer_hash", "session_hash")
    return ClaimRow(**moments, **{name: getattr(finish, name) for name in names})


def commit(engine: Engine, *rows: RecordRows) -> None:
    with begin_writing(engine) as connection:
        write_database(connection, [StoreRows(request_rows) for request_rows in rows])


async def erase(engine: Engine, subject: ErasureSubject = CUSTOMER, spool: Spool | None = None) -> ErasureReceipt:
    return await Eraser(engine, ("file",), fingerprint, spool).erase(subject, Deadline.after(20))


def rows(engine: Engine, table: Table) -> list[dict[str, Any]]:
    with begin_reading(engine) as connection:
        return [dict(row) for row in connection.execute(select(table)).mappings()]


def content(spool: Spool) -> bytes:
    return b"".join(file.read_bytes() for file in spool.path.parent.iterdir())


class TestSlowRequests:
    async def test_a_request_that_began_before_the_erasure_is_stored_without_its_words(self, engine: Engine) -> None:
        slow, others = made(), made(customer_id="customer-8", session_id="session-2")
        await erase(engine)
        commit(engine, slow, others)
        stored = {row["id"]: row for row in rows(engine, queries)}
        assert (stored[slow.id]["query_text"], stored[slow.id]["customer_id"], stored[slow.id]["audit_salt"]) == (
            "",
            None,
            None,
        )
        assert stored[slow.id]["intent"] == "track_order"
        assert stored[others.id]["query_text"] == MASKED_TEXT
        assert {row["customer_id"] for row in rows(engine, customer_history)} == {"", "customer-8"}
        assert {row["event_id"] for row in rows(engine, outbox) if row["type"] != "customer.erased"} == {others.id}

    async def test_a_request_that_began_after_the_erasure_is_stored_unchanged(self, engine: Engine) -> None:
        await erase(engine)
        commit(engine, made())
        assert [row["query_text"] for row in rows(engine, queries)] == [MASKED_TEXT]

    @pytest.mark.parametrize("store", [True, False])
    async def test_no_answer_is_kept_under_the_key_of_a_slow_request_and_the_key_is_free(
        self, engine: Engine, store: bool
    ) -> None:
        slow = made(key="one", store=store)
        assert slow.finish is not None
        with begin_writing(engine) as connection:
            assert acquire_claim(connection, claimed(slow.finish)) is None
        await erase(engine)
        commit(engine, slow)
        assert rows(engine, idempotency) == []
        assert [row["query_text"] for row in rows(engine, queries)] == ([""] if store else [])

    @pytest.mark.parametrize("subject", [SESSION, "query"])
    async def test_a_session_or_a_query_that_is_erased_before_its_row_comes_is_anonymous(
        self, engine: Engine, subject: ErasureSubject | str
    ) -> None:
        slow = made()
        await erase(
            engine,
            subject if isinstance(subject, ErasureSubject) else ErasureSubject(SubjectKind.QUERY, "acme", slow.id),
        )
        commit(engine, slow, other := made(session_id="session-9"))
        stored = {row["id"]: row["query_text"] for row in rows(engine, queries)}
        assert stored == {slow.id: "", other.id: MASKED_TEXT}

    def test_on_postgresql_an_erasure_waits_for_a_commit_that_is_under_way(self, postgresql_url: str) -> None:
        migrate(postgresql_url)
        engine = open_database(postgresql_url)
        under_way, release = threading.Event(), threading.Event()

        def slow_commit() -> None:
            with begin_writing(engine) as connection:
                write_database(connection, [StoreRows(made())])
                under_way.set()
                release.wait(10)

        def eraser() -> None:
            with begin_writing(engine) as connection:
                erasure.lock_for_erasing(connection)
                erasure.erase_queries(connection, CUSTOMER, "")

        threads = [threading.Thread(target=slow_commit), threading.Thread(target=eraser)]
        threads[0].start()
        assert under_way.wait(10)
        threads[1].start()
        time.sleep(0.3)
        release.set()
        for thread in threads:
            thread.join(10)
        assert [row["query_text"] for row in rows(engine, queries)] == [""]
        engine.dispose()


class TestKeptAnswers:
    async def test_an_answer_that_was_not_stored_is_deleted_with_its_key(self, engine: Engine) -> None:
        commit(engine, made(key="one", store=False), other := made(key="two", store=False, customer_id="customer-8"))
        receipt = await erase(engine)
        assert receipt.removed["idempotency"] == 1
        assert [row["query_id"] for row in rows(engine, idempotency)] == [other.id]

    async def test_it_is_deleted_with_its_session_and_with_its_query(self, engine: Engine) -> None:
        one = made(key="one", store=False, session_id="session-2")
        commit(engine, one, made(key="two", store=False))
        assert (await erase(engine, ErasureSubject(SubjectKind.QUERY, "acme", one.id))).removed["idempotency"] == 1
        assert (await erase(engine, SESSION)).removed["idempotency"] == 1
        assert rows(engine, idempotency) == []


class TestSessionsAndQueries:
    async def test_one_query_is_erased_and_the_sinks_get_its_id(self, engine: Engine) -> None:
        gone, stays = query_row(customer_id=None), query_row()
        insert_queries(engine, [gone, stays], with_history=False)
        insert_feedback(engine, gone, satisfaction=1)
        receipt = await erase(engine, ErasureSubject(SubjectKind.QUERY, "acme", gone["id"]))
        stored = {row["id"]: row for row in rows(engine, queries)}
        assert (stored[gone["id"]]["query_text"], stored[gone["id"]]["session_id"]) == ("", None)
        assert stored[stays["id"]] == stays
        assert (receipt.queries, [(place.place, place.name) for place in receipt.waiting]) == (1, [("outbox", "file")])
        (event,) = rows(engine, outbox)
        assert (event["type"], event["customer_id"]) == ("query.erased", None)
        assert gone["id"] in event["payload"]
        assert rows(engine, feedback)[0]["id"] in event["payload"]

    async def test_a_mail_is_erased_with_its_other_parts_and_fields(self, engine: Engine) -> None:
        commit(engine, made(make=mail_record), made(customer_id="customer-8", session_id="session-2", make=mail_record))
        await erase(engine)
        stored = {row["customer_id"]: (row["other_parts"], row["mail_sealed"]) for row in rows(engine, queries)}
        assert stored.pop(None) == (None, None)
        ((other_parts, mail_sealed),) = stored.values()
        assert "quoted" in other_parts
        assert mail_sealed

    async def test_a_session_is_erased_for_all_its_customers_and_no_event_names_it(self, engine: Engine) -> None:
        theirs = [query_row(customer_id=None), query_row(), query_row(customer_id="customer-8")]
        other = query_row(session_id="session-2")
        elsewhere = query_row(tenant="other")
        insert_queries(engine, [*theirs, other, elsewhere])
        assert (await erase(engine, SESSION)).queries == 3
        left = {row["id"] for row in rows(engine, queries) if row["query_text"]}
        assert left == {other["id"], elsewhere["id"]}
        assert {row["customer_id"] for row in rows(engine, outbox)} == {None, "customer-7", "customer-8"}
        assert not any("session-1" in row["payload"] for row in rows(engine, outbox))


class TestSpools:
    async def test_waiting_and_refused_rows_are_anonymised(self, engine: Engine, spool: Spool) -> None:
        waiting, refused = made(key="one", make=mail_record), made(make=mail_record)
        other = made(customer_id="customer-8", session_id="session-2")
        with begin_writing(spool.engine) as connection:
            add_to_spool(connection, [waiting, refused, other], now())
        third = spool.oldest(3)[1]
        spool.remove([], [RefusedRows(third, "DataError")])
        receipt = await erase(engine, spool=spool)
        assert (receipt.removed["spool.spooled"], receipt.removed["spool.refused"]) == (1, 1)
        assert b"customer-7" not in content(spool)
        assert b"customer-8" in content(spool)
        assert b"quoted" not in content(spool)
        assert [spooled.rows.inserts["queries"][0]["query_text"] for spooled in spool.oldest(9)] == ["", MASKED_TEXT]
        assert spool.backlog() == (2, 1)

    async def test_an_answer_that_was_only_kept_under_a_key_is_deleted_from_the_spool(
        self, engine: Engine, spool: Spool
    ) -> None:
        with begin_writing(spool.engine) as connection:
            add_to_spool(connection, [made(key="one", store=False)], now())
        await erase(engine, spool=spool)
        assert spool.backlog() == (0, 0)

    async def test_rows_of_an_earlier_release_without_an_origin_are_erased(
        self, engine: Engine, tmp_path: Path
    ) -> None:
        home = tmp_path / "older"
        home.mkdir()
        older = RowBuilder(SEAL, ("file",)).rows(record())
        with closing(sqlite3.connect(home / "spool.db")) as connection:
            connection.execute(
                "CREATE TABLE spooled (sequence INTEGER PRIMARY KEY AUTOINCREMENT, rows TEXT, spooled_at)"
            )
            row = (older.to_json(), "2026-06-01 00:00:00.000000")
            connection.execute("INSERT INTO spooled (rows, spooled_at) VALUES (?, ?)", row)
            connection.commit()
        with closing(Spool.open(home)) as spool:
            assert (await erase(engine, spool=spool)).removed["spool.spooled"] == 1
            assert b"customer-7" not in content(spool)

    async def test_another_host_applies_the_erasure_to_its_own_spool(self, engine: Engine, spool: Spool) -> None:
        with begin_writing(spool.engine) as connection:
            add_to_spool(connection, [made(), made(customer_id="customer-8", session_id="session-2")], now())
        spool.remove([], [RefusedRows(spooled, "DataError") for spooled in spool.oldest(2)])
        dropped: list[str] = []
        follower = ErasureFollower(engine, spool, fingerprint, lambda: {"acme"}, dropped.append)
        follower.close()
        await erase(engine)
        follower.poll()
        follower.poll()
        assert b"customer-7" not in content(spool)
        assert b"customer-8" in content(spool)
        assert dropped == ["acme"]

    async def test_the_receipt_names_hosts_whose_spools_may_still_hold_something(
        self, postgresql_url: str, spool: Spool, tmp_path: Path
    ) -> None:
        migrate(postgresql_url)
        engine = open_database(postgresql_url)
        with begin_writing(spool.engine) as connection:
            add_to_spool(connection, [made()], now())
        follower = ErasureFollower(engine, spool, fingerprint)
        follower.close()
        follower.poll()
        with closing(Spool.open(tmp_path / "own")) as own:
            receipt = await erase(engine, spool=own)
        assert [(place.place, place.rows) for place in receipt.waiting if place.place == "spool"] == [("spool", 1)]
        assert [place.place for place in (await erase(engine, spool=spool)).waiting] == ["outbox"]
        engine.dispose()

    async def test_a_refused_row_of_an_erased_customer_is_set_aside_without_words(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path / 'frontdesk.db'}"
        migrate(url)
        bad = made(customer_id="customer-7")
        await erase(engine := open_database(url))
        with engine.begin() as connection:
            connection.exec_driver_sql(
                "CREATE TRIGGER no BEFORE INSERT ON queries BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
        with closing(Spool.open(tmp_path / "home")) as spool:
            with begin_writing(spool.engine) as connection:
                add_to_spool(connection, [bad], now())
            with open_worker_storage(url, tmp_path / "home"):
                give_up = time.monotonic() + 10
                while spool.backlog() != (0, 1):
                    assert time.monotonic() < give_up
                    time.sleep(0.05)
            spool.truncate_log()
            assert b"customer-7" not in content(spool)
        engine.dispose()


class TestLogs:
    async def test_a_log_that_a_long_reader_holds_is_truncated_afterwards(self, tmp_path: Path, spool: Spool) -> None:
        url = f"sqlite:///{tmp_path / 'frontdesk.db'}"
        migrate(url)
        engine = open_database(url)
        insert_queries(engine, [query_row(customer_id="zqxcustomer")])
        follower = ErasureFollower(engine, spool, fingerprint)
        follower.close()
        subject = ErasureSubject(SubjectKind.CUSTOMER, "acme", "zqxcustomer")
        with closing(sqlite3.connect(tmp_path / "frontdesk.db", isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM queries").fetchone()
            eraser = Eraser(engine, (), fingerprint, spool, truncate_wal_later=follower.truncate_wal_later)
            receipt = await eraser.erase(subject, Deadline.after(20))
            assert [place.place for place in receipt.waiting] == ["write-ahead log"]
            follower.poll()
        follower.poll()
        files = b"".join(file.read_bytes() for file in tmp_path.glob("frontdesk.db*"))
        assert b"zqxcustomer" not in files
        engine.dispose()


class TestClocks:
    """The result does not depend on the clock of a host."""

    @pytest.mark.parametrize("ahead", [HOUR, -HOUR])
    async def test_a_host_with_a_wrong_clock_erases_earlier_rows_and_keeps_later_ones(
        self, postgresql_url: str, ahead: timedelta, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        migrate(postgresql_url)
        engine = open_database(postgresql_url)

        class Wrong(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
                return datetime.now(tz) + ahead

        before = made(received_at=now() + ahead)
        late = made(received_at=now() + ahead)
        await erase(engine)
        after = made(received_at=now() + ahead)
        monkeypatch.setattr(erasure, "datetime", Wrong)
        commit(engine, before, after)
        with begin_writing(engine) as connection:
            (arrived,) = anonymise_replayed(connection, [late], fingerprint)
        assert {row["id"]: row["query_text"] for row in rows(engine, queries)} == {before.id: "", after.id: MASKED_TEXT}
        assert arrived.inserts["queries"][0]["query_text"] == ""
        engine.dispose()


@pytest.mark.parametrize(
    ("sinks", "left"), [(("file",), ["events-1.jsonl.gz"]), ((), ["events-1.jsonl.gz", "events.jsonl"])]
)
async def test_a_receipt_names_events_files_that_will_not_be_redacted(
    tmp_path: Path, sinks: tuple[str, ...], left: list[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'frontdesk.db'}"
    migrate(url)
    engine = open_database(url)
    for name in ("events.jsonl", "events-1.jsonl.gz"):
        (tmp_path / name).write_bytes(b"")
    receipt = await Eraser(engine, sinks, fingerprint, events=tmp_path / "events.jsonl").erase(
        CUSTOMER, Deadline.after(20)
    )
    assert [waiting.name for waiting in receipt.waiting if waiting.place == "events file"] == left
    engine.dispose()
