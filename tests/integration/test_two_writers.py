"""Several processes, each with its own recorder, share one real database: nothing is lost and nothing doubled."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select

from frontdesk.storage.database import begin_reading, migrate, open_database
from frontdesk.storage.sql.records import insert_rows
from frontdesk.storage.tables import customer_history, queries
from tests.support.records import record, rows
from tests.support.worker_storage import open_worker_storage

RECORDS = 500
AT_ONCE = 32


@pytest.fixture
def processes() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


def write(url: str, home: Path) -> list[str]:
    """Store `RECORDS` records, `AT_ONCE` at a time; return the ids of the acknowledged ones."""
    waiting = [record() for _ in range(RECORDS)]
    acknowledged: list[str] = []

    async def client() -> None:
        while waiting:
            stored = waiting.pop()
            assert await worker.recorder.store(stored) == "committed"
            acknowledged.append(stored.answer.query_id)

    async def clients() -> None:
        await asyncio.gather(*(client() for _ in range(AT_ONCE)))

    with open_worker_storage(url, home, budget_s=30.0) as worker:
        asyncio.run(clients())
    return acknowledged


def migrate_and_write_one(url: str) -> None:
    migrate(url)
    engine = open_database(url)
    with engine.begin() as connection:
        insert_rows(connection, rows(record()))
    engine.dispose()


def test_two_writers_lose_and_duplicate_nothing(
    database_url: str, tmp_path: Path, processes: ProcessPoolExecutor
) -> None:
    url = database_url
    migrate(url)
    acknowledged = [query_id for ids in processes.map(write, [url, url], [tmp_path, tmp_path]) for query_id in ids]
    assert len(acknowledged) == 2 * RECORDS
    engine = open_database(url)
    with begin_reading(engine) as connection:
        assert sorted(connection.scalars(select(queries.c.id))) == sorted(acknowledged)
        assert sorted(connection.scalars(select(customer_history.c.id))) == sorted(acknowledged)
    engine.dispose()


def test_processes_that_start_at_once_migrate_once(database_url: str, processes: ProcessPoolExecutor) -> None:
    list(processes.map(migrate_and_write_one, [database_url] * 8))
    engine = open_database(database_url)
    with begin_reading(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(queries)) == 8
    engine.dispose()
