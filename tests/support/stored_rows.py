"""Rows that are inserted directly into the database, as after months of traffic, for tests of reads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, insert

from frontdesk.identifiers import uuid7
from frontdesk.storage.tables import customer_history, feedback, queries

START = datetime(2026, 6, 1, tzinfo=UTC)  # a Monday


def query_row(**changes: Any) -> dict[str, Any]:
    """A row of `queries`."""
    row = {
        "id": uuid7(),
        "tenant": "acme",
        "customer_id": "customer-7",
        "session_id": "session-1",
        "query_text": "Where is my order [ORDER_1]?",
        "query_sealed": b"sealed words",
        "intent": "track_order",
        "sentiment": "neutral",
        "confidence": 0.75,
        "priority": "low",
        "priority_score": 12.0,
        "response_text": "It is on its way.",
        "response_sealed": b"sealed reply",
        "response_time_ms": 8.0,
        "escalation_needed": False,
        "uncertainty_score": 0.25,
        "channel": "chat",
        "customer_tier": "standard",
        "model_version": "v1",
        "answer": '{"query_id":"?"}',
        "created_at": START,
        "decision": "draft",
        "audit_salt": None,
        "other_parts": None,
        "mail_sealed": None,
    }
    return {**row, "updated_at": changes.get("created_at", START), **changes}


def history_row(query: dict[str, Any]) -> dict[str, Any]:
    """The row of `customer_history` for a row of `queries`."""
    names = ("id", "tenant", "customer_id", "created_at")
    fields = {"interaction_type": "query", "summary": "track_order: draft", "resolution_status": "drafted"}
    return {**{name: query[name] for name in names}, **fields, "satisfaction_score": None}


def insert_queries(engine: Engine, rows: Sequence[dict[str, Any]], *, with_history: bool = False) -> None:
    with engine.begin() as connection:
        connection.execute(insert(queries), rows)
        if with_history:
            connection.execute(insert(customer_history), [history_row(row) for row in rows])


def insert_feedback(engine: Engine, query: dict[str, Any], **overrides: Any) -> None:
    row = {"id": uuid7(), "tenant": query["tenant"], "query_id": query["id"], "customer_id": query["customer_id"]}
    row["understood_intent"] = query["intent"]
    labels = dict.fromkeys(("intent", "sentiment", "priority", "reply", "satisfaction"))
    with engine.begin() as connection:
        connection.execute(
            insert(feedback), {**row, "subject": "agent", **labels, "created_at": query["created_at"], **overrides}
        )


def hours(number: float) -> timedelta:
    return timedelta(hours=number)
