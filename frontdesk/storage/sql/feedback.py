"""What people say about an answer: one row of `feedback`, and what it adds to the customer's history."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from frontdesk.identifiers import uuid7
from frontdesk.storage.sql.listing import Feedback
from frontdesk.storage.tables import customer_history, feedback, queries


@dataclass(frozen=True, slots=True)
class Opinion:
    """Corrected labels, what became of the reply (accepted, edited or rejected), satisfaction from 1 to 5."""

    intent: str | None = None
    sentiment: str | None = None
    priority: str | None = None
    reply: str | None = None
    satisfaction: int | None = None


def insert_feedback(
    connection: Connection, tenant: str, subject: str, query_id: str, opinion: Opinion, at: datetime
) -> tuple[Feedback, str | None] | None:
    """Keep an opinion on a query, and say whose query it is; None where this tenant has none, or it was erased.

    A customer's satisfaction stands once in the history: at the interaction that it is about, where there is one.
    """
    found = connection.execute(
        select(queries.c.customer_id, queries.c.intent).where(
            queries.c.id == query_id, queries.c.tenant == tenant, queries.c.answer != ""
        )
    ).one_or_none()
    if found is None:
        return None
    given = Feedback(id=uuid7(), query_id=query_id, created_at=at, subject=subject, **asdict(opinion))
    about = {"tenant": tenant, "customer_id": found.customer_id, "understood_intent": found.intent}
    connection.execute(insert(feedback).values(**asdict(given), **about))
    if found.customer_id is not None:
        _add_to_history(connection, tenant, found.customer_id, given)
    return given, found.customer_id


def _add_to_history(connection: Connection, tenant: str, customer_id: str, given: Feedback) -> None:
    satisfaction = given.satisfaction
    if satisfaction is not None:
        told = connection.execute(
            update(customer_history)
            .where(customer_history.c.id == given.query_id, customer_history.c.tenant == tenant)
            .values(satisfaction_score=satisfaction)
        )
        satisfaction = satisfaction if told.rowcount == 0 else None
    connection.execute(
        insert(customer_history).values(
            id=given.id,
            tenant=tenant,
            customer_id=customer_id,
            interaction_type="feedback",
            summary=_summary(given),
            resolution_status=given.reply or "noted",
            satisfaction_score=satisfaction,
            created_at=given.created_at,
        )
    )


def _summary(given: Feedback) -> str:
    said = {
        "reply": given.reply,
        "intent": given.intent,
        "sentiment": given.sentiment,
        "priority": given.priority,
        "satisfaction": given.satisfaction,
    }
    return ", ".join(f"{what}: {value}" for what, value in said.items() if value is not None)
