"""Responses with stored records: answers with their messages, pages of queries and of interactions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from pydantic import Field
from sqlalchemy import RowMapping

from bentos.schemas.query_params import encode_cursor
from frontdesk.storage.sql.pagination import Feedback, Interaction, PagePosition
from frontdesk.types import Answer, MaskedPart

_QUERY_ID = "0190a6f2-7c1e-7d3a-9b52-3f1c2a7e8d40"
"""Id in examples."""


@dataclass(frozen=True, slots=True)
class QueryItem:
    """Summary of a query. `text` is the customer's own text, masked. After an erasure it is empty and `answer` null."""

    id: Annotated[str, Field(examples=[_QUERY_ID])]
    created_at: datetime
    customer_id: Annotated[str | None, Field(examples=["c-4711"])]
    channel: Annotated[str, Field(examples=["email"])]
    intent: Annotated[str, Field(examples=["track_order"])]
    confidence: Annotated[float, Field(examples=[0.93])]
    sentiment: Annotated[str, Field(examples=["negative"])]
    priority: Annotated[str, Field(examples=["high"])]
    decision: Annotated[str, Field(examples=["draft"])]
    model_version: Annotated[str, Field(examples=["20260131-5f0c2e9a1b3d"])]
    text: Annotated[str, Field(examples=["Where is my parcel? Order #[ORDER_1] should have come on Monday."])]
    answer: Annotated[str | None, Field(examples=[f"/v1/queries/{_QUERY_ID}"])]

    @classmethod
    def of(cls, row: RowMapping) -> QueryItem:
        text = row["query_text"]
        labels = {name: value for name, value in row.items() if name not in {"query_text", "is_erased"}}
        return cls(**labels, text=text, answer=None if row["is_erased"] else f"/v1/queries/{row['id']}")


@dataclass(frozen=True, slots=True)
class MaskedMessage:
    """The masked message. `other_parts` are the parts that were not evaluated, in order: quotations, signatures."""

    text: str
    other_parts: tuple[MaskedPart, ...]


@dataclass(frozen=True, slots=True)
class StoredAnswer(Answer):
    """An answer as it was stored, with the masked message."""

    masked_message: MaskedMessage | None = None


@dataclass(frozen=True, slots=True)
class QueryPage:
    """Queries, the newest first. `next_cursor` requests the next page; null for the last page."""

    items: tuple[QueryItem, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class InteractionItem:
    """One contact. A `query` has an `answer` and its feedback. Feedback is also an interaction of its own."""

    id: Annotated[str, Field(examples=[_QUERY_ID])]
    created_at: datetime
    type: Annotated[str, Field(examples=["query"])]
    summary: Annotated[str, Field(examples=["track_order: escalate"])]
    resolution: Annotated[str, Field(examples=["escalated"])]
    satisfaction: Annotated[float | None, Field(examples=[4.0])]
    feedback: tuple[Feedback, ...]
    answer: Annotated[str | None, Field(examples=[f"/v1/queries/{_QUERY_ID}"])]

    @classmethod
    def of(cls, interaction: Interaction) -> InteractionItem:
        return cls(
            id=interaction.id,
            created_at=interaction.created_at,
            type=interaction.interaction_type,
            summary=interaction.summary,
            resolution=interaction.resolution_status,
            satisfaction=interaction.satisfaction_score,
            feedback=interaction.feedback,
            answer=f"/v1/queries/{quote(interaction.id)}" if interaction.interaction_type == "query" else None,
        )


@dataclass(frozen=True, slots=True)
class InteractionPage:
    """Interactions, the newest first; `next_cursor` as for queries."""

    items: tuple[InteractionItem, ...]
    next_cursor: str | None


def next_cursor(items: tuple[QueryItem, ...] | tuple[InteractionItem, ...], *, more: bool) -> str | None:
    """The cursor of the next page; None for the last page."""
    return encode_cursor(PagePosition(items[-1].created_at, items[-1].id)) if more else None
