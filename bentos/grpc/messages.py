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
_ROLES = {number: role.value for role, number in _enum_numbers(pb.Role, "ROLE", types.Role).items()}
_ACTS = _enum_numbers(pb.Act, "ACT", types.Act)
_PART_KINDS = _enum_numbers(pb.PartKind, "PART_KIND", types.PartKind)


def query_to_fields(query: pb.Query) -> dict[str, Any]:
    """Return the fields that the caller has set, in the form of the HTTP body, which is validated later.

    Raises:
        InvalidQuery: a time is outside of the years 1 to 9999.
    """
    fields: dict[str, Any] = {}
    for name in ("customer_id", "session_id", "language", "store", "html", "subject"):
        if query.HasField(name):
            fields[name] = getattr(query, name)
    if query.channel:
        fields["channel"] = _CHANNELS.get(query.channel, UNKNOWN)
    if query.customer_tier:
        fields["customer_tier"] = _TIERS.get(query.customer_tier, UNKNOWN)
    if query.HasField("waiting_since"):
        fields["waiting_since"] = _waiting_since(query)
    if query.headers:
        fields["headers"] = dict(query.headers)
    if query.transcript:
        fields["transcript"] = [
            {"role": _ROLES.get(turn.role, UNKNOWN), "text": turn.text} for turn in query.transcript
        ]
    if query.text or not fields.keys() & {"html", "subject", "transcript"}:
        fields["text"] = query.text
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
        act=None if answer.act is None else _ACTS[answer.act],
        message=None if answer.message is None else _message_summary(answer.message),
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


def _message_summary(summary: types.MessageSummary) -> pb.MessageSummary:
    parts = [pb.MessagePart(kind=_PART_KINDS[part.kind], characters=part.characters) for part in summary.parts]
    return pb.MessageSummary(own_characters=summary.own_characters, parts=parts)


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
