"""Statements about keys that are executed late or twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine

from frontdesk.storage.database import begin_writing
from frontdesk.storage.record_rows import FinishedClaim
from frontdesk.storage.sql.idempotency import ClaimRow, acquire_claim, find_holding_claim, finish_claim

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
ASKED = ClaimRow(
    tenant="acme",
    subject="tester",
    key="key",
    fingerprint="print",
    claim="claim-1",
    lease_until=NOW + timedelta(seconds=30),
    created_at=NOW,
    expired=NOW - timedelta(days=1),
)
DONE = FinishedClaim(
    tenant="acme",
    subject="tester",
    key="key",
    fingerprint="print",
    claim="claim-1",
    query_id="query-1",
    created_at=NOW,
    committed=b"sealed",
    spooled=b"sealed",
)


def test_a_claim_that_is_written_after_its_answer_keeps_the_answer(engine: Engine) -> None:
    with begin_writing(engine) as connection:
        assert finish_claim(connection, DONE, b"sealed")
        holder = acquire_claim(connection, ASKED)
    assert holder is not None
    assert holder.answer_sealed == b"sealed"


def test_the_same_claim_succeeds_twice(engine: Engine) -> None:
    with begin_writing(engine) as connection:
        assert acquire_claim(connection, ASKED) is None
        assert acquire_claim(connection, ASKED) is None


def test_a_late_answer_of_a_slow_database_does_not_replace_the_acknowledged_one(engine: Engine) -> None:
    with begin_writing(engine) as connection:
        acquire_claim(connection, ASKED)
        assert finish_claim(connection, DONE, b"from the spool", is_acknowledged=True)
        assert finish_claim(connection, DONE, b"committed, told nobody")
        assert _answer(connection) == b"from the spool"


def test_the_acknowledged_answer_replaces_an_unacknowledged_one(engine: Engine) -> None:
    with begin_writing(engine) as connection:
        acquire_claim(connection, ASKED)
        assert finish_claim(connection, DONE, b"committed, told nobody")
        assert finish_claim(connection, DONE, b"from the spool", is_acknowledged=True)
        assert _answer(connection) == b"from the spool"


def test_an_answer_of_a_claim_that_lost_its_key_is_refused(engine: Engine) -> None:
    with begin_writing(engine) as connection:
        acquire_claim(connection, ASKED)
        assert not finish_claim(connection, replace(DONE, claim="claim-2"), b"another's")
        assert finish_claim(connection, DONE, b"sealed")
        assert _answer(connection) == b"sealed"


def _answer(connection: Connection) -> bytes | None:
    holder = find_holding_claim(connection, ASKED)
    return None if holder is None else holder.answer_sealed
