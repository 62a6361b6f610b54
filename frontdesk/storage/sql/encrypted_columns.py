"""Encrypted columns, and statements that page over them in the order of the tables' primary keys.

A page is limited by the rows that are scanned, not by the rows that match, so that no statement takes long.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    LargeBinary,
    RowMapping,
    Select,
    Table,
    and_,
    bindparam,
    case,
    func,
    literal,
    select,
    tuple_,
    update,
)

from frontdesk.security.field_encryption import KEY_ID_AT, KEY_ID_BYTES
from frontdesk.storage.sql.spool import refused, spooled
from frontdesk.storage.tables import idempotency, queries


@dataclass(frozen=True, slots=True)
class EncryptedTable:
    """A table with encrypted columns: `columns` maps each of them to its name in the context of its values.

    A value's context is the row's `context_columns` and that name. `fingerprint` is a column whose values begin with
    the id of the key that computed them, in hex. They cannot be computed again; they are deleted with their rows.
    """

    table: Table
    context_columns: tuple[str, ...]
    columns: Mapping[str, str]
    fingerprint: str | None = None

    @property
    def key(self) -> list[Column[Any]]:
        return list(self.table.primary_key.columns)


ENCRYPTED_TABLES = (
    EncryptedTable(
        queries,
        ("tenant", "id"),
        {"query_sealed": "query_text", "response_sealed": "response_text", "mail_sealed": "mail"},
    ),
    EncryptedTable(idempotency, ("tenant", "subject", "key"), {"answer_sealed": "answer"}, "fingerprint"),
)
"""Tables of the database; a spool also has the second one."""

SPOOL_TABLES = (spooled, refused)
"""Tables of a spool with rows as JSON, which contain encrypted values."""


def count_rows(connection: Connection, table: Table) -> int:
    return connection.scalar(select(func.count()).select_from(table)) or 0


def page_to_reencrypt(
    connection: Connection,
    encrypted_table: EncryptedTable,
    *,
    current_key_id: bytes,
    after: Sequence[Any] | None,
    at_most: int,
) -> Sequence[RowMapping]:
    """Return the next rows after a primary key: the key, context columns, and encrypted values.

    Values that are encrypted with the key `current_key_id` are None.
    """
    row_columns = [
        encrypted_table.table.c[name]
        for name in dict.fromkeys((*(column.name for column in encrypted_table.key), *encrypted_table.context_columns))
    ]
    old = [
        _value_unless_current_key(encrypted_table.table.c[name], current_key_id).label(name)
        for name in encrypted_table.columns
    ]
    return connection.execute(_page_after(encrypted_table, select(*row_columns, *old), after, at_most)).mappings().all()


def page_of_key_ids(
    connection: Connection, encrypted_table: EncryptedTable, *, after: Sequence[Any] | None, at_most: int
) -> Sequence[RowMapping]:
    """Return the next rows after a primary key: the key, and the key id of each encrypted value, None without value."""
    ids = [_key_id(encrypted_table.table.c[name]).label(f"of_{name}") for name in encrypted_table.columns]
    if encrypted_table.fingerprint:
        ids.append(
            func.substr(encrypted_table.table.c[encrypted_table.fingerprint], 1, 2 * KEY_ID_BYTES).label(
                "of_fingerprint"
            )
        )
    return (
        connection.execute(_page_after(encrypted_table, select(*encrypted_table.key, *ids), after, at_most))
        .mappings()
        .all()
    )


def replace_encrypted(
    connection: Connection, encrypted_table: EncryptedTable, name: str, values: Sequence[Mapping[str, Any]]
) -> None:
    """Replace `old_value` by `new_value` where it is unchanged. Each of `values` also holds the primary key."""
    if not values:
        return
    column = encrypted_table.table.c[name]
    is_unchanged = and_(
        *(part == bindparam(f"of_{part.name}") for part in encrypted_table.key), column == bindparam("old_value")
    )
    connection.execute(
        update(encrypted_table.table).where(is_unchanged).values({column: bindparam("new_value")}), list(values)
    )


def page_of_spooled(connection: Connection, table: Table, after: int, at_most: int) -> list[tuple[int, str]]:
    """Return sequence and JSON of the rows after a sequence."""
    page = select(table.c.sequence, table.c.rows).where(table.c.sequence > after).order_by(table.c.sequence)
    return [(sequence, rows) for sequence, rows in connection.execute(page.limit(at_most))]


def replace_spooled(connection: Connection, table: Table, values: Sequence[Mapping[str, Any]]) -> None:
    """Replace `old_value` by `new_value` at the sequence `at`, where it is unchanged."""
    if values:
        is_unchanged = (table.c.sequence == bindparam("at")) & (table.c.rows == bindparam("old_value"))
        connection.execute(
            update(table).where(is_unchanged).values({table.c.rows: bindparam("new_value")}), list(values)
        )


def _page_after(
    encrypted_table: EncryptedTable, page: Select[Any], after: Sequence[Any] | None, at_most: int
) -> Select[Any]:
    if after is not None:
        page = page.where(tuple_(*encrypted_table.key) > tuple_(*(literal(part) for part in after)))
    return page.order_by(*encrypted_table.key).limit(at_most)


def _value_unless_current_key(column: Column[Any], current_key_id: bytes) -> ColumnElement[Any]:
    return case((_key_id(column) != literal(current_key_id, LargeBinary), column))


def _key_id(column: Column[Any]) -> ColumnElement[Any]:
    return func.substr(column, KEY_ID_AT + 1, KEY_ID_BYTES, type_=LargeBinary)
