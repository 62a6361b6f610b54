"""The audit log: entries are appended and read, never changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, func, insert, or_, select

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


def all_entries(connection: Connection) -> Iterator[RowMapping]:
    """By chain and sequence, a chunk at a time."""
    everything = select(audit_log).order_by(audit_log.c.chain, audit_log.c.sequence)
    yield from connection.execution_options(yield_per=CHUNK).execute(everything).mappings()


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
) -> Sequence[RowMapping]:
    """At most `limit` entries, the newest first. One of `fingerprints`, if any, is the target or in the details.

    `action` finds the entries of its outcome, too.
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
        return sorted(found.values(), key=lambda row: (row["created_at"], row["sequence"]), reverse=True)[:limit]
    wanted = select(audit_log)
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
    return connection.execute(newest.limit(limit)).mappings().all()


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
    """Their contents, the oldest first: ids are UUIDv7."""
    return list(connection.scalars(select(audit_checkpoints.c.content).order_by(audit_checkpoints.c.id)))


def last_checkpoint(connection: Connection) -> tuple[str, str] | None:
    """Id and content of the latest one."""
    latest = select(audit_checkpoints.c.id, audit_checkpoints.c.content).order_by(audit_checkpoints.c.id.desc())
    found = connection.execute(latest.limit(1)).one_or_none()
    return None if found is None else (found.id, found.content)


def lock_checkpoints(connection: Connection) -> None:
    """Until the transaction ends nobody else makes one: SQLite has one writer, PostgreSQL locks."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext("audit checkpoints"))))
