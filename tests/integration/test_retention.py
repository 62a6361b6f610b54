"""Retention on both databases: expired data is removed, all other data stays, and the audit log can be verified."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Table, delete, select, update

from frontdesk.audit.chain import AuditKey
from frontdesk.audit.checkpoints import store_checkpoint
from frontdesk.audit.log import check_log
from frontdesk.storage.database import begin_reading, begin_writing, migrate, open_database
from frontdesk.storage.erasure.retention import Retention
from frontdesk.storage.events import feedback_event, outbox_rows
from frontdesk.storage.outbox.sinks import FileSink
from frontdesk.storage.sql.audit_trail import AuditTrail
from frontdesk.storage.sql.erasure import ERASED_QUERY
from frontdesk.storage.sql.personal_data import TABLES
from frontdesk.storage.tables import (
    audit_checkpoints,
    audit_log,
    customer_history,
    feedback,
    metadata,
    outbox,
    queries,
)
from frontdesk.types import AuditEntry
from tests.support.stored_rows import insert_feedback, insert_queries, query_row

NOW = datetime(2026, 9, 1, tzinfo=UTC)
OLD, YOUNG = NOW - timedelta(days=40), NOW - timedelta(days=20)
KEY = AuditKey(b"a key that only these tests know")
RULES: dict[str, float | None] = {"queries": 30, "customer_history": 30, "feedback": 30, "outbox": 30, "events": 30}
WITHOUT_CUSTOMERS = {
    *("audit_checkpoints", "daily_counts", "erasures", "model_performance"),
    *("retention_runs", "revoked_tokens", "spools"),
}


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    migrate(database_url)
    engine = open_database(database_url)
    yield engine
    engine.dispose()


def retention(engine: Engine, folder: Path, **rules: float | None) -> Retention:
    return Retention(engine, AuditTrail(KEY.entry_hash), {**RULES, "audit_log": None, **rules}, folder / "events.jsonl")


def rows(engine: Engine, table: Table) -> list[dict[str, Any]]:
    with begin_reading(engine) as connection:
        return [dict(row) for row in connection.execute(select(table)).mappings()]


def fill(engine: Engine) -> tuple[dict[str, Any], dict[str, Any]]:
    old, young = query_row(created_at=OLD), query_row(created_at=YOUNG)
    insert_queries(engine, [old, young, query_row(created_at=OLD, tenant="other")], with_history=True)
    for query in (old, young):
        insert_feedback(engine, query, satisfaction=3)
        rating = {"id": query["id"], "tenant": "acme", "customer_id": "customer-7", "created_at": query["created_at"]}
        names = ("query_id", "intent", "sentiment", "priority", "reply", "satisfaction")
        event = feedback_event({**rating, **dict.fromkeys(names)})
        with engine.begin() as connection:
            connection.execute(outbox.insert(), outbox_rows(event, ("file",)))
    return old, young


def test_expired_texts_are_emptied_as_by_an_erasure_and_newer_texts_stay(engine: Engine, tmp_path: Path) -> None:
    old, young = fill(engine)
    report = retention(engine, tmp_path).run(NOW)
    stored = {row["id"]: row for row in rows(engine, queries)}
    assert {name: stored[old["id"]][name] for name in ERASED_QUERY} == dict(ERASED_QUERY)
    assert (stored[old["id"]]["intent"], stored[old["id"]]["created_at"]) == ("track_order", OLD)
    assert stored[young["id"]] == young
    assert {row["id"]: row["customer_id"] for row in rows(engine, customer_history)}[old["id"]] == ""
    assert [row["query_id"] for row in rows(engine, feedback)] == [young["id"]]
    assert [row["event_id"] for row in rows(engine, outbox)] == [young["id"]]
    counts = {table.table: table.rows for table in report.tables}
    assert counts == {
        "queries": 2,
        "customer_history": 2,
        "feedback": 1,
        "outbox": 1,
        "events": 0,
        "audit_log": 0,
    }


def test_a_report_previews_a_run_and_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    before = {table.name: rows(engine, table) for table in metadata.sorted_tables}
    report = retention(engine, tmp_path).preview(NOW)
    assert {table.table: table.rows for table in report.tables if table.rows} == {
        "queries": 2,
        "customer_history": 2,
        "feedback": 1,
        "outbox": 1,
    }
    assert report.last_run_at is None
    assert {table.name: rows(engine, table) for table in metadata.sorted_tables} == before


def test_nothing_is_removed_without_a_rule(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    before = {table.name: rows(engine, table) for table in (queries, customer_history, feedback, outbox)}
    report = retention(engine, tmp_path, **dict.fromkeys(RULES)).run(NOW)
    assert {table.rows for table in report.tables} == {0}
    assert {table.name: rows(engine, table) for table in (queries, customer_history, feedback, outbox)} == before


def test_rows_of_several_transactions_are_all_removed(engine: Engine, tmp_path: Path) -> None:
    insert_queries(engine, [query_row(created_at=OLD) for _ in range(1203)])
    report = retention(engine, tmp_path).run(NOW)
    assert {table.table: table.rows for table in report.tables}["queries"] == 1203
    assert {row["query_text"] for row in rows(engine, queries)} == {""}


def test_each_run_writes_an_audit_entry_and_is_recorded(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    retention(engine, tmp_path).run(NOW, "tester")
    (entry,) = rows(engine, audit_log)
    assert (entry["subject"], entry["action"]) == ("tester", "retention.run")
    assert '"queries": 2' in entry["details"]
    assert retention(engine, tmp_path).preview(NOW).last_run_at is not None


def test_expired_lines_of_the_events_file_are_redacted_in_place(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    file = tmp_path / "events.jsonl"
    names = ("query_id", "intent", "sentiment", "priority", "reply", "satisfaction")
    for at, customer in ((OLD, "zqxold-customer"), (YOUNG, "zqxyoung-customer")):
        row = {"id": customer, "tenant": "acme", "customer_id": customer, "created_at": at, **dict.fromkeys(names)}
        FileSink(file).deliver([feedback_event(row)])
    size = file.stat().st_size
    report = retention(engine, tmp_path).run(NOW)
    assert {table.table: table.rows for table in report.tables}["events"] == 1
    assert (file.stat().st_size, b'"customer_id":"zqxold' in file.read_bytes()) == (size, False)
    assert b'"customer_id":"zqxyoung' in file.read_bytes()


class TestAuditLog:
    def filled(self, engine: Engine, folder: Path) -> None:
        trail = AuditTrail(KEY.entry_hash, "chain")
        for number in range(6):
            with begin_writing(engine) as connection:
                entry = AuditEntry("acme", "agent", "answer", f"target-{number}", "{}", OLD)
                trail.append(connection, [entry])
            if number == 3:
                store_checkpoint(engine, KEY, folder / "checkpoints.jsonl")
        with begin_writing(engine) as connection:
            connection.execute(update(audit_checkpoints).values(created_at=OLD))

    def findings(self, engine: Engine) -> list[str]:
        with begin_reading(engine) as connection:
            return check_log(connection, KEY, []).findings

    def test_entries_before_an_expired_checkpoint_are_deleted(self, engine: Engine, tmp_path: Path) -> None:
        self.filled(engine, tmp_path)
        report = retention(engine, tmp_path, audit_log=30).run(NOW)
        assert {table.table: table.rows for table in report.tables}["audit_log"] == 3
        kept_ones = [row["sequence"] for row in rows(engine, audit_log) if row["chain"] == "chain"]
        assert sorted(kept_ones) == [4, 5, 6]
        assert self.findings(engine) == []
        retention(engine, tmp_path, audit_log=30).run(NOW)
        assert self.findings(engine) == []

    def test_entries_deleted_without_retention_are_reported(self, engine: Engine, tmp_path: Path) -> None:
        self.filled(engine, tmp_path)
        retention(engine, tmp_path, audit_log=30).run(NOW)
        with begin_writing(engine) as connection:
            connection.execute(delete(audit_log).where(audit_log.c.chain == "chain", audit_log.c.sequence == 4))
        assert self.findings(engine) != []

    def test_a_forged_beginning_is_reported(self, engine: Engine, tmp_path: Path) -> None:
        self.filled(engine, tmp_path)
        with begin_writing(engine) as connection:
            details = json.dumps({"begins": {"chain": [3, self.hash_of(engine, 3)]}})
            forged = AuditTrail(AuditKey(b"a key of an attacker, long enough").entry_hash, "forged")
            forged.append(connection, [AuditEntry("", "retention", "retention.audit_log", "", details, OLD)])
            connection.execute(delete(audit_log).where(audit_log.c.chain == "chain", audit_log.c.sequence <= 3))
        assert self.findings(engine) != []

    def hash_of(self, engine: Engine, sequence: int) -> str:
        return next(row["hash"] for row in rows(engine, audit_log) if row["sequence"] == sequence)


def test_every_table_is_in_the_registry_or_has_no_personal_data() -> None:
    assert {table.name for table in TABLES} | WITHOUT_CUSTOMERS | {"audit_log"} == set(metadata.tables)
