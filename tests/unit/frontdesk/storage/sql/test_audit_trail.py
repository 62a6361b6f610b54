"""Audit entries are committed with their records, linked into a chain, and complete after reading them back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Engine

from frontdesk.audit.chain import AuditKey, AuditRow, verify
from frontdesk.storage.database import begin_reading, begin_writing, migrate, open_database
from frontdesk.storage.record_rows import RecordRows, RowBuilder
from frontdesk.storage.sql.audit_log import (
    all_audit_checkpoints,
    all_audit_entries,
    chain_heads,
    insert_audit_checkpoint,
)
from frontdesk.storage.sql.audit_trail import AuditTrail
from frontdesk.storage.writes.write_commands import StoreRows, write_database
from frontdesk.types import AuditEntry
from tests.support.records import CREATED_AT, MASKED_TEXT, RAW_TEXT, SEAL, record

KEY = AuditKey(b"k" * 32)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path}/desk.db"
    migrate(url)
    opened = open_database(url)
    yield opened
    opened.dispose()


def rows_of(engine: Engine) -> list[AuditRow]:
    with begin_reading(engine) as connection:
        entries = [dict(row) for row in all_audit_entries(connection)]
    places = [{name: row.pop(name) for name in ("chain", "sequence", "previous_hash", "hash")} for row in entries]
    return [AuditRow(entry=AuditEntry(**row), **place) for row, place in zip(entries, places, strict=True)]


def store(engine: Engine, trail: AuditTrail, *batch: RecordRows) -> None:
    with begin_writing(engine) as connection:
        write_database(connection, [StoreRows(rows) for rows in batch], trail)


def build_rows(**changes: object) -> RecordRows:
    return RowBuilder(SEAL, (), KEY.answer_entry).rows(record(**changes))


def test_an_answer_has_an_entry_without_its_text(engine: Engine) -> None:
    rows = build_rows()
    store(engine, AuditTrail(KEY.entry_hash), rows)
    (row,) = rows_of(engine)
    assert (row.entry.tenant, row.entry.action, row.entry.target) == ("acme", "answer", rows.id)
    assert row.entry.created_at == CREATED_AT
    salt = rows.inserts["queries"][0]["audit_salt"]
    assert KEY.fingerprint(f"{salt}\x00{MASKED_TEXT}") in row.entry.details
    assert KEY.fingerprint(MASKED_TEXT) not in row.entry.details  # after an erasure the salt is gone
    assert '"customer"' not in row.entry.details  # rows without an origin
    assert not any(word in row.entry.details for word in (MASKED_TEXT, RAW_TEXT, "4711"))


def test_an_answers_entry_has_its_customers_keyed_hash_which_is_computed_once() -> None:
    hashed: list[bytes] = []

    def fingerprint(plain: bytes) -> str:
        hashed.append(plain)
        return f"hash-{plain.decode()}"

    rows = RowBuilder(SEAL, (), KEY.answer_entry, fingerprint).rows(record(customer_id="ada"))
    assert rows.origin is not None
    assert json.loads(rows.audited[0].details)["customer"] == rows.origin.customer_hash == "hash-acme\x00ada"
    assert len(hashed) == 1
    (nobody,) = RowBuilder(SEAL, (), KEY.answer_entry, fingerprint).rows(record(customer_id=None)).audited
    assert "customer" not in json.loads(nobody.details)


def test_chains_of_several_writers_are_complete(engine: Engine) -> None:
    trails = [AuditTrail(KEY.entry_hash), AuditTrail(KEY.entry_hash)]
    for number in range(12):
        store(engine, trails[number % 2], *[build_rows() for _ in range(number % 3 + 1)])
    audit_rows = rows_of(engine)
    assert len({row.chain for row in audit_rows}) == 2
    assert len(audit_rows) == 24
    assert verify(audit_rows, [], KEY) == []
    with begin_reading(engine) as connection:
        assert sum(sequence for sequence, _ in chain_heads(connection).values()) == 24


def test_a_transaction_without_a_commit_leaves_no_entry_and_no_gap(engine: Engine) -> None:
    trail = AuditTrail(KEY.entry_hash)
    store(engine, trail, build_rows())
    with suppress(RuntimeError), begin_writing(engine) as connection:
        write_database(connection, [StoreRows(build_rows())], trail)
        raise RuntimeError
    store(engine, trail, build_rows())
    assert [row.sequence for row in rows_of(engine)] == [1, 2]
    assert verify(rows_of(engine), [], KEY) == []


def test_entries_go_through_the_spool_unchanged() -> None:
    rows = build_rows()
    assert RecordRows.from_json(rows.to_json()).audited == rows.audited


def test_checkpoints_come_back_in_order(engine: Engine) -> None:
    with begin_writing(engine) as connection:
        for identity in ("b", "a"):
            insert_audit_checkpoint(connection, identity, identity.upper(), CREATED_AT)
    with begin_reading(engine) as connection:
        assert all_audit_checkpoints(connection) == ["A", "B"]
