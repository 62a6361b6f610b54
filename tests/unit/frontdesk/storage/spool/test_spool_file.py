"""If the database is unavailable or slow, answers go to the spool and then into the database: once, in order."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, select

from frontdesk.deadline import Deadline
from frontdesk.errors import StorageUnavailable
from frontdesk.storage.database import begin_reading, begin_writing, open_database
from frontdesk.storage.reads.query_history import QueryHistory
from frontdesk.storage.record_rows import RecordRows
from frontdesk.storage.spool.spool_file import Spool
from frontdesk.storage.sql.spool import add_to_spool
from frontdesk.storage.tables import queries
from tests.support.records import CREATED_AT, MASKED_TEXT, RAW_TEXT, record, rows
from tests.support.worker_storage import WorkerStorage, fingerprint, open_worker_storage

SECRET = "my neighbour knows about the money"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "host"


@pytest.fixture
def worker(url: str, engine: Engine, home: Path) -> Iterator[WorkerStorage]:
    with open_worker_storage(url, home, engine=engine, budget_s=0.2) as worker:
        yield worker


class Switch:
    """A database that rejects rows while it is off."""

    def __init__(self, engine: Engine) -> None:
        self.is_off = True
        event.listen(engine, "begin", self._refuse)

    def _refuse(self, _: object) -> None:
        if self.is_off:
            raise ConnectionRefusedError


@contextmanager
def locked(url: str) -> Iterator[None]:
    engine = open_database(url)
    with engine.begin():
        yield
    engine.dispose()


def ids(database_file: Path, table: str = "queries") -> list[str]:
    with closing(sqlite3.connect(database_file)) as connection:
        return [row[0] for row in connection.execute(f"SELECT id FROM {table} ORDER BY rowid")]


async def until(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    give_up = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < give_up, "it did not happen in time"
        await asyncio.sleep(0.01)


def backlog(worker: WorkerStorage) -> int:
    return worker.spool.backlog()[0]


async def test_while_the_database_is_unavailable_answers_are_spooled_and_then_moved_in_order(
    worker: WorkerStorage, engine: Engine, database_file: Path
) -> None:
    switch = Switch(engine)
    records = [record() for _ in range(600)]
    for one in records:
        assert await worker.recorder.store(one) == "spooled"
    assert backlog(worker) == 600
    assert ids(database_file) == []
    switch.is_off = False
    await until(lambda: backlog(worker) == 0)
    assert ids(database_file) == ids(database_file, "customer_history") == [one.answer.query_id for one in records]
    await until(lambda: not worker.recorder.is_spooling)
    assert await worker.recorder.store(record()) == "committed"
    assert worker.metric("frontdesk_spooled_total") == 600


async def test_a_slow_database_costs_its_budget_once_and_nothing_is_doubled(
    url: str, worker: WorkerStorage, database_file: Path
) -> None:
    first, later = record(), [record() for _ in range(20)]
    with locked(url):
        began = time.monotonic()
        assert await worker.recorder.store(first) == "spooled"
        assert time.monotonic() - began < 1.0
        began = time.monotonic()
        for one in later:
            assert await worker.recorder.store(one) == "spooled"
        assert time.monotonic() - began < 2.0
    await until(lambda: backlog(worker) == 0)
    await until(lambda: not worker.recorder.is_spooling)
    assert sorted(ids(database_file)) == sorted(one.answer.query_id for one in (first, *later))


async def test_rows_that_the_database_already_has_are_not_duplicated_by_the_drain(
    worker: WorkerStorage, engine: Engine, database_file: Path
) -> None:
    there = record()
    assert await worker.recorder.store(there) == "committed"
    switch = Switch(engine)
    assert await worker.recorder.store(there) == "spooled"
    switch.is_off = False
    await until(lambda: backlog(worker) == 0)
    assert ids(database_file) == [there.answer.query_id]


async def test_rows_that_an_earlier_run_left_in_the_spool_are_moved_at_the_next_start(
    url: str, engine: Engine, home: Path, database_file: Path
) -> None:
    spooled = record()
    unavailable = open_database(url)
    Switch(unavailable)
    with open_worker_storage(url, home, engine=unavailable) as worker:
        assert await worker.recorder.store(spooled) == "spooled"
    with open_worker_storage(url, home, engine=engine) as worker:
        await until(lambda: backlog(worker) == 0)
    assert ids(database_file) == [spooled.answer.query_id]


async def test_several_workers_share_a_spool_and_one_of_them_empties_it(
    url: str, engine: Engine, home: Path, database_file: Path
) -> None:
    other_engine = open_database(url)
    switches = [Switch(engine), Switch(other_engine)]
    with (
        open_worker_storage(url, home, engine=engine) as one,
        open_worker_storage(url, home, engine=other_engine) as other,
    ):
        records = [record() for _ in range(100)]
        stored = await asyncio.gather(*((one, other)[i % 2].recorder.store(each) for i, each in enumerate(records)))
        assert set(stored) == {"spooled"}
        for switch in switches:
            switch.is_off = False
        await until(lambda: backlog(one) == 0)
        await until(lambda: not (one.recorder.is_spooling or other.recorder.is_spooling))
    assert sorted(ids(database_file)) == sorted(each.answer.query_id for each in records)


async def test_a_row_that_the_database_refuses_is_set_aside_and_blocks_no_other(
    worker: WorkerStorage, engine: Engine, database_file: Path
) -> None:
    switch = Switch(engine)
    before, wrong, after = record(), replace(record(masked_text=SECRET), response_time_ms=None), record()
    for one in (before, wrong, after):
        assert await worker.recorder.store(one) == "spooled"
    switch.is_off = False
    await until(lambda: worker.spool.backlog() == (0, 1))
    assert ids(database_file) == [before.answer.query_id, after.answer.query_id]
    await until(lambda: worker.metric("frontdesk_spool_refused") == 1)
    with closing(sqlite3.connect(worker.spool.path)) as connection:
        ((error, content),) = connection.execute("SELECT error, rows FROM refused")
    assert error == "SQLITE_CONSTRAINT_NOTNULL"
    assert RecordRows.from_json(content).id == wrong.answer.query_id


@pytest.mark.parametrize(
    ("pragma", "name", "cure"),
    [
        ("PRAGMA max_page_count = 1", "SQLITE_FULL", "PRAGMA max_page_count = 1000000"),
        ("PRAGMA query_only = ON", "SQLITE_READONLY", "PRAGMA query_only = OFF"),
    ],
    ids=["full disk", "read-only file system"],
)
async def test_while_neither_store_accepts_rows_nothing_is_acknowledged(
    url: str, home: Path, engine: Engine, database_file: Path, pragma: str, name: str, cure: str
) -> None:
    statements = [pragma]
    opened = Spool.open(home)
    opened.close()
    full = open_database(url)
    for broken in (full, opened.engine):
        event.listen(broken, "checkout", lambda connection, *_: connection.execute(statements[0]))

    with open_worker_storage(url, home, engine=full, budget_s=1.0) as worker:
        event.listen(worker.spool.engine, "checkout", lambda connection, *_: connection.execute(statements[0]))
        # enough to need new pages: a database keeps the pages that it has
        refused = [record(masked_text=SECRET * 1000) for _ in range(3)]
        outcomes = await asyncio.gather(*(worker.recorder.store(one) for one in refused), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [StorageUnavailable] * 3
        assert all(name in str(outcome) and SECRET not in repr(outcome) for outcome in outcomes)
        assert (ids(database_file), backlog(worker)) == ([], 0)
        statements[0] = cure
        large = record(masked_text=SECRET * 1000)
        assert await worker.recorder.store(large) in ("committed", "spooled")
        await until(lambda: ids(database_file) == [large.answer.query_id])


async def test_the_spool_is_readable_only_by_its_owner_and_holds_no_original_text(
    worker: WorkerStorage, engine: Engine
) -> None:
    Switch(engine)
    await worker.recorder.store(record())
    files = list(worker.spool.path.parent.iterdir())
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    held = b"".join(file.read_bytes() for file in files)
    assert MASKED_TEXT.encode() in held
    assert RAW_TEXT.encode() not in held
    assert b"4711-0815" not in held


async def test_an_unavailable_database_is_detected_before_the_next_request(
    worker: WorkerStorage, engine: Engine
) -> None:
    switch = Switch(engine)
    await until(lambda: worker.recorder.is_spooling)
    switch.is_off = False
    await until(lambda: not worker.recorder.is_spooling)


async def test_rows_with_events_are_spooled_and_moved_with_them(url: str, engine: Engine, home: Path) -> None:
    switch = Switch(engine)
    with open_worker_storage(url, home, engine=engine, sinks=("file", "features")) as worker:
        spooled = record()
        await worker.recorder.store(spooled)
        switch.is_off = False
        await until(lambda: backlog(worker) == 0)
        with engine.connect() as connection:
            outbox_rows = connection.exec_driver_sql("SELECT event_id, sink FROM outbox ORDER BY sink").fetchall()
    assert [tuple(one) for one in outbox_rows] == [
        (spooled.answer.query_id, "features"),
        (spooled.answer.query_id, "file"),
    ]


def test_rows_are_the_same_after_the_spool() -> None:
    for original in rows(record(), record(customer_id=None, with_reply=False), sinks=("file",)):
        assert RecordRows.from_json(original.to_json()) == original


async def test_a_spooled_text_of_an_erased_customer_never_reaches_the_database(
    url: str, engine: Engine, home: Path
) -> None:
    """It waits there masked and sealed; the erasure reaches it in the transaction that moves it, and then its file."""
    theirs = [rows(record(masked_text=SECRET))[0] for _ in range(40)]
    spool = Spool.open(home)
    with begin_writing(spool.engine) as connection:
        add_to_spool(connection, theirs, CREATED_AT)
    assert any(SECRET.encode() in file.read_bytes() for file in home.iterdir())
    await QueryHistory(engine, (), fingerprint).erase("acme", "customer-7", Deadline.after(10))

    texts = set()
    with open_worker_storage(url, home, engine=engine, max_rows_per_commit=4):
        while spool.backlog()[0] or not texts:
            with begin_reading(engine) as connection:
                texts |= set(connection.execute(select(queries.c.query_text, queries.c.answer, queries.c.query_sealed)))
        await until(lambda: not any(SECRET.encode() in file.read_bytes() for file in home.iterdir()))
    assert texts == {("", "", None)}
    spool.close()
