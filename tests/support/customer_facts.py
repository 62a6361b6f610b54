"""Random contacts and ratings of a few customers, many at the edges of time windows, for tests of customer history."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from frontdesk.features.customer_history import (
    CONTACT_WINDOW,
    DAY,
    RATING_WINDOW,
    REPEAT_WINDOW,
    AnswerRating,
    CustomerContact,
)
from frontdesk.types import Action, Record, Sentiment
from tests.support.records import CREATED_AT, record

NOW = CREATED_AT
TENANTS = ("acme", "other")
CUSTOMERS = ("ada", "bob")
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Fact:
    """A contact or a rating with its tenant and customer."""

    tenant: str
    customer_id: str
    fact: CustomerContact | AnswerRating


edges = [
    NOW - window + shift * MICROSECOND
    for window in (0 * DAY, DAY, REPEAT_WINDOW, CONTACT_WINDOW, RATING_WINDOW)
    for shift in (-1, 0, 1)
]
moments = st.sampled_from(edges) | st.datetimes(datetime(2026, 1, 1), datetime(2026, 7, 1)).map(
    lambda at: at.replace(tzinfo=NOW.tzinfo)
)
intents = st.sampled_from(["track_order", "get_refund", "complaint"])
moods = st.sampled_from(["negative", "neutral", "positive"])
contacts = st.builds(CustomerContact, st.just(""), moments, intents, moods, st.booleans())
ratings = st.builds(AnswerRating, st.just(""), moments, st.integers(1, 5))


@st.composite
def facts(draw: st.DrawFn) -> list[Fact]:
    """Facts of several customers with unique ids, in random order."""
    owned = st.builds(Fact, st.sampled_from(TENANTS), st.sampled_from(CUSTOMERS), contacts | ratings)
    drawn = draw(st.lists(owned, max_size=30))
    ids = draw(st.permutations(range(len(drawn))))
    return [replace(item, fact=replace(item.fact, id=f"{number:04}")) for number, item in zip(ids, drawn)]


def of(everything: list[Fact], tenant: str, customer_id: str) -> tuple[list[CustomerContact], list[AnswerRating]]:
    """The contacts and ratings of one customer."""
    own = [item.fact for item in everything if (item.tenant, item.customer_id) == (tenant, customer_id)]
    return [fact for fact in own if isinstance(fact, CustomerContact)], [
        fact for fact in own if isinstance(fact, AnswerRating)
    ]


def as_record(fact: Fact) -> Record:
    """The record of a contact."""
    contact = fact.fact
    assert isinstance(contact, CustomerContact)
    stored = record(
        query_id=contact.id,
        tenant=fact.tenant,
        customer_id=fact.customer_id,
        action=Action.ESCALATE if contact.escalated else Action.DRAFT,
        created_at=contact.at,
    )
    intent = replace(stored.answer.intent, label=contact.intent)
    sentiment = Sentiment(contact.sentiment, 0.8, {contact.sentiment: 0.8})
    return replace(stored, answer=replace(stored.answer, intent=intent, sentiment=sentiment))


def as_feedback(fact: Fact) -> dict[str, Any]:
    """The row of `feedback` of a rating."""
    rating = fact.fact
    assert isinstance(rating, AnswerRating)
    empty = dict.fromkeys(("intent", "sentiment", "priority", "reply"), None)
    ids = {"id": rating.id, "tenant": fact.tenant, "customer_id": fact.customer_id, "query_id": "q", "subject": "s"}
    return {**empty, **ids, "satisfaction": rating.satisfaction, "created_at": rating.at}
