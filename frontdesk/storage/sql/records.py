"""Rows of answered queries: insertion, and look-up of answers and encrypted originals."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from frontdesk.identifiers import uuid7
from frontdesk.storage.record_rows import RecordRows
from frontdesk.storage.sql.upsert import insert_once
from frontdesk.storage.tables import metadata, model_performance, queries

_INSERT_PERFORMANCE = insert(model_performance)


def insert_rows(connection: Connection, records: Iterable[RecordRows]) -> None:
    """Insert the rows of several requests, with a statement for each table and set of columns.

    Rows that exist already stay as they are.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database rejected a row; then none of the rows may be committed.
        ValueError: a text cannot be encoded, or a time has no time zone.
    """
    groups: dict[tuple[str, int], list[Mapping[str, Any]]] = {}  # rows of one table differ by optional columns only
    for rows in records:
        for table, inserts in rows.inserts.items():
            for row in inserts:
                groups.setdefault((table, len(row)), []).append(row)
    for (table, _), group in groups.items():
        insert_once(connection, metadata.tables[table], group)


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """A stored query: the masked Answer as JSON, its customer's id, and the masked message.

    `other_parts` is JSON: the parts of the message that were not evaluated; None without such parts.
    """

    answer: str = field(repr=False)
    customer_id: str | None
    text: str = field(repr=False)
    other_parts: str | None = field(repr=False)

    def to_json(self) -> bytes:
        """Return the answer with the masked message as its last field, in UTF-8."""
        message = f'{{"text":{json.dumps(self.text, ensure_ascii=False)},"other_parts":{self.other_parts or "[]"}}}'
        return f'{self.answer[:-1]},"masked_message":{message}}}'.encode()


def find_answer(connection: Connection, tenant: str, query_id: str) -> StoredAnswer | None:
    """Return a stored answer; None if this tenant has no such query, or it was erased."""
    statement = select(queries.c.answer, queries.c.customer_id, queries.c.query_text, queries.c.other_parts)
    row = connection.execute(statement.where(queries.c.id == query_id, queries.c.tenant == tenant)).one_or_none()
    return None if row is None or not row.answer else StoredAnswer(*row)


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
