"""What a customer went through before, as of a moment: the one definition, for serving and for training.

Everything is computed from interactions strictly before that moment, so nothing can be learnt from what came later.
Two facts are enough: a contact (one stored message) and a rating (one satisfaction given). Whoever keeps them, in SQL
or in Redis, hands over the newest of each, and `compute_history` counts. Knows nothing of where they are kept.
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
"""No more than so many contacts, and ratings, are looked at, the newest: nobody writes a hundred times a month, and a
script that does must not slow its every message down."""


@dataclass(frozen=True, slots=True)
class Contact:
    """One message that was stored. `id` is that of the query: it tells apart what came at the same microsecond."""

    id: str
    at: datetime
    intent: str
    sentiment: str
    escalated: bool


@dataclass(frozen=True, slots=True)
class Rating:
    """One satisfaction that was given, 1 to 5."""

    id: str
    at: datetime
    satisfaction: int


@dataclass(frozen=True, slots=True)
class CustomerHistory:
    """How often, about what and with what outcome a customer has written before; the defaults are a stranger's.

    `last_sentiment` is of the newest contact of 30 days, `mean_satisfaction` of the ratings of 90, `tenure_days` since
    the very first contact.
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

Interaction = TypeVar("Interaction", Contact, Rating)


def compute_history(
    contacts: Iterable[Contact], ratings: Iterable[Rating], first_contact: datetime | None, at: datetime
) -> CustomerHistory:
    """The history as of `at`, an aware moment.

    Args:
        contacts: at least the `MAX_INTERACTIONS` newest of the 30 days before `at`; older and later ones change nothing.
        ratings: at least the `MAX_INTERACTIONS` newest of the 90 days before `at`; the same.
        first_contact: the moment of the customer's first contact of all; none, or a later one, is no tenure.
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


def history_before(contacts: Collection[Contact], ratings: Collection[Rating], at: datetime) -> CustomerHistory:
    """The same from everything that a customer ever did, what came after `at` among it."""
    first = min((contact.at for contact in contacts), default=None)
    return compute_history(contacts, ratings, first, at)


def histories_at(
    contacts: Sequence[Contact], ratings: Sequence[Rating], moments: Iterable[datetime]
) -> Iterator[CustomerHistory]:
    """One customer's history as of each moment: what training reads, the same as serving has seen then.

    Args:
        contacts: all of the customer's, in order of time.
        ratings: the same.
    """
    first = contacts[0].at if contacts else None
    for at in moments:
        contacts_end, ratings_end = (bisect_left(facts, at, key=attrgetter("at")) for facts in (contacts, ratings))
        recent_contacts = contacts[max(contacts_end - MAX_INTERACTIONS, 0) : contacts_end]
        yield compute_history(recent_contacts, ratings[max(ratings_end - MAX_INTERACTIONS, 0) : ratings_end], first, at)


def _select_newest(facts: Iterable[Interaction], at: datetime, window: timedelta) -> list[Interaction]:
    in_window = (fact for fact in facts if at - window <= fact.at < at)
    return sorted(in_window, key=attrgetter("at", "id"), reverse=True)[:MAX_INTERACTIONS]
