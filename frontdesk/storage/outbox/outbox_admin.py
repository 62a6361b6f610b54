"""Administration of the outbox: lag and dead letters of a tenant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from frontdesk.errors import NotFound, StorageUnavailable
from frontdesk.storage.database import begin_reading, sqlite_write_turn
from frontdesk.storage.sql.outbox import (
    DeadLetter,
    SinkBacklog,
    dead_letters,
    delete_dead_letter,
    list_sink_backlogs,
    retry_dead_letter,
)
from frontdesk.storage.transactions import in_storage_thread

MAX_DEAD_LETTERS = 100

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class OutboxReport:
    """`sinks`: lag of each sink with waiting events or dead letters. `dead`: the oldest dead letters, 100 at most."""

    sinks: tuple[SinkBacklog, ...]
    dead: tuple[DeadLetter, ...]


@dataclass(frozen=True, slots=True)
class OutboxAdmin:
    """Reports on the outbox, and changes dead letters. Every method may raise `StorageUnavailable`.

    `retry_dead_letter` and `delete_dead_letter` raise `NotFound` if the tenant has no such dead letter.
    """

    engine: Engine

    async def report(self, tenant: str) -> OutboxReport:
        return await in_storage_thread(lambda: self._read(lambda connection: _report(connection, tenant)))

    async def retry_dead_letter(self, tenant: str, sink: str, event_id: str) -> None:
        """Deliver a dead letter again, like a new event. Later events of its customer may be delivered already."""
        await self._change_dead_letter(
            lambda connection: retry_dead_letter(connection, tenant, sink, event_id, datetime.now(UTC))
        )

    async def delete_dead_letter(self, tenant: str, sink: str, event_id: str) -> None:
        """Delete a dead letter. Its sink never gets it."""
        await self._change_dead_letter(lambda connection: delete_dead_letter(connection, tenant, sink, event_id))

    async def _change_dead_letter(self, work: Callable[[Connection], bool]) -> None:
        if not await in_storage_thread(lambda: self._write(work)):
            raise NotFound("There is no such dead letter.")

    def _read(self, work: Callable[[Connection], T]) -> T:
        try:
            with begin_reading(self.engine) as connection:
                return work(connection)
        except SQLAlchemyError as error:
            raise _unavailable(error) from None

    def _write(self, work: Callable[[Connection], T]) -> T:
        try:
            with sqlite_write_turn(self.engine), self.engine.begin() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            raise _unavailable(error) from None


def _report(connection: Connection, tenant: str) -> OutboxReport:
    dead = dead_letters(connection, tenant, MAX_DEAD_LETTERS)
    return OutboxReport(tuple(list_sink_backlogs(connection, tenant)), tuple(dead))


def _unavailable(error: SQLAlchemyError) -> StorageUnavailable:
    return StorageUnavailable(f"The outbox could not be read ({type(error).__name__}).", hint="Try again later.")
