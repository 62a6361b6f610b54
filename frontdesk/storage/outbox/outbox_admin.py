"""What an administrator sees of the outbox and may do about it: a tenant's own lag and dead letters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from frontdesk.errors import NotFound, StorageUnavailable
from frontdesk.storage.database import begin_reading, write_turn
from frontdesk.storage.sql.outbox import DeadLetter, Lag, dead_letters, drop, list_lags, retry_dead_letter
from frontdesk.storage.transactions import in_storage_thread

MAX_DEAD_LETTERS = 100

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class OutboxReport:
    """`sinks` are those for which anything waits or was given up, `dead` the oldest dead letters, a hundred at most."""

    sinks: tuple[Lag, ...]
    dead: tuple[DeadLetter, ...]


@dataclass(frozen=True, slots=True)
class OutboxAdmin:
    """Every call may raise `StorageUnavailable`; the last two `NotFound` where the tenant has no such dead letter."""

    engine: Engine

    async def report(self, tenant: str) -> OutboxReport:
        return await in_storage_thread(lambda: self._read(lambda connection: _report(connection, tenant)))

    async def retry(self, tenant: str, sink: str, event_id: str) -> None:
        """Try a dead letter again as if it were new: later events of its customer may be there before it."""
        await self._change(lambda connection: retry_dead_letter(connection, tenant, sink, event_id, datetime.now(UTC)))

    async def drop(self, tenant: str, sink: str, event_id: str) -> None:
        """Forget a dead letter: its sink will never have it."""
        await self._change(lambda connection: drop(connection, tenant, sink, event_id))

    async def _change(self, work: Callable[[Connection], bool]) -> None:
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
            with write_turn(self.engine), self.engine.begin() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            raise _unavailable(error) from None


def _report(connection: Connection, tenant: str) -> OutboxReport:
    dead = dead_letters(connection, tenant, MAX_DEAD_LETTERS)
    return OutboxReport(tuple(list_lags(connection, tenant)), tuple(dead))


def _unavailable(error: SQLAlchemyError) -> StorageUnavailable:
    return StorageUnavailable(f"The outbox could not be read ({type(error).__name__}).", hint="Try again later.")
