"""Clarifying questions: their intents and their wording."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.decision.clarification import clarifying_question, likely_candidates
from frontdesk.taxonomy import STARTER_TAXONOMY, IntentPolicy, Taxonomy
from frontdesk.types import Candidate

TAXONOMY = Taxonomy.read(STARTER_TAXONOMY)


def ask(*labels: str) -> str:
    return clarifying_question([TAXONOMY.policy(label) for label in labels])


def test_each_intent_is_named_by_the_first_clause_of_its_description() -> None:
    assert ask("track_order", "get_refund") == "Do you want to know where an order is, or to get money back?"


def test_a_question_may_name_more_than_two_intents() -> None:
    assert ask("cancel_order", "place_order", "create_account") == (
        "Do you want to cancel an order that was placed, or to buy something, or to open an account?"
    )


def test_labels_without_a_description_name_topics() -> None:
    assert ask("card_arrival", "Refund_not_showing_up") == (
        "Is this about “card arrival”, or about “Refund not showing up”?"
    )


def test_wishes_come_before_topics() -> None:
    assert ask("card_arrival", "get_refund", "top_up") == (
        "Do you want to get money back, or is this about “card arrival”, or about “top up”?"
    )


@pytest.mark.parametrize(
    ("description", "words"),
    [
        ("The customer wants to buy something or asks how to order.", "Do you want to buy something"),
        ("The customer wants to add, remove, or swap items.", "Do you want to add, remove, or swap items"),
        ("User wants to reset a PIN", "Do you want to reset a PIN"),
        (
            "The customer asks where an order is, or for its tracking or status.",
            "Do you want to know where an order is",
        ),
        ("The customer asks about the newsletter", "Do you want to ask about the newsletter"),
        ("Exchange rates and fees.", "Is this about “Exchange rates and fees”"),
        ("The customer wants.", "Is this about “The customer wants”"),
        (
            "Anything on fees that the second team looks at on Tuesdays, see the handbook.",
            "Is this about “some intent”",
        ),
        ("", "Is this about “some intent”"),
    ],
)
def test_a_description_continues_the_question_or_names_a_topic_and_long_notes_are_not_shown(
    description: str, words: str
) -> None:
    intents = [IntentPolicy("some_intent", description)] * 2

    assert clarifying_question(intents).startswith(f"{words}, or ")


def test_questions_on_the_starter_taxonomy_are_short_and_in_the_second_person() -> None:
    for intent in TAXONOMY.intents:
        words = clarifying_question([intent, TAXONOMY.policy("get_refund")])
        wish = words.removeprefix("Do you want to ").removesuffix(", or to get money back?")
        assert 2 <= len(wish.split()) <= 13, words
        assert "customer" not in words


def candidates(*probabilities: float) -> list[Candidate]:
    return [Candidate(f"intent_{number}", probability) for number, probability in enumerate(probabilities)]


def test_a_candidate_needs_a_fifth_of_the_best_probability() -> None:
    assert likely_candidates(candidates(0.5, 0.3, 0.1)) == ("intent_0", "intent_1", "intent_2")
    assert likely_candidates(candidates(0.5, 0.3, 0.0999)) == ("intent_0", "intent_1")
    assert likely_candidates(candidates(0.9, 0.02)) == ("intent_0",)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_the_best_candidate_is_always_included_and_the_order_is_unchanged(probabilities: list[float]) -> None:
    ranked = candidates(*sorted(probabilities, reverse=True))

    assert likely_candidates(ranked) == tuple(candidate.label for candidate in ranked)[: len(likely_candidates(ranked))]
    assert likely_candidates(ranked)[0] == "intent_0"
