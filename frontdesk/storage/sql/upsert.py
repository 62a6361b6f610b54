"""Inserts that may be sent twice: a row whose primary key is there already is left as it is.

What was sent to a database that then fell silent may have been committed or not; it is sent again, and counts once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

Insert = postgresql.Insert | sqlite.Insert


def insert_of(dialect: str, table: Table) -> Insert:
    """The INSERT of a database, which can say what to do on conflict."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def insert_once(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert those rows whose primary key is not there yet. All have the same columns; none: nothing happens.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database refused; then none of the rows may be committed.
        ValueError: a text that cannot be encoded, or a moment without a time zone.
    """
    if rows:
        connection.execute(_insert_once(connection.dialect.name, table), rows)


@lru_cache(maxsize=64)
def _insert_once(dialect: str, table: Table) -> Insert:
    """Kept, because to build it costs as much as a row."""
    return insert_of(dialect, table).on_conflict_do_nothing(index_elements=list(table.primary_key.columns))
