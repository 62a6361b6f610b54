"""Rows of answered queries: insertion, and look-up of answers and encrypted originals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from frontdesk.identifiers import uuid7
from frontdesk.storage.record_rows import RecordRows
from frontdesk.storage.sql.upsert import insert_once
from frontdesk.storage.tables import metadata, model_performance, queries

_INSERT_PERFORMANCE = insert(model_performance)


def insert_rows(connection: Connection, records: Iterable[RecordRows]) -> None:
    """Insert the rows of several requests, with a statement for each table. Rows that exist already stay as they are.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database rejected a row; then none of the rows may be committed.
        ValueError: a text cannot be encoded, or a time has no time zone.
    """
    by_table: dict[str, list[Mapping[str, Any]]] = {}
    for rows in records:
        for table, inserts in rows.inserts.items():
            by_table.setdefault(table, []).extend(inserts)
    for table, inserts in by_table.items():
        insert_once(connection, metadata.tables[table], inserts)


def find_answer(connection: Connection, tenant: str, query_id: str) -> tuple[bytes, str | None] | None:
    """Return the masked Answer as stored (JSON in UTF-8) and its customer's id.

    None if this tenant has no such query, or it was erased.
    """
    statement = select(queries.c.answer, queries.c.customer_id)
    row = connection.execute(statement.where(queries.c.id == query_id, queries.c.tenant == tenant)).one_or_none()
    return None if row is None or not row.answer else (row.answer.encode(), row.customer_id)


def find_encrypted_texts(
    connection: Connection, tenant: str, query_id: str
) -> tuple[bytes | None, bytes | None] | None:
    """Return the encrypted message and reply of a query, None if not stored; None if there is no such query."""
    statement = select(queries.c.query_sealed, queries.c.response_sealed)
    row = connection.execute(statement.where(queries.c.id == query_id, queries.c.tenant == tenant)).one_or_none()
    return None if row is None else (row.query_sealed, row.response_sealed)


def insert_performance(
    connection: Connection, tenant: str, model_name: str, model_version: str, metrics: Mapping[str, float], at: datetime
) -> None:
    """Insert a row for each metric of one evaluation; `at` is timezone-aware."""
    rows: Sequence[Mapping[str, Any]] = [
        {
            "id": uuid7(),
            "tenant": tenant,
            "model_name": model_name,
            "model_version": model_version,
            "metric_name": name,
            "metric_value": value,
            "evaluation_date": at,
        }
        for name, value in metrics.items()
    ]
    if rows:
        connection.execute(_INSERT_PERFORMANCE, rows)


def ping(connection: Connection) -> bool:
    """Return whether the database responds."""
    return connection.scalar(select(1)) == 1
