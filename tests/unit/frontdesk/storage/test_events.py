"""Events for other systems are masked and labelled, and each sink gets each event once."""

from __future__ import annotations

import json

from frontdesk.storage.events import (
    EventType,
    answered_event,
    erased_event,
    feedback_event,
    outbox_rows,
)
from frontdesk.types import Action
from tests.support.records import CREATED_AT, MASKED_TEXT, RAW_TEXT, REPLY_TEXT, record


def test_an_answered_event_has_masked_text_labels_and_decision() -> None:
    answered = record(action=Action.ESCALATE)
    event = answered_event(answered)
    assert (event.event_id, event.type) == (answered.answer.query_id, EventType.ANSWERED)
    body = event.body()
    assert (body["query_text"], body["response_text"]) == (MASKED_TEXT, REPLY_TEXT)
    assert (body["intent"], body["sentiment"], body["decision"]) == ("track_order", "negative", "escalate")
    assert body["escalation_needed"] is True
    assert RAW_TEXT not in event.line()
    assert "4711" not in event.line()


def test_a_message_without_a_reply_is_an_understood_event() -> None:
    event = answered_event(record(with_reply=False))
    assert event.type == EventType.UNDERSTOOD
    assert event.body()["response_text"] is None


def test_the_same_record_gives_the_same_event() -> None:
    answered = record()
    assert answered_event(answered) == answered_event(answered)


def test_a_line_is_one_json_object_even_where_the_text_has_line_breaks() -> None:
    line = answered_event(record(masked_text="one\ntwo\u2028three")).line()
    assert "\n" not in line
    parsed = json.loads(line)
    assert parsed["payload"]["query_text"] == "one\ntwo\u2028three"
    assert parsed["created_at"] == CREATED_AT.isoformat()
    assert parsed["tenant"] == "acme"


def test_feedback_and_erasures_are_events() -> None:
    row = dict.fromkeys(("intent", "sentiment", "priority", "reply"), None)
    row |= {"id": "f1", "query_id": "q1", "tenant": "acme", "customer_id": "c", "satisfaction": 4}
    event = feedback_event({**row, "created_at": CREATED_AT})
    assert (event.event_id, event.type, event.body()["satisfaction"]) == ("f1", EventType.FEEDBACK, 4)
    assert erased_event("e1", "acme", "c", CREATED_AT).type == EventType.ERASED


def test_each_sink_has_a_row() -> None:
    event = answered_event(record())
    assert [row["sink"] for row in outbox_rows(event, ("file", "features"))] == ["file", "features"]
    assert outbox_rows(event, ()) == []
