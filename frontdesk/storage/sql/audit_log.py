"""SQL of the audit log. Entries are appended and read, never changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Connection,
    LargeBinary,
    RowMapping,
    Select,
    Table,
    Text,
    bindparam,
    cast,
    func,
    insert,
    or_,
    select,
)

from frontdesk.storage.tables import audit_checkpoints, audit_log

CHUNK = 1000
MAX_FINGERPRINTS = 200
_INSERT = insert(audit_log)
_LAST_ENTRY = (  # built once: building it costs as much as running it
    select(audit_log.c.sequence, audit_log.c.hash)
    .where(audit_log.c.chain == bindparam("of_chain"))
    .order_by(audit_log.c.sequence.desc())
    .limit(1)
)


def chain_head(connection: Connection, chain: str) -> tuple[int, str]:
    """Return sequence and hash of a chain's last entry; (0, "") before the first.

    Locks the chain until the transaction ends: SQLite has one writer, PostgreSQL takes an advisory lock.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"audit {chain}"))))
    last = connection.execute(_LAST_ENTRY, {"of_chain": chain}).one_or_none()
    return (0, "") if last is None else (last.sequence, last.hash)


def insert_audit_entries(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert entries, at least one."""
    connection.execute(_INSERT, rows)


def all_audit_entries(connection: Connection) -> Iterator[Mapping[str, Any]]:
    """Yield all entries by chain and sequence, in chunks. Damaged values are returned as None."""
    statement = _select_undecoded(connection, audit_log).order_by(audit_log.c.chain, audit_log.c.sequence)
    for row in connection.execution_options(yield_per=CHUNK).execute(statement).mappings():
        yield _decode_row(row)


def _select_undecoded(connection: Connection, table: Table) -> Select[*tuple[Any, ...]]:
    """Return a SELECT of the table's columns without decoding, so that a damaged value does not fail the whole query.

    SQLite stores any bytes in any column. PostgreSQL has times that Python cannot represent.
    """
    if connection.dialect.name == "sqlite":
        return select(*(cast(column, LargeBinary).label(column.name) for column in table.c))
    as_text = ("created_at",)
    return select(*(cast(column, Text).label(column.name) if column.name in as_text else column for column in table.c))


def _decode_row(row: RowMapping) -> dict[str, Any]:
    return {name: _decode(name, value) for name, value in row.items()}


def _decode(name: str, raw: object) -> Any:
    """Return the value of the column `name`, or None if it is damaged."""
    try:
        text = raw.decode() if isinstance(raw, bytes) else raw
        if name == "sequence":
            return int(str(text))
        if name != "created_at" or text is None:
            return text
        moment = datetime.fromisoformat(str(text))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # UnicodeDecodeError is a ValueError
        return None


def tenants_in_audit_log(connection: Connection) -> list[str]:
    """Return every tenant with an entry in the log."""
    return list(connection.scalars(select(audit_log.c.tenant).distinct()))


def find_audit_entries(
    connection: Connection,
    fingerprints: Sequence[str] = (),
    *,
    subject: str | None = None,
    tenant: str | None = None,
    action: str | None = None,
    limit: int,
) -> Sequence[Mapping[str, Any]]:
    """Return at most `limit` entries, newest first. If given, one of `fingerprints` is the target or in the details.

    `action` also matches the entries of its outcome. Damaged values are returned as None.
    """
    if len(fingerprints) > MAX_FINGERPRINTS:  # SQLite limits the depth of an expression to 1000
        chunks = [
            fingerprints[start : start + MAX_FINGERPRINTS] for start in range(0, len(fingerprints), MAX_FINGERPRINTS)
        ]
        entries = {
            (row["chain"], row["sequence"]): row
            for chunk in chunks
            for row in find_audit_entries(connection, chunk, subject=subject, tenant=tenant, action=action, limit=limit)
        }
        return sorted(entries.values(), key=_sort_key, reverse=True)[:limit]
    statement = _select_undecoded(connection, audit_log)
    if fingerprints:
        in_details = [audit_log.c.details.contains(fingerprint, autoescape=True) for fingerprint in fingerprints]
        statement = statement.where(or_(audit_log.c.target.in_(fingerprints), *in_details))
    if subject is not None:
        statement = statement.where(audit_log.c.subject == subject)
    if tenant is not None:
        statement = statement.where(audit_log.c.tenant == tenant)
    if action is not None:
        statement = statement.where(audit_log.c.action.in_((action, f"{action}.outcome")))
    newest = statement.order_by(audit_log.c.created_at.desc(), audit_log.c.chain, audit_log.c.sequence.desc())
    return [_decode_row(row) for row in connection.execute(newest.limit(limit)).mappings()]


def _sort_key(row: Mapping[str, Any]) -> tuple[datetime, int]:
    return row["created_at"] or datetime.max.replace(tzinfo=UTC), row["sequence"] or 0


def chain_heads(connection: Connection, chain: str | None = None) -> dict[str, tuple[int, str]]:
    """Return sequence and hash of the last entry of every chain, or of one. One index lookup for each chain."""
    names = [chain] if chain else _chains(connection)
    entries = ((name, connection.execute(_LAST_ENTRY, {"of_chain": name}).one_or_none()) for name in names)
    return {name: (last.sequence, last.hash) for name, last in entries if last is not None}


def _chains(connection: Connection) -> list[str]:
    """Return the names of all chains by a loose index scan: chains are few and their entries many."""
    first = select(func.min(audit_log.c.chain).label("chain")).cte("chains", recursive=True)
    following = select(func.min(audit_log.c.chain)).where(audit_log.c.chain > first.c.chain).scalar_subquery()
    every = first.union_all(select(following).where(first.c.chain.is_not(None)))
    return list(connection.scalars(select(every.c.chain).where(every.c.chain.is_not(None))))


def insert_audit_checkpoint(connection: Connection, identity: str, content: str, at: datetime) -> None:
    connection.execute(insert(audit_checkpoints), {"id": identity, "content": content, "created_at": at})


def all_audit_checkpoints(connection: Connection) -> list[str]:
    """Return the contents of all checkpoints, oldest first (ids are UUIDv7). A damaged content is ''."""
    statement = _select_undecoded(connection, audit_checkpoints).order_by(audit_checkpoints.c.id)
    return [_decode("content", row["content"]) or "" for row in connection.execute(statement).mappings()]


def audit_details_of_action(connection: Connection, action: str) -> list[str]:
    """Return the details of the entries of an action without a tenant. Damaged details are ''."""
    statement = _select_undecoded(connection, audit_log).where(audit_log.c.tenant == "", audit_log.c.action == action)
    return [_decode("details", row["details"]) or "" for row in connection.execute(statement).mappings()]


def last_audit_checkpoint(connection: Connection) -> tuple[str, str] | None:
    """Return id and content of the latest checkpoint, or None."""
    latest = select(audit_checkpoints.c.id, audit_checkpoints.c.content).order_by(audit_checkpoints.c.id.desc())
    row = connection.execute(latest.limit(1)).one_or_none()
    return None if row is None else (row.id, row.content)


def lock_audit_checkpoints(connection: Connection) -> None:
    """Prevent other checkpoints until the transaction ends: SQLite has one writer, PostgreSQL locks."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext("audit checkpoints"))))
