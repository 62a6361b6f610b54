"""The decision on a message: automate, draft, clarify or escalate, with reasons.

The rules have a fixed order. The first rule that applies determines the action; the reasons list every rule that
applies. Pure functions, without models, storage or the clock.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from frontdesk.decision.clarification import clarifying_question, likely_candidates
from frontdesk.taxonomy import IntentPolicy, Taxonomy
from frontdesk.types import Act, Action, Decision, Priority, PriorityLevel, Reason, Understanding

HUMAN_INTENT = "contact_human_agent"

REASON_TEXTS: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.CONFIDENT: "The model is at least as sure as the threshold that was certified for this intent.",
        Reason.BELOW_THRESHOLD: "The model is less sure than the threshold that was certified for this intent.",
        Reason.NOT_CERTIFIED: "There was too little evidence to certify a threshold for this intent.",
        Reason.POLICY_FORBIDS: "The team's policy wants a person to handle this intent.",
        Reason.NO_POLICY: "There is no policy for this intent yet.",
        Reason.AUTOMATED_MAIL: "A machine wrote the message, so nothing is sent without a person.",
        Reason.EMPTY_MESSAGE: "The message has no text of the customer's own, so a person should look.",
        Reason.OUT_OF_SCOPE: "The message fits none of the intents that Frontdesk knows.",
        Reason.AMBIGUOUS: "A few intents are plausible, so it is best to ask the customer.",
        Reason.TOO_UNCERTAIN: "Too many intents are plausible to ask a short question.",
        Reason.WANTS_HUMAN: "The customer asks for a person.",
        Reason.URGENT: "The priority is urgent, so a person should look at once.",
        Reason.DEGRADED: "Parts of the system did not take part in this answer.",
        Reason.REPLY_REFUSED: "The written reply did not pass its checks, so a person should look.",
        Reason.LANGUAGE_NOT_COVERED: "There is no passage in the customer's language, so a person should look.",
    }
)


def decide(
    understanding: Understanding,
    taxonomy: Taxonomy,
    priority: Priority,
    max_plausible_to_clarify: int,
    act: Act = Act.REQUEST,
) -> Decision:
    """Decide on one message.

    Args:
        understanding: of the message, by the champion.
        taxonomy: the team's policy for each intent, and its description.
        priority: of the message.
        max_plausible_to_clarify: a clarifying question names at most this many intents; with more, a person decides.
        act: what kind of contact the message is. An automated mail is never answered without a person, and never by a
            question: two machines would answer each other without end.

    Returns:
        The action with every reason that applies, the decisive one first. A message out of scope has no intent, so its
        policy and threshold are no reasons, and no action is suggested.
    """
    if act is Act.AUTOMATED_MAIL:
        return Decision(Action.DRAFT, (Reason.AUTOMATED_MAIL,), ())
    if act is Act.EMPTY:
        return Decision(Action.ESCALATE, (Reason.EMPTY_MESSAGE,), ())
    policy = taxonomy.policy(understanding.intent.label)
    candidates = likely_candidates(understanding.plausible)
    rules = list(_matching_rules(understanding, policy, priority, len(candidates), max_plausible_to_clarify))
    action, _ = rules[0] if rules else (Action.AUTOMATE, Reason.CONFIDENT)
    reasons = tuple(dict.fromkeys(reason for _, reason in rules)) or (Reason.CONFIDENT,)
    actions = policy.actions if understanding.intent.in_scope else ()
    if action is not Action.CLARIFY:
        return Decision(action, reasons, actions)
    return Decision(
        action, reasons, actions, clarifying_question([taxonomy.policy(label) for label in candidates]), candidates
    )


def require_review(decision: Decision, reason: Reason) -> Decision:
    """`decision` with `reason` added; `automate` becomes `draft`, so that a person reviews the reply."""
    others = tuple(other for other in decision.reasons if other is not Reason.CONFIDENT)
    if decision.action is Action.AUTOMATE:
        return dataclasses.replace(decision, action=Action.DRAFT, reasons=(reason, *others))
    return dataclasses.replace(decision, reasons=tuple(dict.fromkeys((*decision.reasons, reason))))


def _matching_rules(
    understanding: Understanding,
    policy: IntentPolicy,
    priority: Priority,
    candidates: int,
    max_plausible_to_clarify: int,
) -> Iterator[tuple[Action, Reason]]:
    """Yield each rule against automation that applies, in order. `candidates`: number of likely candidates."""
    intent, threshold = understanding.intent, understanding.automation_threshold
    is_certain = threshold is not None and intent.confidence >= threshold
    if not intent.in_scope:
        yield Action.ESCALATE, Reason.OUT_OF_SCOPE
    elif intent.label == HUMAN_INTENT:
        yield Action.ESCALATE, Reason.WANTS_HUMAN
    elif policy.escalate:
        yield Action.ESCALATE, Reason.POLICY_FORBIDS
    if priority.level is PriorityLevel.URGENT:
        yield Action.ESCALATE, Reason.URGENT
    if intent.in_scope and candidates > 1 and not is_certain:
        few = candidates <= max_plausible_to_clarify
        yield (Action.CLARIFY, Reason.AMBIGUOUS) if few else (Action.ESCALATE, Reason.TOO_UNCERTAIN)
    if understanding.skipped:
        yield Action.DRAFT, Reason.DEGRADED
    if not intent.in_scope:
        return
    if not policy.is_defined:
        yield Action.DRAFT, Reason.NO_POLICY
    elif not policy.automate:
        yield Action.DRAFT, Reason.POLICY_FORBIDS
    if threshold is None:
        yield Action.DRAFT, Reason.NOT_CERTIFIED
    elif not is_certain:
        yield Action.DRAFT, Reason.BELOW_THRESHOLD
