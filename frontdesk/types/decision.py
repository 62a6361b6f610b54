"""The decision on a message: the action, its reasons and suggestions for the agent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """What Frontdesk proposes to do with the message."""

    AUTOMATE = "automate"
    DRAFT = "draft"
    CLARIFY = "clarify"
    ESCALATE = "escalate"


class Reason(StrEnum):
    """Why an action was chosen. `frontdesk.decision.rules.REASON_TEXTS` has a sentence for each."""

    CONFIDENT = "confidence_above_certified_threshold"
    BELOW_THRESHOLD = "confidence_below_threshold"
    NOT_CERTIFIED = "no_certified_threshold"
    POLICY_FORBIDS = "policy_forbids_automation"
    NO_POLICY = "intent_without_policy"
    OUT_OF_SCOPE = "out_of_scope"
    AMBIGUOUS = "several_intents_plausible"
    TOO_UNCERTAIN = "too_many_intents_plausible"
    WANTS_HUMAN = "customer_asks_for_a_person"
    URGENT = "urgent_priority"
    DEGRADED = "parts_of_the_system_skipped"
    REPLY_REFUSED = "reply_failed_its_checks"
    LANGUAGE_NOT_COVERED = "no_passage_in_the_customers_language"
    AUTOMATED_MAIL = "automated_mail"
    EMPTY_MESSAGE = "empty_message"


@dataclass(frozen=True, slots=True)
class SuggestedAction:
    """An action that an agent may take next. `slots` are its arguments that the message contains."""

    action: str
    slots: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class HandOff:
    """Summary for the person who takes over: topic, mood, earlier contacts and next steps."""

    what: str
    mood: str
    tried: tuple[str, ...]
    needed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """The action, its reasons and what an agent may do next.

    `actions` are the `suggested_actions` with their slots. If the action is `clarify`, `question` is the question to
    the customer, and `asks_about` are the intents that it names, in its order.
    """

    action: Action
    reasons: tuple[Reason, ...]
    suggested_actions: tuple[str, ...]
    question: str | None = None
    asks_about: tuple[str, ...] = ()
    actions: tuple[SuggestedAction, ...] = ()
