"""Handoff summary: topic, mood, earlier contacts and next steps for the person who takes over. Pure; text is masked."""

from __future__ import annotations

from collections.abc import Sequence

from frontdesk.decision.rules import REASON_TEXTS
from frontdesk.decision.slot_filling import required_slots, slots_with_values
from frontdesk.taxonomy import Taxonomy
from frontdesk.types import Decision, HandOff, Priority, Understanding


def summarize_handoff(
    understanding: Understanding,
    decision: Decision,
    priority: Priority,
    taxonomy: Taxonomy,
    contacts: Sequence[str],
    *,
    text: str,
) -> HandOff:
    """Return the summary of a message that is escalated.

    Args:
        understanding: of the message.
        decision: to escalate, with its actions.
        priority: of the message.
        taxonomy: descriptions of intents and actions.
        contacts: phrases on earlier contacts, from `summarize_contacts`.
        text: the message, masked and neutralized. Values that it contains are not missing, even if no slot has them.
    """
    intent, sentiment = understanding.intent, understanding.sentiment
    policy = taxonomy.policy(intent.label)
    what = policy.description or f"About {intent.label.replace('_', ' ')}."
    if not intent.in_scope:
        what = "It fits none of the intents that Frontdesk knows."
    slots = dict.fromkeys(
        slot for action in decision.suggested_actions for slot in required_slots(action, taxonomy.needs)
    )
    contained = slots_with_values(tuple(slots), text)
    missing = [f"Ask for: {slot}" for slot in slots if slot not in contained]
    return HandOff(
        what=what,
        mood=f"{sentiment.label}, {priority.level.value} priority",
        tried=tuple(f"The customer {phrase}." for phrase in contacts),
        needed=(
            *(REASON_TEXTS[reason] for reason in decision.reasons),
            *(taxonomy.actions.get(action, action) for action in decision.suggested_actions),
            *missing,
        ),
    )
