"""The outbox: events that wait for delivery to a sink, and dead letters.

A row is inserted in the transaction of the change that it describes, and deleted after delivery.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, insert, not_, select, update

from frontdesk.storage.events import Event, EventType
from frontdesk.storage.tables import outbox


@dataclass(frozen=True, slots=True)
class WaitingEvent:
    """A due event, and the number of times that its sink has refused it."""

    event: Event
    attempts: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that its sink refused too often, without its payload."""

    event_id: str
    sink: str
    type: str
    customer_id: str | None
    attempts: int
    last_error: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SinkBacklog:
    """Backlog of a sink. `oldest` is the time of the event that has waited longest."""

    sink: str
    waiting: int
    dead: int
    oldest: datetime | None


_INSERT = insert(outbox)


def insert_outbox(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows of `events.outbox_rows`; may be empty."""
    if rows:
        connection.execute(_INSERT, rows)


def due_events(
    connection: Connection, sink: str, now: datetime, limit: int, suspended: Sequence[str] = ()
) -> list[WaitingEvent]:
    """Return due events for a sink, in order. An event waits while an earlier event of its customer awaits a retry.

    Dead letters hold back no event. Tenants in `suspended` are excluded.
    """
    earlier = outbox.alias("earlier")
    held_back = exists().where(
        earlier.c.tenant == outbox.c.tenant,
        earlier.c.sink == outbox.c.sink,
        earlier.c.customer_id == outbox.c.customer_id,
        earlier.c.event_id < outbox.c.event_id,
        earlier.c.next_attempt_at > now,
        not_(earlier.c.is_dead),
    )
    due = and_(outbox.c.sink == sink, not_(outbox.c.is_dead), outbox.c.next_attempt_at <= now, not_(held_back))
    if suspended:
        due = and_(due, outbox.c.tenant.not_in(suspended))
    columns = (*(outbox.c[name] for name in Event.__dataclass_fields__), outbox.c.attempts)
    rows = connection.execute(select(*columns).where(due).order_by(outbox.c.event_id).limit(limit))
    return [WaitingEvent(Event(*fields), attempts) for *fields, attempts in rows]


def delete_delivered(connection: Connection, sink: str, event_ids: Sequence[str]) -> None:
    """Delete events that the sink has accepted."""
    connection.execute(delete(outbox).where(outbox.c.sink == sink, outbox.c.event_id.in_(event_ids)))


def postpone(
    connection: Connection, sink: str, event_id: str, *, attempts: int, until: datetime, give_up: bool, error: str
) -> None:
    """Record that the sink has refused an event `attempts` times; `error` is the name of the last error."""
    connection.execute(
        update(outbox)
        .where(_is_event(sink, event_id))
        .values(attempts=attempts, next_attempt_at=until, is_dead=give_up, last_error=error)
    )


def list_sink_backlogs(connection: Connection, tenant: str | None = None) -> list[SinkBacklog]:
    """Return the lag of each sink with waiting events or dead letters, of all tenants or of one."""
    waiting = func.count().filter(not_(outbox.c.is_dead))
    dead = func.count().filter(outbox.c.is_dead)
    oldest = func.min(outbox.c.created_at).filter(not_(outbox.c.is_dead))
    statement = select(outbox.c.sink, waiting, dead, oldest).group_by(outbox.c.sink).order_by(outbox.c.sink)
    if tenant is not None:
        statement = statement.where(outbox.c.tenant == tenant)
    return [SinkBacklog(*row) for row in connection.execute(statement)]


def count_undelivered_by_sink(connection: Connection, tenant: str, event_ids: Sequence[str]) -> dict[str, int]:
    """Return how many of these events each sink has not accepted yet."""
    in_events = and_(outbox.c.tenant == tenant, outbox.c.event_id.in_(event_ids))
    counts = select(outbox.c.sink, func.count()).where(in_events).group_by(outbox.c.sink).order_by(outbox.c.sink)
    return {row[0]: row[1] for row in connection.execute(counts)}


def dead_letters(connection: Connection, tenant: str, limit: int) -> list[DeadLetter]:
    """Return dead letters, oldest first."""
    columns = [outbox.c[name] for name in DeadLetter.__dataclass_fields__]
    statement = select(*columns).where(outbox.c.tenant == tenant, outbox.c.is_dead)
    return [DeadLetter(*row) for row in connection.execute(statement.order_by(outbox.c.event_id).limit(limit))]


def retry_dead_letter(connection: Connection, tenant: str, sink: str, event_id: str, now: datetime) -> bool:
    """Make a dead letter due again, like a new event. Return False if this tenant has no such dead letter."""
    statement = update(outbox).where(_is_dead_letter(tenant, sink, event_id))
    return bool(connection.execute(statement.values(is_dead=False, attempts=0, next_attempt_at=now)).rowcount)


def delete_dead_letter(connection: Connection, tenant: str, sink: str, event_id: str) -> bool:
    """Delete a dead letter. Return False if this tenant has no such dead letter."""
    return bool(connection.execute(delete(outbox).where(_is_dead_letter(tenant, sink, event_id))).rowcount)


def delete_customer_events(connection: Connection, tenant: str, customer_id: str) -> int:
    """Delete a customer's waiting events and dead letters, except erasure events; return the number deleted."""
    return connection.execute(
        delete(outbox).where(
            outbox.c.tenant == tenant, outbox.c.customer_id == customer_id, outbox.c.type != EventType.ERASED.value
        )
    ).rowcount


def _is_event(sink: str, event_id: str) -> ColumnElement[bool]:
    return and_(outbox.c.event_id == event_id, outbox.c.sink == sink)


def _is_dead_letter(tenant: str, sink: str, event_id: str) -> ColumnElement[bool]:
    return and_(_is_event(sink, event_id), outbox.c.tenant == tenant, outbox.c.is_dead)
