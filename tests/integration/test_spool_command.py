"""`frontdesk spool` lists refused rows without their content, retries them, and drops them with an audit entry."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert

from frontdesk.config import Settings, load_settings
from frontdesk.storage.database import begin_reading, begin_writing, migrate, open_database
from frontdesk.storage.spool.spool_file import Spool
from frontdesk.storage.sql.audit_log import all_audit_entries
from frontdesk.storage.sql.spool import refused
from tests.support.command_line import invoke
from tests.support.records import MASKED_TEXT, record, rows
from tests.support.serving import environment

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of a host whose database refused three rows."""
    settings = load_settings(environment=environment(tmp_path / "home"))
    migrate(settings.database_url)
    spool = Spool.open(settings.home)
    with begin_writing(spool.engine) as connection:
        for number in (3, 5, 8):
            (stored,) = rows(record())
            row = {"sequence": number, "rows": stored.to_json(), "error": "DataError", "refused_at": NOW}
            connection.execute(insert(refused), row)
    spool.close()
    return settings


def backlog(settings: Settings) -> tuple[int, list[int]]:
    """Return the number of waiting rows, and the sequence numbers of the refused ones."""
    spool = Spool.open(settings.home)
    try:
        return spool.backlog()[0], [one.sequence for one in spool.refused()]
    finally:
        spool.close()


def test_rows_are_listed_retried_and_dropped(settings: Settings) -> None:
    home = settings.home
    listed = invoke(home, "spool", "list", "--json")
    results = json.loads(listed.stdout)
    assert [(row["number"], row["error"], row["tenant"]) for row in results] == [
        (n, "DataError", "acme") for n in (3, 5, 8)
    ]
    assert MASKED_TEXT not in listed.stdout + invoke(home, "spool", "list").stdout

    assert invoke(home, "spool", "retry", "5").returncode == 0
    assert backlog(settings) == (1, [3, 8])
    assert invoke(home, "spool", "drop", "8", stdin="n\n").returncode == 1
    assert backlog(settings) == (1, [3, 8])
    assert invoke(home, "spool", "drop", "8", "--yes").returncode == 0
    assert backlog(settings) == (1, [3])
    engine = open_database(settings.database_url)
    with begin_reading(engine) as connection:
        assert sorted((row["action"], row["target"]) for row in all_audit_entries(connection)) == [
            ("spool.drop", results[2]["query_id"]),
            ("spool.drop.outcome", "1 rows"),
        ]
    engine.dispose()


def test_nothing_is_dropped_without_an_audit_entry(settings: Settings) -> None:
    away = "postgresql+psycopg2://nobody@127.0.0.1:9/nothing"
    dropped = invoke(settings.home, "spool", "drop", "--all", "--yes", storage__url=away)
    assert (dropped.returncode, "audit log could not be written" in dropped.stderr) == (1, True)
    assert backlog(settings) == (0, [3, 5, 8])
