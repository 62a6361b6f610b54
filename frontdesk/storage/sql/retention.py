"""Select expired rows in batches, and remove or anonymise them.

Rows of `queries` are emptied as by an erasure: labels and times stay, so that counts stay correct.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, delete, func, insert, select, update
from sqlalchemy import and_ as all_of

from frontdesk.storage.sql.erasure import ERASED_CUSTOMER, ERASED_HISTORY, ERASED_QUERY
from frontdesk.storage.tables import customer_history, feedback, outbox, queries, retention_runs

Ids = Sequence[Row[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class ExpiredRows:
    """The expired rows of a table. `old` returns the condition for rows from before a time."""

    table: Table
    old: Callable[[datetime], ColumnElement[bool]]

    def count(self, connection: Connection, before: datetime) -> int:
        return sum(
            connection.scalar(
                select(func.count()).select_from(self.table).where(self._of_tenant(tenant), self.old(before))
            )
            or 0
            for tenant in self._tenants(connection)
        )

    def batch(self, connection: Connection, before: datetime, limit: int) -> Ids:
        """Return the primary keys of up to `limit` expired rows of one tenant; empty if none are left."""
        keys = list(self.table.primary_key.columns)
        for tenant in self._tenants(connection):
            rows = connection.execute(select(*keys).where(self._of_tenant(tenant), self.old(before)).limit(limit)).all()
            if rows:
                return rows
        return []

    def _of_tenant(self, tenant: str) -> ColumnElement[bool]:
        return self.table.c.tenant == tenant

    def _tenants(self, connection: Connection) -> list[str]:
        """Return all tenants by a loose index scan: tenants are few and rows are many."""
        tenant = self.table.c.tenant
        first = select(func.min(tenant).label("tenant")).cte("tenants", recursive=True)
        following = select(func.min(tenant)).where(tenant > first.c.tenant).scalar_subquery()
        every = first.union_all(select(following).where(first.c.tenant.is_not(None)))
        return list(connection.scalars(select(every.c.tenant).where(every.c.tenant.is_not(None))))


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """Retention of a table: `expired` selects rows, `remove` removes a batch in the connection's transaction."""

    expired: ExpiredRows
    remove: Callable[[Connection, Ids], None]


expired_queries = ExpiredRows(queries, lambda before: all_of(queries.c.created_at < before, queries.c.answer != ""))
expired_history = ExpiredRows(
    customer_history,
    lambda before: all_of(customer_history.c.created_at < before, customer_history.c.customer_id != ERASED_CUSTOMER),
)
expired_feedback = ExpiredRows(feedback, lambda before: feedback.c.created_at < before)
expired_outbox = ExpiredRows(outbox, lambda before: outbox.c.created_at < before)


def anonymise_queries(connection: Connection, ids: Ids) -> None:
    """Empty texts, originals, answers and ids; labels and times stay."""
    connection.execute(update(queries).where(queries.c.id.in_([row[0] for row in ids])).values(**ERASED_QUERY))


def anonymise_history(connection: Connection, ids: Ids) -> None:
    """Remove the customer id."""
    expired = customer_history.c.id.in_([row[0] for row in ids])
    connection.execute(update(customer_history).where(expired).values(**ERASED_HISTORY))


def delete_feedback(connection: Connection, ids: Ids) -> None:
    connection.execute(delete(feedback).where(feedback.c.id.in_([row[0] for row in ids])))


def delete_outbox(connection: Connection, ids: Ids) -> None:
    """Delete events that were not delivered in time; the sinks never get them."""
    for event_id, sink in map(tuple, ids):
        connection.execute(delete(outbox).where(outbox.c.event_id == event_id, outbox.c.sink == sink))


def insert_retention_run(
    connection: Connection, identity: str, started_at: datetime, finished_at: datetime, report: str
) -> None:
    row = {"id": identity, "started_at": started_at, "finished_at": finished_at, "report": report}
    connection.execute(insert(retention_runs), row)


def last_retention_run(connection: Connection) -> datetime | None:
    """Return when the last run ended, or None."""
    finished_at: datetime | None = connection.scalar(select(func.max(retention_runs.c.finished_at)))
    return finished_at
