"""Rows that the statements write and find."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import Engine, Table, select

from frontdesk.errors import DataError
from frontdesk.storage.database import begin_reading
from frontdesk.storage.record_rows import RESOLUTION, RowBuilder, decrypt_original
from frontdesk.storage.sql.records import find_answer, find_encrypted_texts, insert_performance, insert_rows
from frontdesk.storage.tables import customer_history, model_performance, queries
from frontdesk.types import Action, Record
from tests.support.records import CREATED_AT, MASKED_TEXT, RAW_TEXT, REPLY_TEXT, SEAL, mail_record, record
from tests.support.records import rows as build_rows


def write(engine: Engine, *records: Record) -> None:
    with engine.begin() as connection:
        insert_rows(connection, build_rows(*records))


def rows(engine: Engine, table: Table) -> list[dict[str, Any]]:
    with begin_reading(engine) as connection:
        return [dict(row) for row in connection.execute(select(table)).mappings()]


def test_a_record_becomes_one_row_with_the_masked_texts(engine: Engine) -> None:
    stored = record()
    write(engine, stored)
    (row,) = rows(engine, queries)
    answer = row.pop("answer")
    del row["query_sealed"], row["response_sealed"]
    assert row == {
        "id": stored.answer.query_id,
        "tenant": "acme",
        "customer_id": "customer-7",
        "session_id": None,
        "query_text": MASKED_TEXT,
        "intent": "track_order",
        "sentiment": "negative",
        "confidence": 0.93,
        "priority": "high",
        "priority_score": 61.0,
        "response_text": REPLY_TEXT,
        "response_time_ms": 8.9,
        "decision": "draft",
        "escalation_needed": False,
        "uncertainty_score": 0.2,
        "channel": "api",
        "customer_tier": "standard",
        "model_version": "2026-06-01",
        "created_at": CREATED_AT,
        "updated_at": CREATED_AT,
        "audit_salt": stored.audit_salt,
        "other_parts": None,
        "mail_sealed": None,
    }
    assert json.loads(answer)["decision"] == {
        "action": "draft",
        "reasons": ["confidence_below_threshold"],
        "suggested_actions": ["check_tracking"],
        "asks_about": [],
        "actions": [],
    }


def test_other_parts_are_stored_masked_and_the_fields_of_a_mail_encrypted(engine: Engine) -> None:
    stored = mail_record()
    write(engine, record(), stored, record())
    (row,) = (row for row in rows(engine, queries) if row["id"] == stored.answer.query_id)
    assert json.loads(row["other_parts"]) == [{"kind": "quotation", "text": "> a quoted [ORDER_1]"}]
    opened = decrypt_original(SEAL, row["mail_sealed"], "acme", stored.answer.query_id, "mail")
    assert json.loads(opened) == {
        "html": stored.query.html,
        "subject": stored.query.subject,
        "headers": dict(stored.query.headers),
        "transcript": [{"role": "agent", "text": "Hello Jane"}],
    }
    assert b"jane.roe" not in row["mail_sealed"]
    with begin_reading(engine) as connection:
        answer = find_answer(connection, "acme", stored.answer.query_id)
    assert json.loads(answer.to_json())["masked_message"]["other_parts"] == json.loads(row["other_parts"])


def test_rows_of_plain_texts_have_the_columns_of_the_previous_release() -> None:
    plain, mail = (RowBuilder(SEAL).rows(stored).inserts["queries"][0] for stored in (record(), mail_record()))
    assert mail.keys() - plain.keys() == {"other_parts", "mail_sealed"}


def test_neither_the_raw_text_nor_an_original_is_in_any_row(engine: Engine) -> None:
    write(engine, record())
    everything = json.dumps([rows(engine, queries), rows(engine, customer_history)], default=str)
    assert MASKED_TEXT in everything
    assert RAW_TEXT not in everything
    assert "4711-0815" not in everything


def test_original_message_and_reply_can_be_decrypted_with_the_key(engine: Engine) -> None:
    stored = record()
    write(engine, stored, record(with_reply=False))
    with begin_reading(engine) as connection:
        assert find_encrypted_texts(connection, "other", stored.answer.query_id) is None
        query, reply = find_encrypted_texts(connection, "acme", stored.answer.query_id)
    assert decrypt_original(SEAL, query, "acme", stored.answer.query_id, "query_text") == RAW_TEXT
    sent = decrypt_original(SEAL, reply, "acme", stored.answer.query_id, "response_text")
    assert sent == REPLY_TEXT.replace("[ORDER_1]", "4711-0815")
    with pytest.raises(DataError):
        decrypt_original(SEAL, query, "acme", stored.answer.query_id, "response_text")
    assert decrypt_original(SEAL, None, "acme", stored.answer.query_id, "response_text") is None


def test_rows_that_exist_already_stay_as_they_are(engine: Engine) -> None:
    first, other = record(), record()
    write(engine, first)
    write(engine, first, other, record(query_id=first.answer.query_id, masked_text="another text"))
    assert [row["query_text"] for row in rows(engine, queries)] == [MASKED_TEXT] * 2
    assert len(rows(engine, customer_history)) == 2


@pytest.mark.parametrize("action", list(Action))
def test_only_an_escalation_is_marked_as_one(engine: Engine, action: Action) -> None:
    write(engine, record(action=action))
    assert [row["escalation_needed"] for row in rows(engine, queries)] == [action is Action.ESCALATE]


@pytest.mark.parametrize("action", list(Action))
def test_a_known_customers_history_has_labels_and_the_outcome_but_no_text(engine: Engine, action: Action) -> None:
    stored = record(action=action)
    write(engine, stored)
    assert rows(engine, customer_history) == [
        {
            "id": stored.answer.query_id,
            "tenant": "acme",
            "customer_id": "customer-7",
            "interaction_type": "query",
            "summary": f"track_order: {action.value}",
            "resolution_status": RESOLUTION[action],
            "satisfaction_score": None,
            "created_at": CREATED_AT,
        }
    ]


@pytest.mark.parametrize(
    "stored", [record(customer_id=None), record(with_reply=False)], ids=["no customer", "no reply"]
)
def test_without_a_customer_or_a_reply_there_is_no_history(engine: Engine, stored: Record) -> None:
    write(engine, stored)
    assert rows(engine, customer_history) == []
    assert len(rows(engine, queries)) == 1


def test_a_batch_gives_history_only_to_those_who_have_one(engine: Engine) -> None:
    with_customer, unknown = record(), record(customer_id=None)
    write(engine, unknown, with_customer)
    assert len(rows(engine, queries)) == 2
    assert [row["id"] for row in rows(engine, customer_history)] == [with_customer.answer.query_id]


def test_an_answer_is_found_only_by_its_own_tenant(engine: Engine) -> None:
    stored = record(tenant="acme")
    write(engine, stored, record(tenant="other"))
    with begin_reading(engine) as connection:
        result = find_answer(connection, "acme", stored.answer.query_id)
        assert find_answer(connection, "other", stored.answer.query_id) is None
        assert find_answer(connection, "acme", "unknown") is None
    assert result is not None
    answer = json.loads(result.to_json())
    assert answer["query_id"] == stored.answer.query_id
    assert answer["masked_message"] == {"text": MASKED_TEXT, "other_parts": []}
    assert result.customer_id == stored.query.customer_id


def test_a_stored_answer_omits_absent_fields(engine: Engine) -> None:
    stored = record(with_reply=False)
    write(engine, stored)
    with begin_reading(engine) as connection:
        assert "reply" not in json.loads(find_answer(connection, "acme", stored.answer.query_id).answer)
    (row,) = rows(engine, queries)
    assert row["response_text"] is None


def test_each_metric_of_an_evaluation_is_a_row(engine: Engine) -> None:
    with engine.begin() as connection:
        insert_performance(connection, "acme", "ensemble", "3", {"accuracy": 0.94, "ece": 0.012}, CREATED_AT)
        insert_performance(connection, "acme", "ensemble", "4", {}, CREATED_AT)
    result = rows(engine, model_performance)
    assert {row["metric_name"]: row["metric_value"] for row in result} == {"accuracy": 0.94, "ece": 0.012}
    assert {(row["tenant"], row["model_name"], row["model_version"]) for row in result} == {("acme", "ensemble", "3")}
    assert {row["evaluation_date"] for row in result} == {CREATED_AT}
    assert len({row["id"] for row in result}) == 2
