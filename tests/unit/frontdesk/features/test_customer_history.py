"""Customer history: windows exact to the microsecond, and no interactions after the given time."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given

from frontdesk.features.customer_history import (
    DAY,
    EMPTY_HISTORY,
    MAX_INTERACTIONS,
    AnswerRating,
    CustomerContact,
    compute_history,
    histories_at,
    history_before,
)
from tests.support.customer_facts import CUSTOMERS, MICROSECOND, NOW, TENANTS, Fact, facts, moments, of


def contact(
    at: datetime, intent: str = "track_order", sentiment: str = "neutral", escalated: bool = False
) -> CustomerContact:
    return CustomerContact(at.isoformat(), at, intent, sentiment, escalated)


def test_each_window_begins_at_its_moment_and_ends_before_now() -> None:
    at_edges = [contact(NOW - days * DAY - early) for days in (0, 1, 7, 30) for early in (timedelta(0), MICROSECOND)]
    history = history_before(at_edges, [], NOW)
    assert (history.contacts_1d, history.contacts_7d, history.contacts_30d) == (2, 4, 6)
    assert history.tenure_days > 30


def test_repeats_are_counted_by_intent_and_the_newest_sentiment_wins() -> None:
    contacts = [
        contact(NOW - DAY, "get_refund", "positive"),
        contact(NOW - 2 * DAY, "get_refund", "negative", escalated=True),
        contact(NOW - 8 * DAY, "get_refund", escalated=True),
    ]
    history = history_before(contacts, [], NOW)
    assert history.contacts_7d_by_intent == {"get_refund": 2}
    assert (history.escalations_30d, history.last_sentiment) == (2, "positive")


def test_satisfaction_is_the_mean_of_90_days() -> None:
    ratings = [
        AnswerRating("1", NOW - DAY, 5),
        AnswerRating("2", NOW - 90 * DAY, 2),
        AnswerRating("3", NOW - 91 * DAY, 1),
    ]
    assert history_before([], ratings, NOW).mean_satisfaction == 3.5


def test_the_number_of_counted_contacts_is_limited() -> None:
    contacts = [contact(NOW - number * MICROSECOND) for number in range(1, 2 * MAX_INTERACTIONS)]
    assert history_before(contacts, [], NOW).contacts_1d == MAX_INTERACTIONS


def test_without_interactions_the_history_is_empty() -> None:
    assert history_before([], [], NOW) == EMPTY_HISTORY
    assert compute_history([], [], NOW + DAY, NOW) == EMPTY_HISTORY


@given(everything=facts(), at=moments)
def test_later_interactions_change_nothing(everything: list[Fact], at: datetime) -> None:
    for tenant in TENANTS:
        for customer in CUSTOMERS:
            contacts, ratings = of(everything, tenant, customer)
            then = [fact for fact in contacts if fact.at < at], [fact for fact in ratings if fact.at < at]
            assert history_before(contacts, ratings, at) == history_before(*then, at)


@given(everything=facts())
def test_a_series_of_histories_equals_the_single_ones(everything: list[Fact]) -> None:
    for tenant in TENANTS:
        for customer in CUSTOMERS:
            contacts, ratings = (
                sorted(each, key=lambda fact: (fact.at, fact.id)) for each in of(everything, tenant, customer)
            )
            at_each = [fact.at for fact in contacts]
            assert list(histories_at(contacts, ratings, at_each)) == [
                history_before(contacts, ratings, at) for at in at_each
            ]
