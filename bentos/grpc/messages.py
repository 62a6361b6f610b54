"""Conversion between the messages of frontdesk.proto and the values of `frontdesk.types`.

Enum values have the names of the Python values with the name of the enum as a prefix, which is the protobuf convention.
The tables are built from the Python types at import, so a value that the schema lacks stops a worker at its start.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeVar

from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

from bentos.grpc import frontdesk_pb2 as pb
from frontdesk import types
from frontdesk.errors import InvalidQuery

E = TypeVar("E", bound=StrEnum)

UNKNOWN = "unknown"
"""Replaces an enum number that is not in the schema. It is not a valid value, so validation reports the field."""


def _enum_numbers(wrapper: Any, prefix: str, values: type[E]) -> dict[E, Any]:
    enum: EnumTypeWrapper = wrapper
    return {value: enum.Value(f"{prefix}_{value.value.upper()}") for value in values}


_CHANNELS = {number: channel.value for channel, number in _enum_numbers(pb.Channel, "CHANNEL", types.Channel).items()}
_TIERS = {
    number: tier.value for tier, number in _enum_numbers(pb.CustomerTier, "CUSTOMER_TIER", types.CustomerTier).items()
}
_LEVELS = _enum_numbers(pb.PriorityLevel, "PRIORITY_LEVEL", types.PriorityLevel)
_ACTIONS = _enum_numbers(pb.Action, "ACTION", types.Action)
_REASONS = _enum_numbers(pb.Reason, "REASON", types.Reason)


def query_to_fields(query: pb.Query) -> dict[str, Any]:
    """Return the fields that the caller has set, in the form of the HTTP body, which is validated later.

    Raises:
        InvalidQuery: a time is outside of the years 1 to 9999.
    """
    fields: dict[str, Any] = {"text": query.text}
    for name in ("customer_id", "session_id", "language", "store"):
        if query.HasField(name):
            fields[name] = getattr(query, name)
    if query.channel:
        fields["channel"] = _CHANNELS.get(query.channel, UNKNOWN)
    if query.customer_tier:
        fields["customer_tier"] = _TIERS.get(query.customer_tier, UNKNOWN)
    if query.HasField("waiting_since"):
        fields["waiting_since"] = _waiting_since(query)
    return fields


def _waiting_since(query: pb.Query) -> str:
    try:
        return query.waiting_since.ToJsonString()
    except ValueError:
        violation = ("waiting_since", "should be a time between the years 1 and 9999")
        raise InvalidQuery(f"{' '.join(violation)}.", violations=(violation,)) from None


def answer_to_message(answer: types.Answer) -> pb.Answer:
    """Convert an answer. `reply` and `stored` are set only if there is a reply, as over HTTP."""
    intent, sentiment, uncertainty = answer.intent, answer.sentiment, answer.uncertainty
    return pb.Answer(
        query_id=answer.query_id,
        intent=pb.Intent(
            label=intent.label,
            confidence=intent.confidence,
            candidates=[
                pb.Candidate(label=candidate.label, probability=candidate.probability)
                for candidate in intent.candidates
            ],
            in_scope=intent.in_scope,
            out_of_scope_probability=intent.out_of_scope_probability,
        ),
        sentiment=pb.Sentiment(label=sentiment.label, confidence=sentiment.confidence, scores=sentiment.scores),
        priority=_priority(answer.priority),
        uncertainty=pb.Uncertainty(
            score=uncertainty.score,
            epistemic=uncertainty.epistemic,
            aleatoric=uncertainty.aleatoric,
            method=uncertainty.method,
        ),
        decision=_decision(answer.decision),
        members=[
            pb.MemberOpinion(name=member.name, intent=member.intent, confidence=member.confidence)
            for member in answer.members
        ],
        model_version=answer.model_version,
        skipped=answer.skipped,
        timings_ms=answer.timings_ms,
        reply=None if answer.reply is None else _reply(answer.reply),
        stored=answer.stored,
        hand_off=None if answer.hand_off is None else _hand_off(answer.hand_off),
    )


def _priority(priority: types.Priority) -> pb.Priority:
    parts = [pb.PriorityPart(name=part.name, points=part.points, because=part.because) for part in priority.parts]
    return pb.Priority(level=_LEVELS[priority.level], score=priority.score, parts=parts)


def _decision(decision: types.Decision) -> pb.Decision:
    return pb.Decision(
        action=_ACTIONS[decision.action],
        reasons=[_REASONS[reason] for reason in decision.reasons],
        suggested_actions=decision.suggested_actions,
        question=decision.question,
        asks_about=decision.asks_about,
        actions=[pb.SuggestedAction(action=of.action, slots=of.slots) for of in decision.actions],
    )


def _hand_off(summary: types.HandOff) -> pb.HandOff:
    return pb.HandOff(what=summary.what, mood=summary.mood, tried=summary.tried, needed=summary.needed)


def _reply(reply: types.Reply) -> pb.Reply:
    return pb.Reply(
        text=reply.text,
        source=reply.source,
        citations=[pb.Citation(passage=citation.passage, title=citation.title) for citation in reply.citations],
        checks=[pb.CheckResult(name=of.name, passed=of.passed, findings=of.findings) for of in reply.checks],
        provider=reply.provider,
        prompt_hash=reply.prompt_hash,
        fallback=reply.fallback,
    )
