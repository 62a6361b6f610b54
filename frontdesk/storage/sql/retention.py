"""Which rows are older than they may be, a part at a time, and what becomes of them.

Texts go the way they do in an erasure: labels and times stay, so that counts stay true.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, delete, func, insert, select, update
from sqlalchemy import and_ as all_of

from frontdesk.storage.sql.erasure import ERASED_HISTORY, ERASED_QUERY, NOBODY
from frontdesk.storage.tables import customer_history, feedback, outbox, queries, retention_runs

Ids = Sequence[Row[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Expired:
    """The rows of a table that retention still has to deal with: `old` says which, before a moment."""

    table: Table
    old: Callable[[datetime], ColumnElement[bool]]

    def count(self, connection: Connection, before: datetime) -> int:
        return sum(
            connection.scalar(select(func.count()).select_from(self.table).where(self._of(tenant), self.old(before)))
            or 0
            for tenant in self._tenants(connection)
        )

    def part(self, connection: Connection, before: datetime, limit: int) -> Ids:
        """Primary keys of some of them; none when all are dealt with."""
        keys = list(self.table.primary_key.columns)
        for tenant in self._tenants(connection):
            found = connection.execute(select(*keys).where(self._of(tenant), self.old(before)).limit(limit)).all()
            if found:
                return found
        return []

    def _of(self, tenant: str) -> ColumnElement[bool]:
        return self.table.c.tenant == tenant

    def _tenants(self, connection: Connection) -> list[str]:
        """From one name to the next by an index, because tenants are few and rows are many."""
        tenant = self.table.c.tenant
        first = select(func.min(tenant).label("tenant")).cte("tenants", recursive=True)
        following = select(func.min(tenant)).where(tenant > first.c.tenant).scalar_subquery()
        every = first.union_all(select(following).where(first.c.tenant.is_not(None)))
        return list(connection.scalars(select(every.c.tenant).where(every.c.tenant.is_not(None))))


@dataclass(frozen=True, slots=True)
class Expiry:
    """`expired` finds rows, `remove` deals with some of them in the connection's transaction."""

    expired: Expired
    remove: Callable[[Connection, Ids], None]


expired_queries = Expired(queries, lambda before: all_of(queries.c.created_at < before, queries.c.answer != ""))
expired_history = Expired(
    customer_history,
    lambda before: all_of(customer_history.c.created_at < before, customer_history.c.customer_id != NOBODY),
)
expired_feedback = Expired(feedback, lambda before: feedback.c.created_at < before)
expired_outbox = Expired(outbox, lambda before: outbox.c.created_at < before)


def empty_queries(connection: Connection, ids: Ids) -> None:
    """Texts, originals, answers and names go; labels and times stay."""
    connection.execute(update(queries).where(queries.c.id.in_([row[0] for row in ids])).values(**ERASED_QUERY))


def unname_history(connection: Connection, ids: Ids) -> None:
    there = customer_history.c.id.in_([row[0] for row in ids])
    connection.execute(update(customer_history).where(there).values(**ERASED_HISTORY))


def delete_feedback(connection: Connection, ids: Ids) -> None:
    connection.execute(delete(feedback).where(feedback.c.id.in_([row[0] for row in ids])))


def delete_outbox(connection: Connection, ids: Ids) -> None:
    """Events that no sink took in all that time are never told."""
    for event_id, sink in map(tuple, ids):
        connection.execute(delete(outbox).where(outbox.c.event_id == event_id, outbox.c.sink == sink))


def insert_run(connection: Connection, identity: str, started_at: datetime, finished_at: datetime, report: str) -> None:
    row = {"id": identity, "started_at": started_at, "finished_at": finished_at, "report": report}
    connection.execute(insert(retention_runs), row)


def last_run(connection: Connection) -> datetime | None:
    """When the last run ended."""
    last: datetime | None = connection.scalar(select(func.max(retention_runs.c.finished_at)))
    return last
