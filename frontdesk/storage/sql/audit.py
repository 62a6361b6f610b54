"""The audit log: entries are appended and read, never changed."""

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
MOST_FINGERPRINTS = 200
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


def all_entries(connection: Connection) -> Iterator[Mapping[str, Any]]:
    """By chain and sequence, a chunk at a time. A value that somebody has damaged and that cannot be read is None."""
    everything = _raw(connection, audit_log).order_by(audit_log.c.chain, audit_log.c.sequence)
    for row in connection.execution_options(yield_per=CHUNK).execute(everything).mappings():
        yield _read_back(row)


def _raw(connection: Connection, table: Table) -> Select[*tuple[Any, ...]]:
    """The table's columns as they lie there: SQLite keeps any bytes in any column, and gives up where it decodes them.

    PostgreSQL has times that Python has not.
    """
    if connection.dialect.name == "sqlite":
        return select(*(cast(column, LargeBinary).label(column.name) for column in table.c))
    as_text = ("created_at",)
    return select(*(cast(each, Text).label(each.name) if each.name in as_text else each for each in table.c))


def _read_back(row: RowMapping) -> dict[str, Any]:
    return {name: _value(name, value) for name, value in row.items()}


def _value(name: str, raw: object) -> Any:
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


def all_tenants(connection: Connection) -> list[str]:
    """Every tenant that the log names."""
    return list(connection.scalars(select(audit_log.c.tenant).distinct()))


def find_entries(
    connection: Connection,
    fingerprints: Sequence[str] = (),
    *,
    subject: str | None = None,
    tenant: str | None = None,
    action: str | None = None,
    limit: int,
) -> Sequence[Mapping[str, Any]]:
    """At most `limit` entries, the newest first. One of `fingerprints`, if any, is the target or in the details.

    `action` finds the entries of its outcome, too. A value that somebody has damaged is None.
    """
    if len(fingerprints) > MOST_FINGERPRINTS:  # SQLite takes no expression of a thousand parts
        parts = [
            fingerprints[start : start + MOST_FINGERPRINTS] for start in range(0, len(fingerprints), MOST_FINGERPRINTS)
        ]
        found = {
            (row["chain"], row["sequence"]): row
            for part in parts
            for row in find_entries(connection, part, subject=subject, tenant=tenant, action=action, limit=limit)
        }
        return sorted(found.values(), key=_age, reverse=True)[:limit]
    wanted = _raw(connection, audit_log)
    if fingerprints:
        named = [audit_log.c.details.contains(fingerprint, autoescape=True) for fingerprint in fingerprints]
        wanted = wanted.where(or_(audit_log.c.target.in_(fingerprints), *named))
    if subject is not None:
        wanted = wanted.where(audit_log.c.subject == subject)
    if tenant is not None:
        wanted = wanted.where(audit_log.c.tenant == tenant)
    if action is not None:
        wanted = wanted.where(audit_log.c.action.in_((action, f"{action}.outcome")))
    newest = wanted.order_by(audit_log.c.created_at.desc(), audit_log.c.chain, audit_log.c.sequence.desc())
    return [_read_back(row) for row in connection.execute(newest.limit(limit)).mappings()]


def _age(row: Mapping[str, Any]) -> tuple[datetime, int]:
    return row["created_at"] or datetime.max.replace(tzinfo=UTC), row["sequence"] or 0


def chain_heads(connection: Connection, chain: str | None = None) -> dict[str, tuple[int, str]]:
    """Sequence and hash of the last entry of every chain, or of one; a look at the index for each chain."""
    names = [chain] if chain else _chains(connection)
    found = ((name, connection.execute(_LAST, {"of_chain": name}).one_or_none()) for name in names)
    return {name: (last.sequence, last.hash) for name, last in found if last is not None}


def _chains(connection: Connection) -> list[str]:
    """From one name to the next by the index, because chains are few and their entries many."""
    first = select(func.min(audit_log.c.chain).label("chain")).cte("chains", recursive=True)
    following = select(func.min(audit_log.c.chain)).where(audit_log.c.chain > first.c.chain).scalar_subquery()
    every = first.union_all(select(following).where(first.c.chain.is_not(None)))
    return list(connection.scalars(select(every.c.chain).where(every.c.chain.is_not(None))))


def insert_checkpoint(connection: Connection, identity: str, content: str, at: datetime) -> None:
    connection.execute(insert(audit_checkpoints), {"id": identity, "content": content, "created_at": at})


def all_checkpoints(connection: Connection) -> list[str]:
    """Their contents, the oldest first: ids are UUIDv7. One that is no text is empty here."""
    kept = _raw(connection, audit_checkpoints).order_by(audit_checkpoints.c.id)
    return [_value("content", row["content"]) or "" for row in connection.execute(kept).mappings()]


def closings(connection: Connection, action: str) -> list[str]:
    """Details of the entries with an action that no tenant has, as they lie there; empty where they are no text."""
    wanted = _raw(connection, audit_log).where(audit_log.c.tenant == "", audit_log.c.action == action)
    return [_value("details", row["details"]) or "" for row in connection.execute(wanted).mappings()]


def last_checkpoint(connection: Connection) -> tuple[str, str] | None:
    """Id and content of the latest one."""
    latest = select(audit_checkpoints.c.id, audit_checkpoints.c.content).order_by(audit_checkpoints.c.id.desc())
    found = connection.execute(latest.limit(1)).one_or_none()
    return None if found is None else (found.id, found.content)


def lock_checkpoints(connection: Connection) -> None:
    """Until the transaction ends nobody else makes one: SQLite has one writer, PostgreSQL locks."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext("audit checkpoints"))))
