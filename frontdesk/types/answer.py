"""The result for one message, as a whole and as events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from frontdesk.types.decision import Decision, HandOff, SuggestedAction
from frontdesk.types.message import Act, MessageSummary
from frontdesk.types.priority import Priority
from frontdesk.types.query import MaskedText
from frontdesk.types.reply import Reply, Sentence
from frontdesk.types.understanding import Intent, MemberOpinion, Sentiment, Uncertainty


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole result for one message. Field names are those of the API.

    `act` and `message` are None only in answers that were stored before these fields existed.
    """

    query_id: str
    intent: Intent
    sentiment: Sentiment
    priority: Priority
    uncertainty: Uncertainty
    decision: Decision
    members: tuple[MemberOpinion, ...]
    model_version: str
    skipped: tuple[str, ...]
    timings_ms: Mapping[str, float]
    reply: Reply | None = None
    stored: str | None = None
    hand_off: HandOff | None = None
    act: Act | None = None
    message: MessageSummary | None = None


def restore_originals(answer: Answer, text: MaskedText) -> Answer:
    """`answer` with the original values instead of placeholders in its reply and its actions."""
    actions = tuple(
        SuggestedAction(action.action, {slot: text.restore(value) for slot, value in action.slots.items()})
        for action in answer.decision.actions
    )
    reply = answer.reply and replace(answer.reply, text=text.restore(answer.reply.text))
    return replace(answer, decision=replace(answer.decision, actions=actions), reply=reply)


@dataclass(frozen=True, slots=True)
class PreliminaryAnswer:
    """The first event: the answer without its reply. The decision may still change from `automate` to `draft`."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class FinalAnswer:
    """The last event: the answer as it is stored. Its reply replaces the sentences that were sent before."""

    answer: Answer


AnswerEvent = PreliminaryAnswer | Sentence | FinalAnswer


@dataclass(frozen=True, slots=True)
class EarlierAnswer(Answer):
    """The answer that is stored under the Idempotency-Key of this request, unchanged."""
