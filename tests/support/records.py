"""A record like those of the pipeline, for tests of storage."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from frontdesk.identifiers import uuid7
from frontdesk.security.field_encryption import AesGcmFieldCipher, EncryptionKey
from frontdesk.storage.record_rows import RecordRows, RowBuilder
from frontdesk.types import (
    Action,
    Answer,
    Caller,
    Candidate,
    Citation,
    Decision,
    Intent,
    MaskedPart,
    MaskedText,
    MemberOpinion,
    PartKind,
    Priority,
    PriorityLevel,
    PriorityPart,
    Query,
    Reason,
    Record,
    Reply,
    Role,
    Sentiment,
    Turn,
    Uncertainty,
)

CREATED_AT = datetime(2026, 6, 1, 9, 30, 0, 123456, tzinfo=UTC)
RAW_TEXT = "Where is my order 4711-0815?"
MASKED_TEXT = "Where is my order [ORDER_1]?"
REPLY_TEXT = "Order [ORDER_1] is on its way."


def record(
    *,
    query_id: str | None = None,
    tenant: str = "acme",
    customer_id: str | None = "customer-7",
    action: Action = Action.DRAFT,
    masked_text: str = MASKED_TEXT,
    with_reply: bool = True,
    created_at: datetime = CREATED_AT,
) -> Record:
    answer = Answer(
        query_id=query_id or uuid7(),
        intent=Intent("track_order", 0.93, (Candidate("track_order", 0.93), Candidate("get_refund", 0.04)), True, 0.02),
        sentiment=Sentiment("negative", 0.8, {"negative": 0.8, "neutral": 0.15, "positive": 0.05}),
        priority=Priority(PriorityLevel.HIGH, 61.0, (PriorityPart("tier", 20.0, "the customer is premium"),)),
        uncertainty=Uncertainty(0.2, 0.05, 0.15, "ensemble"),
        decision=Decision(action, (Reason.BELOW_THRESHOLD,), ("check_tracking",)),
        members=(MemberOpinion("trees", "track_order", 0.9), MemberOpinion("linear", "track_order", 0.88)),
        model_version="2026-06-01",
        skipped=(),
        timings_ms={"mask": 0.1, "models": 8.2, "total": 8.9},
        reply=Reply(REPLY_TEXT, "template", (Citation("tracking", "Following a parcel"),)) if with_reply else None,
    )
    caller = Caller(tenant, "shop-frontend", frozenset({"query"}))
    text = MaskedText(masked_text, {"[ORDER_1]": "4711-0815"})
    return Record(caller, Query(RAW_TEXT, customer_id=customer_id), text, answer, created_at, 8.9)


SEAL = AesGcmFieldCipher(EncryptionKey.of(b"a key that only tests know......"))


def mail_record(**fields: Any) -> Record:
    """A record of a mail with every field and a part that is not evaluated."""
    stored = record(**fields)
    query = replace(
        stored.query,
        html="<p>Where is my order 4711-0815?</p>",
        subject="Order 4711-0815",
        headers={"from": "Jane Roe <jane.roe@example.com>"},
        transcript=(Turn(Role.AGENT, "Hello Jane"),),
    )
    return replace(stored, query=query, other_parts=(MaskedPart(PartKind.QUOTATION, "> a quoted [ORDER_1]"),))


def rows(*records: Record, sinks: tuple[str, ...] = ()) -> list[RecordRows]:
    """The rows of the records, encrypted with `SEAL`."""
    return [RowBuilder(SEAL, sinks).rows(stored) for stored in records]
