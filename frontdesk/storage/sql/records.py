"""What is kept of an answered query: its row, its place in the customer's history, and how it is found again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, insert, select

from frontdesk.identifiers import uuid7
from frontdesk.storage.tables import customer_history, model_performance, queries
from frontdesk.types import Action, Answer, Record

RESOLUTION: Mapping[Action, str] = {
    Action.AUTOMATE: "answered",
    Action.DRAFT: "drafted",
    Action.CLARIFY: "waiting",
    Action.ESCALATE: "escalated",
}

# 5 us for an answer of 1.9 kB; pydantic_core.to_json takes 17 and keeps the Nones of dataclasses, whatever it is told.
_ANSWER = TypeAdapter(Answer).serializer
_INSERT_QUERY = insert(queries)
_INSERT_HISTORY = insert(customer_history)
_INSERT_PERFORMANCE = insert(model_performance)


def insert_records(connection: Connection, records: Sequence[Record]) -> None:
    """One row of `queries` for each record, and one of `customer_history` where a known customer got a reply.

    `records` holds at least one. The history row has the id of its query, so neither can be there twice.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database refused; then none of the rows may be committed.
        ValueError: a text that cannot be encoded, or a moment without a time zone.
    """
    connection.execute(_INSERT_QUERY, [_query_row(record) for record in records])
    history = [_history_row(record) for record in records if _is_interaction(record)]
    if history:
        connection.execute(_INSERT_HISTORY, history)


def find_answer(connection: Connection, tenant: str, query_id: str) -> bytes | None:
    """The masked Answer as it was stored, JSON in UTF-8; None where this tenant has no such query."""
    stored = connection.scalar(select(queries.c.answer).where(queries.c.id == query_id, queries.c.tenant == tenant))
    return None if stored is None else stored.encode()


def insert_performance(
    connection: Connection, tenant: str, model_name: str, model_version: str, metrics: Mapping[str, float], at: datetime
) -> None:
    """One row for each metric of one evaluation; `at` is aware."""
    rows = [
        {
            "id": uuid7(),
            "tenant": tenant,
            "model_name": model_name,
            "model_version": model_version,
            "metric_name": name,
            "metric_value": value,
            "evaluation_date": at,
        }
        for name, value in metrics.items()
    ]
    if rows:
        connection.execute(_INSERT_PERFORMANCE, rows)


def _query_row(record: Record) -> dict[str, Any]:
    query, answer = record.query, record.answer
    return {
        "id": answer.query_id,
        "tenant": record.caller.tenant,
        "customer_id": query.customer_id,
        "session_id": query.session_id,
        "query_text": record.text.text,
        "intent": answer.intent.label,
        "sentiment": answer.sentiment.label,
        "confidence": answer.intent.confidence,
        "priority": answer.priority.level.value,
        "priority_score": answer.priority.score,
        "response_text": answer.reply.text if answer.reply else None,
        "response_time_ms": record.response_time_ms,
        "decision": answer.decision.action.value,
        "escalation_needed": answer.decision.action is Action.ESCALATE,
        "uncertainty_score": answer.uncertainty.score,
        "channel": query.channel.value,
        "customer_tier": query.customer_tier.value,
        "model_version": answer.model_version,
        "answer": _ANSWER.to_json(answer, exclude_none=True).decode(),
        "created_at": record.created_at,
        "updated_at": record.created_at,
    }


def _is_interaction(record: Record) -> bool:
    return record.query.customer_id is not None and record.answer.reply is not None


def _history_row(record: Record) -> dict[str, Any]:
    """Labels only: a summary is shown where the text of a message must not be."""
    answer = record.answer
    return {
        "id": answer.query_id,
        "tenant": record.caller.tenant,
        "customer_id": record.query.customer_id,
        "interaction_type": "query",
        "summary": f"{answer.intent.label}: {answer.decision.action.value}",
        "resolution_status": RESOLUTION[answer.decision.action],
        "created_at": record.created_at,
    }


def ping(connection: Connection) -> bool:
    """Does the database answer at all?"""
    return connection.scalar(select(1)) == 1
