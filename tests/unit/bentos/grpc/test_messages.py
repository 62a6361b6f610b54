"""Every field of the values is converted, and no field that was not set."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import TypeAdapter

from bentos.grpc import frontdesk_pb2 as pb
from bentos.grpc.messages import answer_to_message, query_to_fields
from bentos.schemas.queries import QueryIn, parse_item
from frontdesk.errors import InvalidQuery
from frontdesk.types import (
    Act,
    Action,
    Answer,
    Candidate,
    Channel,
    Citation,
    CustomerTier,
    Decision,
    Intent,
    MemberOpinion,
    MessageSummary,
    PartKind,
    PartSummary,
    Priority,
    PriorityLevel,
    PriorityPart,
    Query,
    Reason,
    Reply,
    Role,
    Sentiment,
    Turn,
    Uncertainty,
)
from tests.support.grpc_server import to_http_form

ANSWER = Answer(
    query_id="0197-id",
    intent=Intent("refund", 0.7, (Candidate("refund", 0.7), Candidate("cancel", 0.2)), True, 0.05),
    sentiment=Sentiment("negative", 0.8, {"negative": 0.8, "neutral": 0.15, "positive": 0.05}),
    priority=Priority(PriorityLevel.URGENT, 91.5, (PriorityPart("anger", 40.0, "the customer is angry"),)),
    uncertainty=Uncertainty(0.3, 0.1, 0.2, "head_dropout"),
    decision=Decision(Action.CLARIFY, tuple(Reason), ("call back", "apologise"), "Which one?", ("refund", "cancel")),
    members=(MemberOpinion("roberta", "refund", 0.6), MemberOpinion("xgboost", "cancel", 0.5)),
    model_version="20260101-abc",
    skipped=("encoders",),
    timings_ms={"mask": 0.25, "total": 4.5},
    reply=Reply("We are sorry.", "template", (Citation("refunds#1", "Refunds"),)),
    stored="committed",
)


def as_http(answer: Answer) -> dict[str, Any]:
    """The JSON of the HTTP API."""
    return json.loads(TypeAdapter(Answer).dump_json(answer, exclude_none=True))


def test_an_answer_is_the_same_over_both_protocols() -> None:
    assert to_http_form(answer_to_message(ANSWER)) == as_http(ANSWER)


def test_an_answer_without_a_reply_has_none_of_its_fields() -> None:
    message = answer_to_message(replace(ANSWER, reply=None, stored=None))
    assert not message.HasField("reply")
    assert not message.HasField("stored")


@pytest.mark.parametrize("level", PriorityLevel)
@pytest.mark.parametrize("action", Action)
def test_every_level_and_action_has_its_own_name(level: PriorityLevel, action: Action) -> None:
    answer = replace(ANSWER, priority=Priority(level, 1.0, ()), decision=Decision(action, (), ()))
    message = answer_to_message(answer)
    assert pb.PriorityLevel.Name(message.priority.level) == f"PRIORITY_LEVEL_{level.name}"
    assert pb.Action.Name(message.decision.action) == f"ACTION_{action.name}"
    assert not message.decision.HasField("question")


def read(query: pb.Query) -> Query:
    item = parse_item(query_to_fields(query))
    assert isinstance(item, Query)
    return item


def test_a_query_with_nothing_but_a_text_has_the_defaults_of_the_http_api() -> None:
    assert read(pb.Query(text="Hello?")) == QueryIn(text="Hello?").query()


def test_every_field_of_a_query_arrives() -> None:
    since = Timestamp(seconds=1_767_225_600)
    query = pb.Query(
        text="Hello?",
        customer_id="c1",
        session_id="s1",
        channel=pb.CHANNEL_PHONE,
        customer_tier=pb.CUSTOMER_TIER_PREMIUM,
        language="pt-BR",
        waiting_since=since,
        store=False,
        html="<p>Hello?</p>",
        subject="Greeting",
        headers={"Auto-Submitted": "no", "X-Unknown": "ignored"},
        transcript=[pb.Turn(role=pb.ROLE_AGENT, text="Good day."), pb.Turn(role=pb.ROLE_CUSTOMER, text="Hi.")],
    )
    assert read(query) == Query(
        "Hello?",
        "c1",
        "s1",
        Channel.PHONE,
        CustomerTier.PREMIUM,
        "pt-BR",
        datetime(2026, 1, 1, tzinfo=UTC),
        False,
        html="<p>Hello?</p>",
        subject="Greeting",
        headers={"auto-submitted": "no"},
        transcript=(Turn(Role.AGENT, "Good day."), Turn(Role.CUSTOMER, "Hi.")),
    )


def test_a_transcript_needs_no_text_and_an_unknown_role_is_named() -> None:
    assert read(pb.Query(transcript=[pb.Turn(role=pb.ROLE_CUSTOMER, text="Hi.")])).text == ""
    error = parse_item(query_to_fields(pb.Query(transcript=[pb.Turn(text="Hi.")])))
    assert isinstance(error, InvalidQuery)
    assert [where for where, _ in error.violations] == ["transcript.0.role"]


@pytest.mark.parametrize("act", Act)
@pytest.mark.parametrize("kind", PartKind)
def test_act_and_parts_of_the_message_arrive(act: Act, kind: PartKind) -> None:
    summary = MessageSummary(3, (PartSummary(PartKind.OWN, 3), PartSummary(kind, 40)))
    message = answer_to_message(replace(ANSWER, act=act, message=summary))
    assert pb.Act.Name(message.act) == f"ACT_{act.name}"
    assert message.message.own_characters == 3
    assert pb.PartKind.Name(message.message.parts[1].kind) == f"PART_KIND_{kind.name}"
    assert message.message.parts[1].characters == 40


@pytest.mark.parametrize("channel", Channel)
def test_every_channel_can_be_named(channel: Channel) -> None:
    assert read(pb.Query(text="x", channel=pb.Channel.Value(f"CHANNEL_{channel.name}"))).channel is channel


@pytest.mark.parametrize("tier", CustomerTier)
def test_every_tier_can_be_named(tier: CustomerTier) -> None:
    number = pb.CustomerTier.Value(f"CUSTOMER_TIER_{tier.name}")
    assert read(pb.Query(text="x", customer_tier=number)).customer_tier is tier


@pytest.mark.parametrize("field", ["channel", "customer_tier"])
def test_an_unknown_enum_number_is_refused_and_the_field_is_named(field: str) -> None:
    query = pb.Query.FromString(pb.Query(text="x", **{field: 99}).SerializeToString())
    error = parse_item(query_to_fields(query))
    assert isinstance(error, InvalidQuery)
    assert [where for where, _ in error.violations] == [field]


@pytest.mark.parametrize("since", [Timestamp(seconds=2**62), Timestamp(nanos=-5), Timestamp(seconds=-(2**62))])
def test_an_impossible_time_is_refused(since: Timestamp) -> None:
    with pytest.raises(InvalidQuery) as refused:
        query_to_fields(pb.Query(text="x", waiting_since=since))
    assert [where for where, _ in refused.value.violations] == ["waiting_since"]
