"""Handoff summary for the person who takes over."""

from __future__ import annotations

from frontdesk.decision.handoff_summary import summarize_handoff
from frontdesk.decision.history_summary import summarize_contacts
from frontdesk.decision.rules import REASON_TEXTS
from frontdesk.decision.slot_filling import fill_slots
from frontdesk.features.customer_history import EMPTY_HISTORY, CustomerHistory
from frontdesk.taxonomy import STARTER_TAXONOMY, Taxonomy
from frontdesk.types import Action, Decision, HandOff, Priority, PriorityLevel, Reason
from tests.support.fakes import understanding

TAXONOMY = Taxonomy.read(STARTER_TAXONOMY)
PRIORITY = Priority(PriorityLevel.HIGH, 70.0, ())
HISTORY = CustomerHistory(contacts_7d_by_intent={"track_order": 2}, last_sentiment="negative", escalations_30d=1)


def summary(text: str, history: CustomerHistory = EMPTY_HISTORY) -> HandOff:
    decision = Decision(
        Action.ESCALATE,
        (Reason.POLICY_FORBIDS,),
        ("open_complaint",),
        actions=fill_slots(("open_complaint",), text, {}),
    )
    return summarize_handoff(
        understanding("complaint"), decision, PRIORITY, TAXONOMY, summarize_contacts(history), text=text
    )


def test_the_summary_has_topic_mood_and_next_steps() -> None:
    assert summary("order [ORDER_1] for 20 EUR of 3 May broke") == HandOff(
        what=TAXONOMY.policy("complaint").description,
        mood="neutral, high priority",
        tried=(),
        needed=(REASON_TEXTS[Reason.POLICY_FORBIDS], TAXONOMY.actions["open_complaint"]),
    )


def test_missing_slots_are_next_steps() -> None:
    assert summary("it broke").needed[-3:] == ("Ask for: order", "Ask for: amount", "Ask for: date")


def test_a_value_that_the_message_contains_is_not_asked_for_even_if_the_choice_is_open() -> None:
    needed = summary("orders [ORDER_1], [ORDER_2] for 20 EUR and 30 EUR broke").needed
    assert [step for step in needed if step.startswith("Ask for")] == ["Ask for: date"]


def test_earlier_contacts_are_summarized_in_words_without_numbers() -> None:
    assert summary("it broke", HISTORY).tried == (
        "The customer wrote lately about track order.",
        "The customer was upset last time.",
        "The customer was handed to a person before.",
    )
