"""The audit log: entries are appended and read, never changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, func, insert, select

from frontdesk.storage.tables import audit_checkpoints, audit_log

CHUNK = 1000
_INSERT = insert(audit_log)
_LAST = (  # built once: to build it costs as much as to run it
    select(audit_log.c.sequence, audit_log.c.hash)
    .where(audit_log.c.chain == bindparam("of_chain"))
    .order_by(audit_log.c.sequence.desc())
    .limit(1)
)


def chain_head(connection: Connection, chain: str) -> tuple[int, str]:
    """Sequence and hash of a chain's last entry; (0, "") before the first.

    Until the transaction ends nobody else appends to the chain: SQLite has one writer, PostgreSQL locks the chain.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"audit {chain}"))))
    found = connection.execute(_LAST, {"of_chain": chain}).one_or_none()
    return (0, "") if found is None else (found.sequence, found.hash)


def append_entries(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """At least one row."""
    connection.execute(_INSERT, rows)


def all_entries(connection: Connection) -> Iterator[RowMapping]:
    """By chain and sequence, a chunk at a time."""
    everything = select(audit_log).order_by(audit_log.c.chain, audit_log.c.sequence)
    yield from connection.execution_options(yield_per=CHUNK).execute(everything).mappings()


def chain_heads(connection: Connection) -> dict[str, tuple[int, str]]:
    """Sequence and hash of the last entry of every chain."""
    last = select(audit_log.c.chain, func.max(audit_log.c.sequence).label("sequence")).group_by(audit_log.c.chain)
    heads = last.subquery()
    joined = select(audit_log.c.chain, audit_log.c.sequence, audit_log.c.hash).join(
        heads, (audit_log.c.chain == heads.c.chain) & (audit_log.c.sequence == heads.c.sequence)
    )
    return {row.chain: (row.sequence, row.hash) for row in connection.execute(joined)}


def insert_checkpoint(connection: Connection, identity: str, content: str, at: datetime) -> None:
    connection.execute(insert(audit_checkpoints), {"id": identity, "content": content, "created_at": at})


def all_checkpoints(connection: Connection) -> list[str]:
    """Their contents, the oldest first: ids are UUIDv7."""
    return list(connection.scalars(select(audit_checkpoints.c.content).order_by(audit_checkpoints.c.id)))
