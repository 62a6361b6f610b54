"""Events for other systems: answers, feedback and erasures. Pure functions of values.

The id of an event is the id of the record that it describes, a UUIDv7: receivers recognise duplicates by it, and a
customer's events sort by time. An event holds masked text, labels and the decision, never a customer's original text.
`outbox_rows` creates the rows of the outbox, and `dispatcher.py` delivers them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from frontdesk.types import Action, Record


class EventType(StrEnum):
    """Types of events."""

    ANSWERED = "query.answered"
    UNDERSTOOD = "query.understood"
    FEEDBACK = "feedback.given"
    ERASED = "customer.erased"
    QUERIES_ERASED = "query.erased"


@dataclass(frozen=True, slots=True)
class ErasedQuery:
    """A query that is being erased, its customer, and the ids of the feedback on it."""

    id: str
    customer_id: str | None
    feedback: tuple[str, ...] = ()


MAX_REPLACED = 100
"""Maximum number of replaced ratings in an event. Usually one is replaced; older releases stored several."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `payload` is a JSON object as UTF-8 text; `created_at` is timezone-aware."""

    event_id: str
    type: str
    tenant: str
    customer_id: str | None
    payload: str
    created_at: datetime

    def body(self) -> dict[str, Any]:
        """Parse the payload."""
        body: dict[str, Any] = json.loads(self.payload)
        return body

    def line(self) -> str:
        """Return the whole event as one line of JSON, without a line break."""
        head = {
            "event_id": self.event_id,
            "type": self.type,
            "tenant": self.tenant,
            "customer_id": self.customer_id,
            "created_at": self.created_at.isoformat(),
        }
        return f'{_json(head)[:-1]},"payload":{self.payload}}}'


def answered_event(record: Record) -> Event:
    """Return the event for an answered message, or for an understood message if no reply was requested."""
    query, answer = record.query, record.answer
    payload = {
        "query_id": answer.query_id,
        "session_id": query.session_id,
        "query_text": record.text.neutralize(record.text.text),
        "act": answer.act,
        "response_text": answer.reply.text if answer.reply else None,
        "intent": answer.intent.label,
        "confidence": answer.intent.confidence,
        "in_scope": answer.intent.in_scope,
        "sentiment": answer.sentiment.label,
        "priority": answer.priority.level,
        "priority_score": answer.priority.score,
        "uncertainty_score": answer.uncertainty.score,
        "decision": answer.decision.action,
        "reasons": answer.decision.reasons,
        "escalation_needed": answer.decision.action is Action.ESCALATE,
        "channel": query.channel,
        "customer_tier": query.customer_tier,
        "model_version": answer.model_version,
        "skipped": answer.skipped,
        "response_time_ms": record.response_time_ms,
        "created_at": record.created_at.isoformat(),
    }
    kind = EventType.ANSWERED if answer.reply else EventType.UNDERSTOOD
    return Event(answer.query_id, kind, record.caller.tenant, query.customer_id, _json(payload), record.created_at)


def feedback_event(row: Mapping[str, Any], replaced: Sequence[Mapping[str, Any]] = ()) -> Event:
    """Return the event for feedback on an answer; `row` is its row in `feedback` and replaces the rows `replaced`.

    The event names the replaced rows with a rating, the newest `MAX_REPLACED` of them.
    """
    at: datetime = row["created_at"]
    field_names = ("query_id", "intent", "sentiment", "priority", "reply", "satisfaction")
    payload = {"feedback_id": row["id"], **{name: row[name] for name in field_names}, "created_at": at.isoformat()}
    rated = [earlier for earlier in replaced if earlier["satisfaction"] is not None]
    if rated:
        newest = sorted(rated, key=lambda earlier: (earlier["created_at"], earlier["id"]))[-MAX_REPLACED:]
        payload["replaces"] = [
            {"feedback_id": earlier["id"], "satisfaction": earlier["satisfaction"]} for earlier in newest
        ]
    return Event(row["id"], EventType.FEEDBACK, row["tenant"], row["customer_id"], _json(payload), at)


def erased_event(event_id: str, tenant: str, customer_id: str, at: datetime) -> Event:
    """Return the event for the erasure of a customer. Receivers must erase the customer, too."""
    return Event(event_id, EventType.ERASED, tenant, customer_id, _json({"erased_at": at.isoformat()}), at)


def queries_erased_event(
    event_id: str, tenant: str, customer_id: str | None, queries: Sequence[ErasedQuery], at: datetime
) -> Event:
    """Return the event for the erasure of queries of one customer, or of unknown customers, and their feedback."""
    payload = {
        "query_ids": [query.id for query in queries],
        "feedback_ids": [feedback_id for query in queries for feedback_id in query.feedback],
        "erased_at": at.isoformat(),
    }
    return Event(event_id, EventType.QUERIES_ERASED, tenant, customer_id, _json(payload), at)


def outbox_rows(event: Event, sinks: Sequence[str]) -> list[dict[str, Any]]:
    """Return one row of the table `outbox` for each sink."""
    return [
        {
            "event_id": event.event_id,
            "sink": sink,
            "tenant": event.tenant,
            "customer_id": event.customer_id,
            "type": event.type,
            "payload": event.payload,
            "created_at": event.created_at,
            "attempts": 0,
            "next_attempt_at": event.created_at,
            "is_dead": False,
            "last_error": None,
        }
        for sink in sinks
    ]


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
