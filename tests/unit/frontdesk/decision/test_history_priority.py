"""Priority points for a customer's history, and their reasons."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.decision.history_priority import HistoryPriorityPolicy
from frontdesk.decision.priority import STARTER_POLICY, PriorityPolicy
from frontdesk.features.customer_history import EMPTY_HISTORY, CustomerHistory

POLICY = HistoryPriorityPolicy(
    repeated_points_each=6,
    repeated_at_most=15,
    contacts_points=4,
    contacts_from=5,
    escalated_points=6,
    dissatisfied_points=6,
    dissatisfied_below=2.5,
)
ALL = CustomerHistory(
    contacts_7d=6,
    contacts_7d_by_intent={"get_refund": 4, "track_order": 2},
    escalations_30d=1,
    mean_satisfaction=1.5,
)


def points_and_reasons(history: CustomerHistory, intent: str = "get_refund") -> dict[str, tuple[float, str]]:
    return {part.name: (part.points, part.because) for part in POLICY.parts(history, intent)}


def test_each_part_has_its_reason_in_words() -> None:
    assert points_and_reasons(ALL) == {
        "history.repeated": (15, "has written about get_refund 4 times in the last 7 days"),
        "history.contacts": (4, "has written 6 times in 7 days"),
        "history.escalated": (6, "was handed to a person once in the last 30 days"),
        "history.dissatisfied": (6, "rated earlier answers 1.5 of 5"),
    }


def test_an_empty_history_gives_no_points() -> None:
    assert points_and_reasons(EMPTY_HISTORY) == {}


@pytest.mark.parametrize(
    "history",
    [
        CustomerHistory(contacts_7d=4, contacts_7d_by_intent={"track_order": 4}),
        CustomerHistory(mean_satisfaction=2.5),
        CustomerHistory(last_sentiment="negative", tenure_days=400, contacts_30d=9),
    ],
)
def test_a_history_below_all_limits_gives_no_points(history: CustomerHistory) -> None:
    assert points_and_reasons(history) == {}


histories = st.builds(
    CustomerHistory,
    contacts_7d=st.integers(0, 100),
    contacts_7d_by_intent=st.dictionaries(st.sampled_from(["a", "b"]), st.integers(0, 100)),
    escalations_30d=st.integers(0, 100),
    mean_satisfaction=st.none() | st.floats(1, 5),
)


@given(history=histories)
def test_no_history_gives_more_than_max_points(history: CustomerHistory) -> None:
    policy = PriorityPolicy.read(STARTER_POLICY).history
    assert sum(part.points for part in policy.parts(history, "a")) <= policy.max_points
