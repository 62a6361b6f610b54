"""Run statements of a request in a thread, and stop them at the request's deadline.

The database stops a statement by itself (PostgreSQL's `statement_timeout`, SQLite's progress handler), so that a thread
and a connection are free again soon after their request timed out.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from frontdesk.deadline import Deadline
from frontdesk.errors import DeadlineExceeded, StorageUnavailable
from frontdesk.storage.database import begin_reading, begin_writing

T = TypeVar("T")

STORAGE_THREADS = 8
"""Concurrent statements of a process. Other slow work (name resolution, files) runs in other threads."""
STEPS_PER_DEADLINE_CHECK = 10_000
"""Steps of SQLite's virtual machine: about a millisecond."""
_TIMEOUT_CODES = ("SQLITE_INTERRUPT", "57014")


async def read(engine: Engine, statement: Callable[[Connection], T], deadline: Deadline, doing: str) -> T:
    """Run `statement` in a transaction that cannot write, and return its result.

    Raises:
        DeadlineExceeded: the deadline passed; the message contains `doing`.
        StorageUnavailable: the database is unavailable, or rejected the statement.
    """

    def work() -> T:
        with begin_reading(engine) as connection, _limit_time(connection, deadline, read_only=True):
            return statement(connection)

    return await _run(work, deadline, doing)


async def write(engine: Engine, statement: Callable[[Connection], T], deadline: Deadline, doing: str) -> T:
    """Run `statement` in a transaction and return its result after the commit. An error that it raises rolls back.

    Raises:
        DeadlineExceeded, StorageUnavailable: as `read`. A transaction whose commit took too long may be committed
            anyway.
    """

    def work() -> T:
        with begin_writing(engine) as connection, _limit_time(connection, deadline, read_only=False):
            return statement(connection)

    return await _run(work, deadline, doing)


_threads = ThreadPoolExecutor(STORAGE_THREADS, thread_name_prefix="frontdesk-storage")
_spool_threads = ThreadPoolExecutor(1, thread_name_prefix="frontdesk-spool-read")


async def in_storage_thread(work: Callable[[], T]) -> T:
    """Run `work` in a thread of the storage pool and return its result."""
    return await asyncio.get_running_loop().run_in_executor(_threads, work)


async def in_spool_thread(work: Callable[[], T]) -> T:
    """Run `work` in the spool thread: health checks read the spool and must not wait for statements of requests."""
    return await asyncio.get_running_loop().run_in_executor(_spool_threads, work)


async def _run(work: Callable[[], T], deadline: Deadline, doing: str) -> T:
    try:
        return await deadline.wait_for(in_storage_thread(work), doing)
    except SQLAlchemyError as error:
        if _error_code(error) in _TIMEOUT_CODES:
            raise DeadlineExceeded(
                f"The deadline passed while {doing}.", hint="Allow more time, or ask for a shorter span of time."
            ) from None
        raise StorageUnavailable(
            f"The database did not answer ({type(error).__name__}).", hint="Try again later."
        ) from None


@contextmanager
def _limit_time(connection: Connection, deadline: Deadline, *, read_only: bool) -> Iterator[None]:
    if connection.dialect.name == "postgresql":
        milliseconds = max(1, int(deadline.remaining_s() * 1000))  # 0 would mean no limit
        mode = "SET TRANSACTION READ ONLY; " if read_only else ""
        connection.exec_driver_sql(f"{mode}SET LOCAL statement_timeout = {milliseconds}")
        yield
        return
    driver = connection.connection.driver_connection
    assert driver is not None, "the connection is open"
    driver.set_progress_handler(lambda: time.monotonic() > deadline.at, STEPS_PER_DEADLINE_CHECK)
    try:
        yield
    finally:
        driver.set_progress_handler(None, 0)


def _error_code(error: SQLAlchemyError) -> str | None:
    origin = error.orig if isinstance(error, DBAPIError) else None
    return getattr(origin, "sqlite_errorname", None) or getattr(origin, "pgcode", None)
