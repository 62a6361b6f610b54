"""Migrations on both databases: up, down one by one, and up again, without loss of data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, select

from frontdesk.storage.database import alembic_config, begin_reading, migrate, open_database
from frontdesk.storage.sql.records import find_answer, insert_rows
from frontdesk.storage.tables import metadata, queries
from tests.support.records import record, rows


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    migrate(database_url)
    engine = open_database(database_url)
    yield engine
    engine.dispose()


def differences(engine: Engine) -> list[Any]:
    """Return the differences between the actual and the declared tables."""
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))


def revisions(engine: Engine) -> list[str]:
    """Return all revisions, newest first."""
    with engine.begin() as connection:
        scripts = ScriptDirectory.from_config(alembic_config(connection))
        return [script.revision for script in scripts.walk_revisions()]


def test_all_the_way_up_gives_the_tables_as_they_are_declared(engine: Engine) -> None:
    assert differences(engine) == []


def test_each_step_can_be_downgraded_and_upgraded(engine: Engine, database_url: str) -> None:
    for revision in [*revisions(engine)[1:], "base"]:
        with engine.begin() as connection:
            command.downgrade(alembic_config(connection), revision)
        with engine.begin() as connection:
            command.upgrade(alembic_config(connection), "+1")
        with engine.begin() as connection:
            command.downgrade(alembic_config(connection), revision)
    assert inspect(engine).get_table_names() == ["alembic_version"]
    migrate(database_url)
    assert differences(engine) == []


def test_answers_survive_a_step_back_to_the_first_tables_and_up_again(engine: Engine, database_url: str) -> None:
    stored = record()
    with engine.begin() as connection:
        insert_rows(connection, rows(stored))
    with engine.begin() as connection:
        command.downgrade(alembic_config(connection), "0001")
    migrate(database_url)
    with begin_reading(engine) as connection:
        assert find_answer(connection, "acme", stored.answer.query_id) is not None
        assert connection.scalar(select(queries.c.decision)) == "draft"
