"""The rules of the decision, one by one, then their order."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.decision.rules import HUMAN_INTENT, REASON_TEXTS, decide
from frontdesk.taxonomy import STARTER_TAXONOMY, IntentPolicy, Taxonomy
from frontdesk.types import (
    Action,
    Candidate,
    Decision,
    Intent,
    Priority,
    PriorityLevel,
    Reason,
    Sentiment,
    Uncertainty,
    Understanding,
)

OPEN = IntentPolicy("track_order", automate=True, actions=("look_up_order",))
CLOSED = IntentPolicy("get_refund", automate=False, actions=("start_refund",))
NEVER = IntentPolicy("complaint", automate=False, escalate=True, actions=("open_complaint",))
GAP = IntentPolicy("gift_wrapping", is_defined=False)
OTHERS = tuple(IntentPolicy(f"intent_{number}", f"The customer wants thing {number}.") for number in range(1, 9))
HUMAN = IntentPolicy(HUMAN_INTENT, automate=False, escalate=True, actions=("hand_over",))


UNSURE = Understanding(
    Intent("track_order", 0.5, (), in_scope=True, out_of_scope_probability=0.0),
    Sentiment("neutral", 1.0, {"neutral": 1.0}),
    Uncertainty(0.1, 0.05, 0.05, "ensemble"),
    members=(),
    plausible=(),
    automation_threshold=0.9,
)


def decision(
    policy: IntentPolicy = OPEN,
    *,
    confidence: float = 0.95,
    threshold: float | None = 0.9,
    plausible: int = 1,
    level: PriorityLevel = PriorityLevel.LOW,
    in_scope: bool = True,
    skipped: tuple[str, ...] = (),
) -> Decision:
    understanding = Understanding(
        Intent(policy.name, confidence, (), in_scope, out_of_scope_probability=0.0),
        Sentiment("neutral", 1.0, {"negative": 0.0, "neutral": 1.0, "positive": 0.0}),
        Uncertainty(0.1, 0.05, 0.05, "ensemble"),
        members=(),
        plausible=(Candidate(policy.name, 0.3), *(Candidate(other.name, 0.2) for other in OTHERS[: plausible - 1])),
        automation_threshold=threshold,
        skipped=skipped,
    )
    return decide(understanding, taxonomy_with(policy), Priority(level, 10.0, ()), max_plausible_to_clarify=3)


def taxonomy_with(policy: IntentPolicy) -> Taxonomy:
    """The policy among others; one that is not defined is not in the file."""
    return Taxonomy((*OTHERS, policy) if policy.is_defined else OTHERS, {})


def test_a_confident_certified_intent_is_automated_with_its_actions() -> None:
    assert decision() == Decision(Action.AUTOMATE, (Reason.CONFIDENT,), ("look_up_order",))


def test_confidence_at_the_threshold_is_enough() -> None:
    assert decision(confidence=0.9).action is Action.AUTOMATE


def test_confidence_just_below_the_threshold_is_not() -> None:
    assert decision(confidence=0.8999) == Decision(Action.DRAFT, (Reason.BELOW_THRESHOLD,), ("look_up_order",))


def test_without_a_certified_threshold_nothing_is_automated() -> None:
    assert decision(threshold=None).reasons == (Reason.NOT_CERTIFIED,)
    assert decision(threshold=None).action is Action.DRAFT


def test_a_message_out_of_scope_is_escalated_and_suggests_nothing() -> None:
    assert decision(in_scope=False) == Decision(Action.ESCALATE, (Reason.OUT_OF_SCOPE,), ())


def test_out_of_scope_the_policy_and_the_threshold_of_a_guessed_intent_are_no_reasons() -> None:
    assert decision(HUMAN, in_scope=False, threshold=None, plausible=5).reasons == (Reason.OUT_OF_SCOPE,)
    assert decision(in_scope=False, level=PriorityLevel.URGENT, skipped=("roberta",)).reasons == (
        Reason.OUT_OF_SCOPE,
        Reason.URGENT,
        Reason.DEGRADED,
    )


def test_a_customer_who_asks_for_a_person_gets_one() -> None:
    assert decision(HUMAN) == Decision(Action.ESCALATE, (Reason.WANTS_HUMAN, Reason.POLICY_FORBIDS), ("hand_over",))


def test_a_request_for_a_person_overrides_the_policy() -> None:
    assert decision(IntentPolicy(HUMAN_INTENT, automate=True)).reasons == (Reason.WANTS_HUMAN,)


def test_an_intent_that_the_policy_escalates_has_one_reason() -> None:
    assert decision(NEVER) == Decision(Action.ESCALATE, (Reason.POLICY_FORBIDS,), ("open_complaint",))


def test_an_urgent_message_goes_to_a_person() -> None:
    assert decision(level=PriorityLevel.URGENT) == Decision(Action.ESCALATE, (Reason.URGENT,), ("look_up_order",))
    assert decision(level=PriorityLevel.HIGH).action is Action.AUTOMATE


@pytest.mark.parametrize(
    ("plausible", "action", "reason"),
    [
        (2, Action.CLARIFY, Reason.AMBIGUOUS),
        (3, Action.CLARIFY, Reason.AMBIGUOUS),
        (4, Action.ESCALATE, Reason.TOO_UNCERTAIN),
    ],
)
def test_a_few_plausible_intents_lead_to_a_question_and_many_to_a_person(
    plausible: int, action: Action, reason: Reason
) -> None:
    unsure = decision(plausible=plausible, confidence=0.5)

    assert (unsure.action, unsure.reasons) == (action, (reason, Reason.BELOW_THRESHOLD))


def test_only_a_clarify_decision_has_a_question_and_its_intents() -> None:
    clarify = decision(replace(OPEN, description="The customer asks where it is."), plausible=3, confidence=0.5)

    assert clarify.question == "Do you want to know where it is, or thing 1, or thing 2?"
    assert clarify.asks_about == ("track_order", "intent_1", "intent_2")
    for other in (decision(), decision(plausible=4, confidence=0.5), decision(NEVER, plausible=2, confidence=0.5)):
        assert (other.question, other.asks_about) == (None, ())


@pytest.mark.parametrize(
    ("probabilities", "action", "asked_about"),
    [
        ((0.7, 0.02), Action.DRAFT, 0),
        ((0.5, 0.4, 0.02, 0.01), Action.CLARIFY, 2),
        ((0.3, 0.2, 0.2, 0.2), Action.ESCALATE, 0),
    ],
)
def test_a_candidate_of_negligible_probability_is_ignored(
    probabilities: tuple[float, ...], action: Action, asked_about: int
) -> None:
    candidates = tuple(
        Candidate(policy.name, probability)
        for policy, probability in zip((OPEN, *OTHERS[:5]), probabilities, strict=False)
    )
    understanding = replace(UNSURE, plausible=candidates)

    outcome = decide(understanding, taxonomy_with(OPEN), Priority(PriorityLevel.LOW, 10.0, ()), 3)

    assert (outcome.action, len(outcome.asks_about)) == (action, asked_about)


def test_an_intent_at_its_certified_threshold_is_not_ambiguous() -> None:
    assert decision(plausible=3, confidence=0.9) == Decision(Action.AUTOMATE, (Reason.CONFIDENT,), ("look_up_order",))
    assert decision(plausible=2, threshold=None).reasons == (Reason.AMBIGUOUS, Reason.NOT_CERTIFIED)


def test_an_answer_without_all_members_is_never_automated() -> None:
    assert decision(skipped=("roberta",)) == Decision(Action.DRAFT, (Reason.DEGRADED,), ("look_up_order",))


def test_an_intent_without_policy_is_only_drafted() -> None:
    assert decision(GAP) == Decision(Action.DRAFT, (Reason.NO_POLICY,), ())


def test_an_intent_that_the_policy_does_not_automate_is_only_drafted() -> None:
    assert decision(CLOSED) == Decision(Action.DRAFT, (Reason.POLICY_FORBIDS,), ("start_refund",))


def test_all_reasons_that_apply_follow_the_deciding_one_in_order() -> None:
    worst = decision(NEVER, threshold=None, plausible=9, level=PriorityLevel.URGENT, skipped=("distilbert",))

    assert worst.reasons == (
        Reason.POLICY_FORBIDS,
        Reason.URGENT,
        Reason.TOO_UNCERTAIN,
        Reason.DEGRADED,
        Reason.NOT_CERTIFIED,
    )


def test_only_one_combination_of_inputs_is_automated() -> None:
    for policy, threshold, confidence, plausible, level, in_scope, skipped in itertools.product(
        (OPEN, CLOSED, NEVER, GAP, HUMAN),
        (None, 0.9),
        (0.5, 0.95),
        (1, 3, 4),
        PriorityLevel,
        (True, False),
        ((), ("x",)),
    ):
        outcome = decision(
            policy,
            threshold=threshold,
            confidence=confidence,
            plausible=plausible,
            level=level,
            in_scope=in_scope,
            skipped=skipped,
        )
        harmless = policy is OPEN and threshold == 0.9 and confidence == 0.95 and in_scope and not skipped
        assert (outcome.action is Action.AUTOMATE) == (harmless and level is not PriorityLevel.URGENT)
        assert (Reason.CONFIDENT in outcome.reasons) == (outcome.action is Action.AUTOMATE)
        assert len(set(outcome.reasons)) == len(outcome.reasons) > 0


@given(
    policy=st.builds(
        IntentPolicy,
        name=st.sampled_from(["track_order", HUMAN_INTENT]),
        automate=st.booleans(),
        escalate=st.booleans(),
        is_defined=st.booleans(),
    ),
    confidence=st.floats(0, 1),
    threshold=st.none() | st.floats(0, 1),
    plausible=st.integers(1, 9),
    level=st.sampled_from(PriorityLevel),
    in_scope=st.booleans(),
    skipped=st.sampled_from([(), ("roberta",)]),
)
def test_no_input_overrides_a_policy_and_nothing_is_automated_without_one(
    policy: IntentPolicy,
    confidence: float,
    threshold: float | None,
    plausible: int,
    level: PriorityLevel,
    in_scope: bool,
    skipped: tuple[str, ...],
) -> None:
    outcome = decision(
        policy,
        confidence=confidence,
        threshold=threshold,
        plausible=plausible,
        level=level,
        in_scope=in_scope,
        skipped=skipped,
    )

    if outcome.action is Action.AUTOMATE:
        assert policy.is_defined and policy.automate and not policy.escalate
        assert threshold is not None and confidence >= threshold
    if in_scope and policy.is_defined and policy.escalate:
        assert outcome.action is Action.ESCALATE
    assert (outcome.question is not None) == (outcome.action is Action.CLARIFY) == bool(outcome.asks_about)
    assert len(outcome.asks_about) in (0, 2, 3)


def test_every_reason_is_explained_in_one_sentence() -> None:
    assert set(REASON_TEXTS) == set(Reason)
    assert all(sentence[0].isupper() and sentence.find(".") == len(sentence) - 1 for sentence in REASON_TEXTS.values())


def test_the_intent_that_asks_for_a_person_is_one_of_the_starter_taxonomy() -> None:
    assert HUMAN_INTENT in Taxonomy.read(STARTER_TAXONOMY).labels
