"""Feedback on an answer: one row of `feedback`, and the satisfaction in the customer's history.

A subject has one opinion on a query: a later one replaces the earlier one, here and in the history.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from frontdesk.identifiers import uuid7
from frontdesk.storage.sql.pagination import Feedback
from frontdesk.storage.tables import customer_history, feedback, queries

IDS_PER_STATEMENT = 500
"""Ids per statement: databases limit the number of parameters."""


@dataclass(frozen=True, slots=True)
class NewFeedback:
    """Feedback as given: corrected labels, use of the reply (accepted, edited or rejected), rating from 1 to 5."""

    intent: str | None = None
    sentiment: str | None = None
    priority: str | None = None
    reply: str | None = None
    satisfaction: int | None = None


@dataclass(frozen=True, slots=True)
class StoredFeedback:
    """Feedback as stored, the customer of its query, and the earlier opinions of the subject that it replaced."""

    feedback: Feedback
    customer_id: str | None
    replaced: tuple[Feedback, ...] = ()


def insert_feedback(
    connection: Connection, tenant: str, subject: str, query_id: str, opinion: NewFeedback, at: datetime
) -> StoredFeedback | None:
    """Store an opinion on a query; None if the tenant has no such query or it was erased.

    A rating is stored once in the customer's history: with the interaction that it rates, if there is one.
    """
    query_row = connection.execute(
        select(queries.c.customer_id, queries.c.intent).where(
            queries.c.id == query_id, queries.c.tenant == tenant, queries.c.answer != ""
        )
    ).one_or_none()
    if query_row is None:
        return None
    replaced = _delete_earlier(connection, tenant, subject, query_id)
    entry = Feedback(id=uuid7(), query_id=query_id, created_at=at, subject=subject, **asdict(opinion))
    query_fields = {"tenant": tenant, "customer_id": query_row.customer_id, "understood_intent": query_row.intent}
    connection.execute(insert(feedback).values(**asdict(entry), **query_fields))
    if query_row.customer_id is not None:
        _add_to_history(connection, tenant, query_row.customer_id, entry)
    return StoredFeedback(entry, query_row.customer_id, replaced)


def _delete_earlier(connection: Connection, tenant: str, subject: str, query_id: str) -> tuple[Feedback, ...]:
    """Delete and return the subject's earlier feedback on the query, and remove it from the customer's history.

    Concurrent requests leave one opinion: SQLite has one writer, PostgreSQL locks the query's feedback.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"feedback {tenant} {query_id}"))))
    names = [field.name for field in fields(Feedback)]
    earlier = connection.execute(
        select(*(feedback.c[name] for name in names)).where(
            feedback.c.tenant == tenant, feedback.c.query_id == query_id, feedback.c.subject == subject
        )
    ).mappings()
    replaced = tuple(Feedback(**row) for row in earlier)
    if not replaced:
        return ()
    ids = [row.id for row in replaced]
    for start in range(0, len(ids), IDS_PER_STATEMENT):
        chunk = ids[start : start + IDS_PER_STATEMENT]
        connection.execute(delete(feedback).where(feedback.c.tenant == tenant, feedback.c.id.in_(chunk)))
        connection.execute(
            delete(customer_history).where(customer_history.c.tenant == tenant, customer_history.c.id.in_(chunk))
        )
    if any(row.satisfaction is not None for row in replaced):
        latest = (
            select(feedback.c.satisfaction)
            .where(feedback.c.tenant == tenant, feedback.c.query_id == query_id, feedback.c.satisfaction.is_not(None))
            .order_by(feedback.c.created_at.desc(), feedback.c.id.desc())
            .limit(1)
        )
        connection.execute(
            update(customer_history)
            .where(customer_history.c.tenant == tenant, customer_history.c.id == query_id)
            .values(satisfaction_score=connection.scalar(latest))
        )
    return replaced


def _add_to_history(connection: Connection, tenant: str, customer_id: str, entry: Feedback) -> None:
    satisfaction = entry.satisfaction
    if satisfaction is not None:
        updated = connection.execute(
            update(customer_history)
            .where(customer_history.c.id == entry.query_id, customer_history.c.tenant == tenant)
            .values(satisfaction_score=satisfaction)
        )
        satisfaction = satisfaction if updated.rowcount == 0 else None
    connection.execute(
        insert(customer_history).values(
            id=entry.id,
            tenant=tenant,
            customer_id=customer_id,
            interaction_type="feedback",
            summary=_summary(entry),
            resolution_status=entry.reply or "noted",
            satisfaction_score=satisfaction,
            created_at=entry.created_at,
        )
    )


def _summary(entry: Feedback) -> str:
    values = {
        "reply": entry.reply,
        "intent": entry.intent,
        "sentiment": entry.sentiment,
        "priority": entry.priority,
        "satisfaction": entry.satisfaction,
    }
    return ", ".join(f"{name}: {value}" for name, value in values.items() if value is not None)
