"""Safe use of SQLite by several processes, rejection of unsupported URLs, and migrations."""

from __future__ import annotations

import logging
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect
from sqlalchemy.exc import IntegrityError

from frontdesk.errors import ConfigurationError
from frontdesk.storage.database import alembic_config, begin_reading, migrate, open_database, sqlite_write_turn
from frontdesk.storage.record_rows import RecordRows
from frontdesk.storage.sql.records import find_answer, insert_rows
from frontdesk.storage.tables import metadata
from tests.support.records import MASKED_TEXT, record, rows


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_database_is_readable_only_by_its_owner(engine: Engine, database_file: Path) -> None:
    with engine.begin() as connection:
        insert_rows(connection, rows(record()))
        files = {path.name: mode(path) for path in database_file.parent.iterdir()}
    assert mode(database_file.parent) == 0o700
    assert files.keys() >= {"frontdesk.db", "frontdesk.db-wal", "frontdesk.db-shm"}
    assert set(files.values()) == {0o600}


@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 5000)]
)
def test_every_sqlite_connection_is_durable_and_waits_for_locks(engine: Engine, pragma: str, value: object) -> None:
    with begin_reading(engine) as connection:
        assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value


def test_a_writer_takes_the_write_lock_before_its_first_statement(engine: Engine, database_file: Path) -> None:
    other = sqlite3.connect(database_file, timeout=0, isolation_level=None)
    with engine.begin(), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.execute("BEGIN IMMEDIATE")
    other.close()


def test_reading_neither_waits_for_a_writer_nor_sees_what_is_not_committed(engine: Engine) -> None:
    stored = record()
    with engine.begin() as writer:
        insert_rows(writer, rows(stored))
        with begin_reading(engine) as reader:
            assert find_answer(reader, "acme", stored.answer.query_id) is None
    with begin_reading(engine) as reader:
        assert find_answer(reader, "acme", stored.answer.query_id) is not None


def test_a_transaction_that_fails_leaves_nothing(engine: Engine) -> None:
    stored = record()
    with pytest.raises(ZeroDivisionError), engine.begin() as connection:  # noqa: PT012 - the block is the transaction
        insert_rows(connection, rows(stored))
        raise ZeroDivisionError
    with begin_reading(engine) as connection:
        assert find_answer(connection, "acme", stored.answer.query_id) is None


def test_a_database_error_does_not_show_the_row(engine: Engine) -> None:
    (valid,) = rows(record())
    without_tenant = {**valid.inserts["queries"][0], "tenant": None}
    with pytest.raises(IntegrityError) as refused, engine.begin() as connection:
        insert_rows(connection, [RecordRows(valid.id, {"queries": [without_tenant]})])
    assert MASKED_TEXT not in str(refused.value)


def test_a_writer_without_a_turn_continues_after_a_time_out(url: str, engine: Engine) -> None:
    other = open_database(url)
    with sqlite_write_turn(engine), sqlite_write_turn(other), other.begin() as connection:
        insert_rows(connection, rows(record()))
    other.dispose()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://u:secret@h/d", "postgresql+psycopg2://"),
        ("postgres://u:secret@h/d", "postgresql+psycopg2://"),
        ("postgresql+psycopg2://u:secret@h:port/d", "not a database URL"),
        ("mysql://u:secret@h/d", "begins with mysql://"),
        ("secret", "not a database URL"),
        ("sqlite://", "names no SQLite file"),
        ("sqlite:///:memory:", "names no SQLite file"),
        ("sqlite:///file:a.db?uri=true", "names no SQLite file"),
    ],
)
def test_an_unsupported_url_is_refused_and_its_password_not_repeated(url: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        open_database(url)
    assert message in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_file_that_is_not_a_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("These are notes, not a database. " * 40)
    with pytest.raises(ConfigurationError, match=r"notes\.txt cannot be opened"):
        open_database(f"sqlite:///{path}")


def test_a_folder_that_cannot_be_created_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        open_database(f"sqlite:///{tmp_path / 'file' / 'frontdesk.db'}")


def _comparable(index: Any) -> dict[str, Any]:
    """Return a comparable form: the condition of a partial index is an object that is only equal to itself."""
    options = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return {**index, "dialect_options": options}


def described(engine: Engine) -> dict[str, Any]:
    """Return tables, columns, types, keys and indexes as the database reports them."""
    inspector = inspect(engine)
    return {
        table: {
            "columns": [(c["name"], repr(c["type"]), c["nullable"]) for c in inspector.get_columns(table)],
            "key": inspector.get_pk_constraint(table),
            "indexes": sorted(map(_comparable, inspector.get_indexes(table)), key=lambda index: str(index["name"])),
        }
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }


def test_migrations_up_down_and_up_again_give_the_tables_as_they_are_declared(url: str, tmp_path: Path) -> None:
    migrate(url)
    engine = open_database(url)
    with engine.begin() as connection:
        command.downgrade(alembic_config(connection), "base")
    assert described(engine) == {}
    migrate(url)
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    declared = open_database(f"sqlite:///{tmp_path / 'declared.db'}")
    with declared.begin() as connection:
        metadata.create_all(connection)
    assert described(engine) == described(declared)
    engine.dispose()
    declared.dispose()


def test_migrating_what_is_up_to_date_changes_nothing(engine: Engine, url: str) -> None:
    stored = record()
    with engine.begin() as connection:
        insert_rows(connection, rows(stored))
    migrate(url)
    with begin_reading(engine) as connection:
        assert find_answer(connection, "acme", stored.answer.query_id) is not None


def test_a_migration_that_fails_leaves_the_database_as_it_was(url: str) -> None:
    engine = open_database(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE model_performance (id TEXT)")  # conflicts with the last table
    with pytest.raises(Exception, match="already exists"):
        migrate(url)
    assert inspect(engine).get_table_names() == ["model_performance"]
    engine.dispose()


def test_migrating_prints_nothing_and_leaves_logging_alone(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    ours = logging.getLogger("frontdesk.test")
    handlers, level = list(logging.root.handlers), logging.root.level
    migrate(url)
    assert (logging.root.handlers, logging.root.level, ours.disabled) == (handlers, level, False)
    assert capsys.readouterr() == ("", "")
