"""`frontdesk audit verify` of a damaged log: every damage is reported as a line, without a traceback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from cli.audit import EXIT_INCOMPLETE_FILE, EXIT_UNREACHABLE, app
from frontdesk.audit import checkpoints
from frontdesk.audit.chain import AuditKey, load_audit_key
from frontdesk.audit.checkpoints import FILE_NAME, store_checkpoint
from frontdesk.storage.database import begin_writing, migrate, open_database
from frontdesk.storage.sql.audit_segments import ACTION
from frontdesk.storage.sql.audit_trail import AuditTrail
from frontdesk.types import AuditEntry

NOW = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)
ENTRIES = 12
SIGNED = 4


@dataclass(frozen=True)
class Home:
    """A home whose log has one chain of `ENTRIES` entries, and `SIGNED` checkpoints in the database and its file."""

    path: Path
    engine: Engine
    key: AuditKey

    @property
    def file(self) -> Path:
        return self.path / FILE_NAME

    def damage(self, *statements: str) -> None:
        with self.engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    monkeypatch.setenv("FRONTDESK_HOME", str(tmp_path))
    monkeypatch.setattr(checkpoints, "WRITING_S", -1.0)
    url = f"sqlite:///{tmp_path / 'frontdesk.db'}"
    migrate(url)
    engine, key = open_database(url), load_audit_key(tmp_path / "keys")
    trail = AuditTrail(key.entry_hash, "host-1-a")
    for number in range(SIGNED):
        with begin_writing(engine) as connection:
            trail.append(connection, [entry(number)] * (ENTRIES // SIGNED))
        store_checkpoint(engine, key, tmp_path / FILE_NAME)
    yield Home(tmp_path, engine, key)
    engine.dispose()


def entry(number: int) -> AuditEntry:
    return AuditEntry("acme", "agent", "answer", f"target-{number}", "{}", NOW + timedelta(minutes=number))


def test_an_unchanged_log_passes(home: Home) -> None:
    checked = home.run("verify")
    assert (checked.exit_code, checked.output.split(",")[0].split(" and ")[0]) == (0, f"{ENTRIES} entries")


DAMAGES = (
    "created_at = 'zzz'",
    "created_at = x'ff00'",
    "created_at = 7",
    "created_at = '9999-12-31 23:59:59-23:00'",
    "details = x'ff00'",
    "details = CAST(x'ff00' AS TEXT)",
    "details = '{'",
    "tenant = x'ff'",
    "subject = CAST(x'c328' AS TEXT)",
    "hash = x'ff00'",
    "previous_hash = CAST(x'ff' AS TEXT)",
    "sequence = 'five'",
    "chain = x'ff00'",
    "chain = CAST(x'1b5b324aff' AS TEXT)",
    f"tenant = '', action = '{ACTION}', details = '['",
    f"tenant = '', action = '{ACTION}', details = CAST(x'ff' AS TEXT)",
    f"tenant = '', action = '{ACTION}', details = '{{\"begins\": {{\"host-1-a\": [\"x\", 1]}}}}'",
)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_row_is_reported_and_the_rows_after_it_are_verified(home: Home, damage: str) -> None:
    home.damage(f"UPDATE audit_log SET {damage} WHERE sequence = 5")
    checked = home.run("verify")
    assert (checked.exit_code, checked.exception.__class__) == (1, SystemExit), checked.exception
    assert "entry " in checked.output
    assert "\x1b" not in checked.output
    listed = home.run("list")
    assert (listed.exit_code, len(listed.output.splitlines())) == (0, ENTRIES), listed.exception


def test_every_damaged_row_and_a_later_edited_row_are_reported(home: Home) -> None:
    home.damage(
        "UPDATE audit_log SET created_at = 'zzz' WHERE sequence IN (3, 5)",
        "UPDATE audit_log SET subject = 'somebody' WHERE sequence = 8",
    )
    message = home.run("verify").output
    assert [f"entry {number}:" in message for number in (2, 3, 4, 5, 6, 7, 8, 9)] == [
        number in (3, 5, 8) for number in (2, 3, 4, 5, 6, 7, 8, 9)
    ]


CHECKPOINT_DAMAGES = (
    "'{'",
    "x'ff00'",
    "CAST(x'ff' AS TEXT)",
    f"'{'[' * 100_000}'",
    "json_set(content, '$.signature', json('[]'))",
    "json_set(content, '$.id', 7)",
    'replace(content, \'"heads": {\', \'"heads": {"x": [1e999, ""],\')',
    "json_set(content, '$.more', 1)",
    "json_set(content, '$.heads', 1)",
)


@pytest.mark.parametrize("damage", CHECKPOINT_DAMAGES)
def test_a_damaged_checkpoint_is_reported(home: Home, damage: str) -> None:
    home.damage(f"UPDATE audit_checkpoints SET content = {damage}")
    checked = home.run("verify")
    assert (checked.exit_code, checked.exception.__class__) == (1, SystemExit), checked.exception
    assert "heckpoint" in checked.output


@pytest.mark.parametrize("table", ["audit_log", "audit_checkpoints"])
def test_a_dropped_table_is_reported(home: Home, table: str) -> None:
    home.damage(f"DROP TABLE {table}")
    checked = home.run("verify")
    assert (checked.exit_code, checked.output) == (1, f"The table {table} was removed from the database.\n")


def test_an_unreachable_or_invalid_database_has_its_own_exit_code(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.engine.dispose()
    (home.path / "frontdesk.db").write_bytes(b"this is no database" * 1000)
    for url in (None, "postgresql+psycopg2://nobody@127.0.0.1:1/none"):
        if url is not None:
            monkeypatch.setenv("FRONTDESK_STORAGE__URL", url)
        checked = home.run("verify")
        assert (checked.exit_code, len(checked.output.splitlines())) == (EXIT_UNREACHABLE, 1), checked.output
        assert "cannot be reached or read" in checked.output


def removed(file: Path) -> None:
    file.unlink()


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def shortened(file: Path) -> None:
    file.write_text("".join(f"{line}\n" for line in file.read_text().split()[:2]))


def without_its_end(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-40])


def with_a_hole(file: Path) -> None:
    lines = [line for line in file.read_text().splitlines(keepends=True) if line.strip()]
    file.write_text("".join(lines[:1] + lines[2:]))


def with_a_repeated_line(file: Path) -> None:
    lines = [line for line in file.read_text().splitlines() if line.strip()]
    file.write_text("\n".join([lines[0], lines[0], *lines[2:]]))


@pytest.mark.parametrize("change", [removed, emptied, shortened, without_its_end, with_a_hole, with_a_repeated_line])
def test_a_file_without_checkpoints_of_the_database_is_reported_until_it_is_completed(
    home: Home, change: object
) -> None:
    change(home.file)  # type: ignore[operator] # one of the functions above
    checked = home.run("verify")
    assert checked.exit_code == EXIT_INCOMPLETE_FILE, checked.output
    assert "checkpoints that the database has" in checked.output
    completed = home.run("checkpoint", "--complete-file")
    assert completed.exit_code == 0, completed.output
    assert home.run("verify").exit_code == 0
    listed = home.run("list", "--action", "audit.file_completed")
    assert [json.loads(line)["action"] for line in listed.output.splitlines()] == ["audit.file_completed"]


def test_with_several_hosts_only_an_empty_file_is_reported(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTDESK_STORAGE__HOSTS", "2")
    monkeypatch.setattr("socket.gethostname", lambda: "host")
    with_a_hole(home.file)
    assert home.run("verify").exit_code == 0
    removed(home.file)
    assert home.run("verify").exit_code == EXIT_INCOMPLETE_FILE
    monkeypatch.setattr("socket.gethostname", lambda: "another")
    assert home.run("verify").exit_code == 0
