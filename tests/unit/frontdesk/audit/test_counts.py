"""Aggregated audit entries: the first of a kind at once, then one entry a minute, with a limit on the number."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from frontdesk.audit.chain import AuditKey
from frontdesk.audit.counts import MAX_KINDS, MAX_KINDS_IN_ALL, MAX_TARGETS, AuditCounts
from frontdesk.audit.log import check_log
from frontdesk.security.authentication import ANONYMOUS
from frontdesk.storage.database import begin_reading, migrate, open_database
from frontdesk.storage.sql.audit_log import find_audit_entries
from frontdesk.storage.sql.audit_trail import AuditTrail
from frontdesk.types import Caller

KEY = AuditKey(b"k" * 32)
AGENT = Caller("acme", "agent", frozenset())


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path}/frontdesk.db"
    migrate(url)
    opened = open_database(url)
    yield opened
    opened.dispose()


@pytest.fixture
def counts(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[AuditCounts]:
    """Counters that are written only by `flush` and `close`."""
    monkeypatch.setattr("frontdesk.audit.counts.FLUSH_S", 3600.0)
    counts = AuditCounts(engine, AuditTrail(KEY.entry_hash), KEY, window_s=60.0)
    yield counts
    counts.close()


def entries(engine: Engine) -> list[dict[str, Any]]:
    with begin_reading(engine) as connection:
        rows = [dict(row) for row in find_audit_entries(connection, limit=100_000)]
        assert check_log(connection, KEY, []).findings == []
    return [{**row, "details": json.loads(row["details"])} for row in reversed(rows)]


def test_the_first_read_is_written_at_once_and_those_of_a_minute_together(engine: Engine, counts: AuditCounts) -> None:
    details = {"route": "/v1/queries", "status": 200}
    counts.add(AGENT, "read", ("route", "/v1/queries"), details, 200)
    counts.flush()
    for _ in range(500):
        counts.add(AGENT, "read", ("route", "/v1/queries"), details, 200)
        counts.flush()
    assert [entry["details"]["rows"] for entry in entries(engine)] == [200]
    counts.close()
    first, second = entries(engine)
    assert (first["tenant"], first["subject"], first["action"]) == ("acme", "agent", "read")
    assert first["target"] == second["target"] == KEY.target_fingerprint("route", "/v1/queries")
    assert (second["details"]["requests"], second["details"]["rows"]) == (500, 100_000)
    assert details.items() <= second["details"].items()


def test_after_the_window_the_next_entry_is_written(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("frontdesk.audit.counts.FLUSH_S", 3600.0)
    counts = AuditCounts(engine, AuditTrail(KEY.entry_hash), KEY, window_s=0.0)
    for _ in range(3):
        counts.add(AGENT, "read", ("route", "/"), {})
        counts.flush()
    counts.close()
    assert len(entries(engine)) == 3


def test_a_caller_with_varying_requests_cannot_fill_the_log(engine: Engine, counts: AuditCounts) -> None:
    for number in range(5000):
        counts.add(AGENT, "read", ("customer", str(number)), {"status": 404})
        counts.count_refusal(AGENT, "/v1/admin/models", "the scope admin is missing")
        if number % 500 == 0:
            counts.flush()
    counts.close()
    logged = entries(engine)
    assert sum(entry["details"]["requests"] for entry in logged if entry["action"] == "read") == 5000
    assert sum(entry["details"]["requests"] for entry in logged if entry["action"] == "refused") == 5000
    assert len(logged) <= MAX_KINDS + 2 + 2


def test_after_any_number_of_misses_a_read_keeps_its_target(engine: Engine, counts: AuditCounts) -> None:
    for number in range(MAX_KINDS * 3):
        counts.add(AGENT, "read", ("customer", f"junk-{number}"), {"status": 404})
    counts.add(AGENT, "read", ("customer", "ada"), {"status": 200}, 3)
    counts.flush()
    (read,) = [entry for entry in entries(engine) if entry["details"]["rows"]]
    assert read["target"] == KEY.target_fingerprint("customer", "ada")


def test_no_read_of_rows_loses_its_target_however_many_there_are(
    engine: Engine, counts: AuditCounts, caplog: pytest.LogCaptureFixture
) -> None:
    on_overflow: list[str] = []
    counts._overflowed = on_overflow.append
    caplog.set_level("WARNING", "bentoml.frontdesk")
    for number in range(2000):
        details = {"status": 200, "customer": f"hash-{number}", "filters": {"customer_id": f"filter-{number}"}}
        counts.add(AGENT, "read", ("query", str(number)), details, 1)
        if number % 300 == 0:
            counts.flush()
    counts.close()
    logged = entries(engine)
    contents = "".join(entry["target"] + json.dumps(entry["details"]) for entry in logged)
    for number in range(2000):
        assert KEY.target_fingerprint("query", str(number)) in contents
        assert f'"hash-{number}"' in contents
        assert f'"filter-{number}"' in contents
    assert {(entry["tenant"], entry["subject"]) for entry in logged} == {("acme", "agent")}
    assert sum(entry["details"]["requests"] for entry in logged) == 2000
    assert sum(entry["details"]["rows"] for entry in logged) == 2000
    assert max(len(entry["details"].get("targets", ())) for entry in logged) == MAX_TARGETS
    assert on_overflow == ["read"] * (2000 - MAX_KINDS)
    assert len([line for line in caplog.messages if "the audit log aggregates the rest" in line]) == 1


def test_a_read_of_rows_keeps_its_caller_and_target_when_many_callers_fill_the_log(
    engine: Engine, counts: AuditCounts
) -> None:
    for number in range(MAX_KINDS_IN_ALL):
        counts.add(Caller("acme", f"subject-{number}", frozenset()), "read", ("route", "/"), {})
    counts.add(AGENT, "read", ("customer", "ada"), {"status": 200}, 3)
    counts.flush()
    (read,) = [entry for entry in entries(engine) if entry["details"]["rows"]]
    assert (read["subject"], read["details"]["targets"]) == ("agent", [KEY.target_fingerprint("customer", "ada")])


def test_tokens_that_prove_no_caller_share_one_entry(engine: Engine, counts: AuditCounts) -> None:
    for number in range(1000):
        counts.count_refusal(ANONYMOUS, f"/v1/{number}", "the token is not valid")
    counts.flush()
    (entry,) = entries(engine)
    assert (entry["tenant"], entry["subject"], entry["details"]["requests"]) == ("", "", 1000)


def test_many_callers_are_bounded_together(engine: Engine, counts: AuditCounts) -> None:
    for number in range(MAX_KINDS_IN_ALL + 1000):
        counts.add(Caller("acme", f"subject-{number}", frozenset()), "read", ("route", "/"), {})
    counts.flush()
    logged = entries(engine)
    assert len(logged) == MAX_KINDS_IN_ALL + 1
    assert sum(entry["details"]["requests"] for entry in logged) == MAX_KINDS_IN_ALL + 1000


def test_counts_survive_a_failed_transaction(engine: Engine, counts: AuditCounts) -> None:
    counts.add(AGENT, "read", ("route", "/"), {}, 3)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit_log RENAME TO renamed"))
    with pytest.raises(Exception, match="no such table"):
        counts.flush()
    counts.add(AGENT, "read", ("route", "/"), {}, 4)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE renamed RENAME TO audit_log"))
    counts.flush()
    (entry,) = entries(engine)
    assert (entry["details"]["requests"], entry["details"]["rows"]) == (2, 7)
