"""`frontdesk retention`: its table for people and its JSON for programs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from frontdesk.storage.database import migrate, open_database
from frontdesk.storage.events import answered_event
from frontdesk.storage.outbox.sinks import FileSink
from tests.support.records import record
from tests.support.stored_rows import insert_queries, query_row


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "configuration.yaml").write_text(
        f"home: {tmp_path}\nstorage: {{retention_days: {{queries: 30, events: 30}}}}\n"
    )
    monkeypatch.setenv("FRONTDESK_HOME", str(tmp_path))
    monkeypatch.setenv("FRONTDESK_CONFIG", str(tmp_path / "configuration.yaml"))
    url = f"sqlite:///{tmp_path / 'frontdesk.db'}"
    migrate(url)
    engine = open_database(url)
    insert_queries(
        engine, [query_row(created_at=datetime.now(UTC) - timedelta(days=days)) for days in (1, 29, 31, 400)]
    )
    engine.dispose()
    then = datetime.now(UTC) - timedelta(days=31)
    FileSink(tmp_path / "events.jsonl").deliver([answered_event(record(created_at=then)), answered_event(record())])
    return tmp_path


def json_output(*arguments: str) -> dict[str, object]:
    result = CliRunner().invoke(app, ["retention", *arguments, "--json"])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    return {table["table"]: table["rows"] for table in report["tables"]} | {"last": report["last_run_at"]}


def test_a_report_counts_and_a_run_removes(home: Path) -> None:
    report = json_output("report")
    assert (report["queries"], report["events"], report["last"]) == (2, 2, None)
    assert json_output("report") == report
    run = json_output("run")
    assert (run["queries"], run["events"]) == (2, 2)
    after = json_output("report")
    assert (after["queries"], after["events"], after["last"] is None) == (0, 0, False)


def test_the_default_output_is_a_table(home: Path) -> None:
    result = CliRunner().invoke(app, ["retention", "report"])
    assert result.exit_code == 0
    assert "queries" in result.output
    assert "Last run: never" in result.output


def test_an_unavailable_database_is_an_error(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTDESK_STORAGE__URL", "postgresql+psycopg2://nobody@127.0.0.1:1/none")
    result = CliRunner().invoke(app, ["retention", "run"])
    assert result.exit_code == 1
