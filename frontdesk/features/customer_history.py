"""A customer's history as of a given time: one definition for serving and training.

It is computed from interactions strictly before that time, so that training does not use later ones. An interaction is
a contact (a stored message) or a rating (a satisfaction score). The storage, SQL or Redis, passes the newest of each to
`compute_history`. This module does not depend on the storage.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter
from typing import TypeVar

DAY = timedelta(days=1)
CONTACT_WINDOW = 30 * DAY
RATING_WINDOW = 90 * DAY
REPEAT_WINDOW = 7 * DAY
MAX_INTERACTIONS = 100
"""Maximum number of contacts, and of ratings, that are used; the newest. Customers do not write a hundred times in a
month, and a script that does must not make each of its messages slower."""


@dataclass(frozen=True, slots=True)
class CustomerContact:
    """A stored message. `id` is the query id; it orders contacts of the same microsecond."""

    id: str
    at: datetime
    intent: str
    sentiment: str
    escalated: bool


@dataclass(frozen=True, slots=True)
class AnswerRating:
    """A rating of an answer; `satisfaction` is 1 to 5."""

    id: str
    at: datetime
    satisfaction: int


@dataclass(frozen=True, slots=True)
class CustomerHistory:
    """Counts of a customer's earlier contacts and ratings; the defaults are an empty history.

    `last_sentiment` is of the newest contact in 30 days, `mean_satisfaction` of the ratings in 90 days, `tenure_days`
    the time since the first contact.
    """

    contacts_1d: int = 0
    contacts_7d: int = 0
    contacts_30d: int = 0
    contacts_7d_by_intent: Mapping[str, int] = field(default_factory=dict)
    escalations_30d: int = 0
    last_sentiment: str | None = None
    mean_satisfaction: float | None = None
    tenure_days: float = 0.0


EMPTY_HISTORY = CustomerHistory()

Interaction = TypeVar("Interaction", CustomerContact, AnswerRating)


def compute_history(
    contacts: Iterable[CustomerContact], ratings: Iterable[AnswerRating], first_contact: datetime | None, at: datetime
) -> CustomerHistory:
    """Compute the history as of `at`, with a time zone.

    Args:
        contacts: at least the `MAX_INTERACTIONS` newest of the 30 days before `at`. Others are ignored.
        ratings: at least the `MAX_INTERACTIONS` newest of the 90 days before `at`. Others are ignored.
        first_contact: time of the customer's first contact. The tenure is 0 without one, and if it is after `at`.
    """
    recent = _select_newest(contacts, at, CONTACT_WINDOW)
    scores = [rating.satisfaction for rating in _select_newest(ratings, at, RATING_WINDOW)]
    return CustomerHistory(
        contacts_1d=sum(contact.at >= at - DAY for contact in recent),
        contacts_7d=sum(contact.at >= at - REPEAT_WINDOW for contact in recent),
        contacts_30d=len(recent),
        contacts_7d_by_intent=dict(Counter(contact.intent for contact in recent if contact.at >= at - REPEAT_WINDOW)),
        escalations_30d=sum(contact.escalated for contact in recent),
        last_sentiment=recent[0].sentiment if recent else None,
        mean_satisfaction=sum(scores) / len(scores) if scores else None,
        tenure_days=max((at - first_contact) / DAY, 0.0) if first_contact else 0.0,
    )


def history_before(
    contacts: Collection[CustomerContact], ratings: Collection[AnswerRating], at: datetime
) -> CustomerHistory:
    """Compute the history as of `at` from all interactions of a customer, including those after `at`."""
    first = min((contact.at for contact in contacts), default=None)
    return compute_history(contacts, ratings, first, at)


def histories_at(
    contacts: Sequence[CustomerContact], ratings: Sequence[AnswerRating], moments: Iterable[datetime]
) -> Iterator[CustomerHistory]:
    """Yield one customer's history as of each of `moments`: for training, equal to the histories during serving.

    Args:
        contacts: all contacts of the customer, in order of time.
        ratings: all ratings of the customer, in order of time.
    """
    first = contacts[0].at if contacts else None
    for at in moments:
        contacts_end, ratings_end = (bisect_left(facts, at, key=attrgetter("at")) for facts in (contacts, ratings))
        recent_contacts = contacts[max(contacts_end - MAX_INTERACTIONS, 0) : contacts_end]
        yield compute_history(recent_contacts, ratings[max(ratings_end - MAX_INTERACTIONS, 0) : ratings_end], first, at)


def _select_newest(facts: Iterable[Interaction], at: datetime, window: timedelta) -> list[Interaction]:
    in_window = (fact for fact in facts if at - window <= fact.at < at)
    return sorted(in_window, key=attrgetter("at", "id"), reverse=True)[:MAX_INTERACTIONS]
