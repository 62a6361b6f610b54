"""Counterfactuals: single changes that give another action."""

from __future__ import annotations

from dataclasses import replace

from frontdesk.decision.counterfactuals import Counterfactual, DecisionInputs
from frontdesk.taxonomy import IntentPolicy, Taxonomy
from frontdesk.types import Action, Candidate, Priority, PriorityLevel, Understanding
from tests.support.fakes import understanding

ALLOWED = Taxonomy((IntentPolicy("track_order", automate=True), IntentPolicy("get_refund")), {})
CALM = Priority(PriorityLevel.MEDIUM, 30.0, ())


def case(
    understood: Understanding, taxonomy: Taxonomy = ALLOWED, priority: Priority = CALM, limit: float = 0.3
) -> DecisionInputs:
    return DecisionInputs(
        understood, taxonomy, priority, max_plausible_to_clarify=3, out_of_scope_threshold=limit, urgent_score=70.0
    )


def sure(confidence: float = 0.95, threshold: float | None = 0.9) -> Understanding:
    return replace(understanding(confidence=confidence), automation_threshold=threshold)


def test_an_automated_message_would_be_drafted_below_its_threshold_and_escalated_when_urgent() -> None:
    assert case(sure()).find_counterfactuals() == [
        Counterfactual("the priority were at least 70 (it is 30)", Action.ESCALATE),
        Counterfactual("the confidence were below 90.0% (it is 95.0%)", Action.DRAFT),
    ]


def test_the_sufficient_confidence_is_named() -> None:
    counterfactuals = case(sure(confidence=0.81)).find_counterfactuals()

    assert Counterfactual("the confidence were at least 90.0% (it is 81.0%)", Action.AUTOMATE) in counterfactuals


def test_without_a_certified_threshold_a_certificate_is_the_counterfactual() -> None:
    counterfactuals = case(sure(threshold=None)).find_counterfactuals()

    assert Counterfactual("a threshold of 95.0% or less had been certified", Action.AUTOMATE) in counterfactuals


def test_a_policy_is_named_if_it_is_the_only_reason_against_automation() -> None:
    forbidden = Taxonomy((IntentPolicy("track_order"),), {})
    condition = "the team's policy allowed track_order to be answered without a person"

    assert Counterfactual(condition, Action.AUTOMATE) in case(sure(), forbidden).find_counterfactuals()
    assert condition not in [
        counterfactual.condition for counterfactual in case(sure(confidence=0.5), forbidden).find_counterfactuals()
    ]


def test_an_urgent_message_would_be_automated_with_a_lower_priority() -> None:
    urgent = Priority(PriorityLevel.URGENT, 82.5, ())

    assert case(sure(), priority=urgent).find_counterfactuals() == [
        Counterfactual("the priority were below 70 (it is 82.5)", Action.AUTOMATE)
    ]


def test_a_message_out_of_scope_names_the_threshold() -> None:
    understood = sure()
    outside = replace(understood, intent=replace(understood.intent, in_scope=False, out_of_scope_probability=0.45))

    assert case(outside).find_counterfactuals() == [
        Counterfactual("the out-of-scope probability were at most 30.0% (it is 45.0%)", Action.AUTOMATE)
    ]


def test_with_one_plausible_intent_there_would_be_no_question() -> None:
    both = (Candidate("track_order", 0.6), Candidate("get_refund", 0.3))
    counterfactuals = case(replace(sure(confidence=0.6), plausible=both)).find_counterfactuals()

    assert Counterfactual("only one intent were plausible", Action.DRAFT) in counterfactuals


def test_a_part_that_was_skipped_is_named() -> None:
    counterfactuals = case(replace(sure(), skipped=("distilbert",))).find_counterfactuals()

    assert Counterfactual("no part of the system had been skipped", Action.AUTOMATE) in counterfactuals
