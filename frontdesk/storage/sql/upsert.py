"""Idempotent inserts: a row whose primary key exists already stays as it is.

Rows that were sent to a database that stopped responding may or may not be committed. They are sent again and stored
once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

Insert = postgresql.Insert | sqlite.Insert


def insert_of(dialect: str, table: Table) -> Insert:
    """Return the INSERT of the dialect, which supports ON CONFLICT."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def insert_once(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows whose primary key does not exist yet. All rows have the same columns; there may be none.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database rejected a row; then none of the rows may be committed.
        ValueError: a text cannot be encoded, or a time has no time zone.
    """
    if rows:
        connection.execute(_insert_once(connection.dialect.name, table), rows)


@lru_cache(maxsize=64)
def _insert_once(dialect: str, table: Table) -> Insert:
    """Return the statement, cached because building it costs as much as a row."""
    return insert_of(dialect, table).on_conflict_do_nothing(index_elements=list(table.primary_key.columns))
