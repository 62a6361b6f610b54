"""Acknowledged records are committed; a bad row, caller or loop does not harm others; errors show no text."""

from __future__ import annotations

import asyncio
import sqlite3
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from frontdesk.errors import StorageUnavailable
from frontdesk.storage.database import open_database
from frontdesk.storage.writes.recorder import SpoolingRecorder
from frontdesk.types import Record
from tests.support.records import record
from tests.support.worker_storage import WorkerStorage, open_worker_storage

SECRET = "my neighbour knows about the money"


@pytest.fixture
def worker(url: str, engine: Engine, tmp_path: Path) -> Iterator[WorkerStorage]:
    with open_worker_storage(url, tmp_path / "host", engine=engine) as worker:
        yield worker


@pytest.fixture
def recorder(worker: WorkerStorage) -> SpoolingRecorder:
    return worker.recorder


@pytest.fixture
def onlooker(engine: Engine, database_file: Path) -> Iterator[sqlite3.Connection]:
    """Another connection to the same file, which sees only committed rows. Depends on the tables."""
    connection = sqlite3.connect(database_file, isolation_level=None)
    yield connection
    connection.close()


def ids(onlooker: sqlite3.Connection) -> set[str]:
    return {row[0] for row in onlooker.execute("SELECT id FROM queries")}


def commits(engine: Engine) -> list[object]:
    counted: list[object] = []
    event.listen(engine, "commit", counted.append)
    return counted


@contextmanager
def writing_elsewhere(url: str) -> Iterator[None]:
    """Simulate a transaction of another process: no other connection can write until it ends."""
    engine = open_database(url)
    with engine.begin():
        yield
    engine.dispose()


def printed_text(error: BaseException) -> str:
    """Return what a log or a debugger's traceback would print of the error."""
    return "".join(traceback.format_exception(error)) + repr(error)


async def queued(recorder: SpoolingRecorder, *records: Record) -> list[asyncio.Task[str]]:
    """Return tasks that have queued their records, after the thread had time to take its batch."""
    tasks = [asyncio.create_task(recorder.store(each)) for each in records]
    await asyncio.sleep(0.05)
    return tasks


async def test_an_acknowledged_record_is_visible_to_other_connections(
    recorder: SpoolingRecorder, onlooker: sqlite3.Connection
) -> None:
    for _ in range(20):
        stored = record()
        assert await recorder.store(stored) == "committed"
        assert stored.answer.query_id in ids(onlooker)


async def test_records_that_wait_together_are_committed_together(
    engine: Engine, recorder: SpoolingRecorder, onlooker: sqlite3.Connection
) -> None:
    counted = commits(engine)
    records = [record() for _ in range(200)]
    assert await asyncio.gather(*(recorder.store(stored) for stored in records)) == ["committed"] * 200
    assert ids(onlooker) == {stored.answer.query_id for stored in records}
    assert 1 <= len(counted) <= 20


async def test_no_commit_exceeds_the_maximum_number_of_rows(
    url: str, engine: Engine, tmp_path: Path, onlooker: sqlite3.Connection
) -> None:
    counted = commits(engine)
    with open_worker_storage(url, tmp_path / "host", engine=engine, max_rows_per_commit=4) as worker:
        await asyncio.gather(*(worker.recorder.store(record()) for _ in range(20)))
    assert len(counted) >= 5
    assert len(ids(onlooker)) == 20


class CountingLoop(asyncio.SelectorEventLoop):
    """Counts how often another thread calls into it."""

    calls = 0

    def call_soon_threadsafe(self, *arguments: Any, **named: Any) -> asyncio.Handle:
        self.calls += 1
        return super().call_soon_threadsafe(*arguments, **named)


def test_all_requests_of_a_commit_are_woken_by_one_call(url: str, recorder: SpoolingRecorder) -> None:
    async def thirty_and_one() -> None:
        with writing_elsewhere(url):  # the thread waits with the first record while others are queued
            tasks = await queued(recorder, record())
            tasks += await queued(recorder, *(record() for _ in range(30)))
        await asyncio.gather(*tasks)

    loop = CountingLoop()
    loop.run_until_complete(thirty_and_one())
    loop.close()
    assert loop.calls == 2


async def test_a_bad_row_fails_alone(url: str, recorder: SpoolingRecorder, onlooker: sqlite3.Connection) -> None:
    nameless = replace(record(masked_text=SECRET), response_time_ms=None)  # the column takes no null
    unwritable = record(masked_text=f"{SECRET} \ud800")  # half a surrogate pair cannot be encoded in UTF-8
    good = [record() for _ in range(10)]
    with writing_elsewhere(url):
        tasks = await queued(recorder, record(), *good[:5], nameless, unwritable, *good[5:])
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    failures = [outcome for outcome in outcomes if outcome != "committed"]
    assert [type(failure) for failure in failures] == [StorageUnavailable, StorageUnavailable]
    assert outcomes[6:8] == failures
    assert {stored.answer.query_id for stored in good} < ids(onlooker)
    assert len(ids(onlooker)) == 11
    for failure in failures:
        assert SECRET not in printed_text(failure)


async def test_a_caller_that_leaves_does_not_harm_the_others(
    url: str, recorder: SpoolingRecorder, onlooker: sqlite3.Connection
) -> None:
    left, stayed = record(), record()
    with writing_elsewhere(url):
        tasks = await queued(recorder, record())
        tasks += await queued(recorder, left, stayed)
        tasks[1].cancel()
        await asyncio.sleep(0)
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert outcomes[0] == outcomes[2] == "committed"
    assert isinstance(outcomes[1], asyncio.CancelledError)
    assert stayed.answer.query_id in ids(onlooker)
    assert left.answer.query_id not in ids(onlooker)


def test_an_event_loop_that_is_gone_does_not_stop_the_thread(url: str, recorder: SpoolingRecorder) -> None:
    async def leave() -> None:
        await queued(recorder, record())  # asyncio.run cancels it and closes the loop

    with writing_elsewhere(url):
        asyncio.run(leave())
    assert asyncio.run(recorder.store(record())) == "committed"


async def test_closing_commits_queued_records(
    url: str, engine: Engine, tmp_path: Path, onlooker: sqlite3.Connection
) -> None:
    records = [record() for _ in range(50)]
    with (
        open_worker_storage(url, tmp_path / "host", engine=engine, max_rows_per_commit=8) as worker,
        writing_elsewhere(url),
    ):
        tasks = await queued(worker.recorder, *records)
    assert ids(onlooker) == {stored.answer.query_id for stored in records}
    assert await asyncio.gather(*tasks) == ["committed"] * 50


async def test_a_closed_recorder_stores_nothing(recorder: SpoolingRecorder, onlooker: sqlite3.Connection) -> None:
    recorder.close()
    recorder.close()
    with pytest.raises(StorageUnavailable, match="closed"):
        await recorder.store(record())
    assert ids(onlooker) == set()
