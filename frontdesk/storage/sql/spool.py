"""Tables of the spool file, and their statements. Claims use the table of `idempotency.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    update,
)

from frontdesk.storage.erasure_subjects import query_id_of_erasure_key
from frontdesk.storage.record_rows import RecordRows
from frontdesk.storage.tables import UtcDateTime, idempotency

metadata = MetaData()


def _create_owner_columns() -> tuple[Column[str], ...]:
    """Return the columns by which an erasure matches rows; null in rows of earlier releases."""
    names = ("tenant", "customer_hash", "session_hash", "query_id")
    return tuple(Column(name, Text) for name in names)


spooled = Table(
    "spooled",
    metadata,
    Column("sequence", Integer, primary_key=True),  # order of acknowledgement
    Column("rows", Text, nullable=False),  # Rows as JSON
    Column("spooled_at", UtcDateTime, nullable=False),
    *_create_owner_columns(),
    Index("ix_spooled_tenant", "tenant"),
    sqlite_autoincrement=True,
)

refused = Table(  # rows that the database rejects; they stay until an operator decides
    "refused",
    metadata,
    Column("sequence", Integer, primary_key=True),
    Column("rows", Text, nullable=False),
    Column("error", Text, nullable=False),  # the error's name, never its message
    Column("refused_at", UtcDateTime, nullable=False),
    *_create_owner_columns(),
    Index("ix_refused_tenant", "tenant"),
)

identity = Table("identity", metadata, Column("id", Text, primary_key=True))  # one row: the id of this file


def make_spool_tables(engine: Engine) -> None:
    """Create missing tables and indexes; first add the columns that a file of an earlier release lacks."""
    with engine.begin() as connection:
        for table in (spooled, refused, idempotency):
            _add_missing_columns(connection, table)
        metadata.create_all(connection)
        idempotency.create(connection, checkfirst=True)
        for index in idempotency.indexes:
            index.create(connection, checkfirst=True)
        if connection.scalar(select(identity.c.id)) is None:
            connection.execute(insert(identity), {"id": str(uuid4())})


def _add_missing_columns(connection: Connection, table: Table) -> None:
    names = {row[1] for row in connection.exec_driver_sql(f"PRAGMA table_info({table.name})")}
    for column in table.columns:
        if names and column.name not in names:
            connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {column.name} TEXT")


def spool_id(connection: Connection) -> str:
    """Return the id of this file, which does not depend on where it is mounted."""
    return connection.scalar(select(identity.c.id)) or ""


def add_to_spool(connection: Connection, rows: Sequence[RecordRows], at: datetime) -> None:
    if rows:
        connection.execute(insert(spooled), [{**owner_columns(r), "rows": r.to_json(), "spooled_at": at} for r in rows])


def owner_columns(rows: RecordRows) -> dict[str, str | None]:
    """Return the values of the columns by which an erasure matches rows."""
    origin = rows.origin
    if origin is None:
        return {"tenant": None, "customer_hash": None, "session_hash": None, "query_id": rows.id}
    hashes = {"customer_hash": origin.customer_hash, "session_hash": origin.session_hash}
    return {"tenant": origin.tenant, "query_id": rows.id, **hashes}


def oldest_spooled(connection: Connection, at_most: int) -> list[tuple[int, str]]:
    """Return sequence and JSON of the rows that have waited longest."""
    statement = select(spooled.c.sequence, spooled.c.rows).order_by(spooled.c.sequence).limit(at_most)
    return [(sequence, rows) for sequence, rows in connection.execute(statement)]


def delete_spooled(connection: Connection, sequences: Sequence[int]) -> None:
    if sequences:
        connection.execute(delete(spooled).where(spooled.c.sequence.in_(list(sequences))))


def insert_refused_rows(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows into `refused`."""
    if rows:
        connection.execute(insert(refused), list(rows))


def count_spooled(connection: Connection) -> int:
    return connection.scalar(select(func.count()).select_from(spooled)) or 0


def last_spool_sequence(connection: Connection) -> int:
    """Return the highest sequence ever assigned, even if its row is deleted; SQLite stores it for AUTOINCREMENT."""
    statement = text("SELECT seq FROM sqlite_sequence WHERE name = :table")
    return connection.scalar(statement, {"table": spooled.name}) or 0


def all_refused_rows(connection: Connection) -> list[tuple[int, str, str, datetime]]:
    """Return sequence, JSON, error and time of the refused rows, in order."""
    statement = select(refused.c.sequence, refused.c.rows, refused.c.error, refused.c.refused_at)
    return [(*row,) for row in connection.execute(statement.order_by(refused.c.sequence))]


def requeue_refused_rows(connection: Connection, sequences: Sequence[int], at: datetime) -> None:
    """Move refused rows behind the waiting rows, in their order."""
    rows = select(refused.c.rows).where(refused.c.sequence.in_(sequences)).order_by(refused.c.sequence)
    add_to_spool(connection, [RecordRows.from_json(content) for content in connection.scalars(rows)], at)
    delete_refused_rows(connection, sequences)


def delete_refused_rows(connection: Connection, sequences: Sequence[int]) -> None:
    connection.execute(delete(refused).where(refused.c.sequence.in_(sequences)))


def count_refused_rows(connection: Connection) -> int:
    return connection.scalar(select(func.count()).select_from(refused)) or 0


def tenants_in_spool(connection: Connection) -> tuple[set[str], bool]:
    """Return the tenants of all rows and keys, and whether a row without a tenant exists."""
    tenants: set[str | None] = set()
    for column in (spooled.c.tenant, refused.c.tenant, idempotency.c.tenant):
        tenants |= set(connection.scalars(select(column).distinct()))
    return {tenant for tenant in tenants if tenant is not None}, None in tenants


def rows_to_erase(
    connection: Connection, table: Table, erased: Mapping[tuple[str, str], datetime]
) -> list[tuple[int, str]]:
    """Return sequence and JSON of the rows in `table` that match an erased key or have no tenant."""
    by_tenant: dict[str, list[str]] = {}
    for tenant, key in erased:
        by_tenant.setdefault(tenant, []).append(key)
    matches: list[ColumnElement[bool]] = [table.c.tenant.is_(None)]
    for tenant, keys in by_tenant.items():
        ids = [query_id for key in keys if (query_id := query_id_of_erasure_key(key)) is not None]
        has_key = or_(table.c.customer_hash.in_(keys), table.c.session_hash.in_(keys), table.c.query_id.in_(ids))
        matches.append((table.c.tenant == tenant) & has_key)
    statement = select(table.c.sequence, table.c.rows).where(or_(*matches)).order_by(table.c.sequence)
    return [(sequence, rows) for sequence, rows in connection.execute(statement)]


def replace_rows(connection: Connection, table: Table, sequence: int, rows: RecordRows) -> None:
    """Replace the rows at a sequence; delete the sequence if the new rows are empty."""
    is_row = table.c.sequence == sequence
    if rows.inserts or rows.finish is not None:
        connection.execute(update(table).where(is_row).values(rows=rows.to_json(), **owner_columns(rows)))
    else:
        connection.execute(delete(table).where(is_row))


def erase_idempotency_keys(connection: Connection, tenant: str, key: str, until: datetime) -> int:
    """Delete the Idempotency-Keys that match an erased key and return their number."""
    columns = idempotency.c
    matches = or_(
        columns.customer_hash == key, columns.session_hash == key, columns.query_id == query_id_of_erasure_key(key)
    )
    where = (columns.tenant == tenant, matches, columns.created_at <= until)
    return connection.execute(delete(idempotency).where(*where)).rowcount
