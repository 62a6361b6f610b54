"""The recorder: requests that finish together are committed together.

A commit waits for the disk, and most of what it costs is the same for one row as for a hundred. So one thread takes
every record that waits, writes them in one transaction, and wakes their requests once it is committed. There is no
waiting window: an idle thread commits a lone record at once, and a busy one finds more the next time.

Knows nothing of which statements are run, and never shows what a record holds: database errors carry rows, hence
customers' words, so only the name of an error leaves this file.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Lock, Thread

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from frontdesk.errors import StorageUnavailable
from frontdesk.storage.database import write_turn
from frontdesk.storage.sql.records import insert_records
from frontdesk.types import Record

COMMITTED = "committed"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A record, the request that waits for it, and the moment (monotonic, seconds) at which that gives up."""

    record: Record
    told: asyncio.Future[str]
    until: float

    def is_over(self) -> bool:
        return self.told.done() or time.monotonic() > self.until


class GroupCommit:
    """One writer thread a process. Make it after a fork, never before; several may share one database.

    Args:
        engine: of `open_database`; at most one of its connections is used.
        max_rows_per_commit: how many records one transaction takes.
        commit_timeout_s: how long a request waits for its commit, in seconds.
    """

    def __init__(self, engine: Engine, *, max_rows_per_commit: int, commit_timeout_s: float) -> None:
        self._engine = engine
        self._max_rows = max_rows_per_commit
        self._timeout_s = commit_timeout_s
        self._queue: SimpleQueue[Waiting | None] = SimpleQueue()
        self._closing = Lock()
        self._closed = False
        self._connection: Connection | None = None  # the thread's own
        self._thread = Thread(target=self._write, name="frontdesk-recorder", daemon=True)
        self._thread.start()

    async def keep(self, record: Record) -> str:
        """Write the record and return "committed" once it is on the disk.

        A caller that is cancelled, or whose time is over, is forgotten: its record is dropped if the thread has not
        come to it, but it may still be written. What is not acknowledged may be there; what is acknowledged is.

        Raises:
            StorageUnavailable: the database refused the record, did not commit it in time, or the recorder is closed.
        """
        told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        with self._closing:
            if self._closed:
                raise StorageUnavailable("The recorder is closed.", hint="The server is stopping; ask another one.")
            self._queue.put(Waiting(record, told, time.monotonic() + self._timeout_s))
        try:
            async with asyncio.timeout(self._timeout_s):
                return await told
        except TimeoutError:
            raise StorageUnavailable(
                f"The record was not committed within {self._timeout_s} s.", hint="Try again later."
            ) from None

    def close(self) -> None:
        """Commit what waits, then stop. Blocks until that is done; a second call does nothing more."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._queue.put(None)  # under the lock, so nothing can come after it
        self._thread.join()

    def _write(self) -> None:
        for batch in self._batches():
            self._tell(batch, self._commit(batch))
        self._let_go()

    def _batches(self) -> Iterator[list[Waiting]]:
        """What waits, as much as one transaction takes, until the end of the queue."""
        while (waiting := self._queue.get()) is not None:
            batch = [waiting]
            while len(batch) < self._max_rows and not self._queue.empty():
                another = self._queue.get()
                if another is None:
                    self._queue.put(None)
                    break
                batch.append(another)
            yield batch

    def _commit(self, batch: Sequence[Waiting]) -> list[StorageUnavailable | None]:
        """What went wrong with each. After a failure every row is tried alone, so that one cannot fail the others."""
        failure = self._attempt(batch)
        if failure is None or len(batch) == 1:
            return [failure] * len(batch)
        return [self._attempt([waiting]) for waiting in batch]

    def _attempt(self, batch: Sequence[Waiting]) -> StorageUnavailable | None:
        """Write in one transaction those for whom somebody still waits: a database that hangs is not asked for each."""
        records = [waiting.record for waiting in batch if not waiting.is_over()]
        if not records:
            return StorageUnavailable("Nobody waits for the record any more.")
        try:
            self._connection = self._connection or self._engine.connect()
            with write_turn(self._engine), self._connection.begin():
                insert_records(self._connection, records)
        except Exception as error:  # noqa: BLE001 - whatever it is, the thread must live and the callers must be told
            self._let_go()
            return StorageUnavailable(f"The record could not be stored ({_name(error)}).", hint="Try again later.")
        return None

    def _let_go(self) -> None:
        """Give the connection back to the pool, which replaces it if it is broken. Held, it saves 50 us a commit."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _tell(self, batch: Sequence[Waiting], failures: Sequence[StorageUnavailable | None]) -> None:
        """Wake the requests, with one call into each event loop however many there are."""
        loops: dict[asyncio.AbstractEventLoop, list[tuple[Waiting, StorageUnavailable | None]]] = {}
        for waiting, failure in zip(batch, failures, strict=True):
            loops.setdefault(waiting.told.get_loop(), []).append((waiting, failure))
        for loop, outcomes in loops.items():
            with suppress(RuntimeError):  # the loop is closed, and with it everybody who waited there
                loop.call_soon_threadsafe(_settle, outcomes)


def _settle(outcomes: Sequence[tuple[Waiting, StorageUnavailable | None]]) -> None:
    for waiting, failure in outcomes:
        if waiting.told.done():
            continue
        if failure is None:
            waiting.told.set_result(COMMITTED)
        else:
            waiting.told.set_exception(failure)


def _name(error: Exception) -> str:
    """The error's name and nothing of its message: SQLITE_FULL, a PostgreSQL code such as 53100, or a class."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(origin, "sqlite_errorname", None) or getattr(origin, "pgcode", None)
    return code or type(origin).__name__
