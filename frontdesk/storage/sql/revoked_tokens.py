"""Revoked tokens: rows are added, read all at once, and deleted when their tokens have expired."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, delete, func, or_, select

from frontdesk.errors import InvalidQuery
from frontdesk.storage.sql.inserting import insert_of
from frontdesk.storage.tables import revoked_tokens

MOST_REVOKED = 10_000
"""Of one tenant, not expired. All of them are in the memory of each worker (2 MB)."""


@dataclass(frozen=True, slots=True)
class RevokedToken:
    """A row. `jti` is empty where all tokens of `subject` issued before `issued_before` are revoked."""

    tenant: str
    jti: str
    subject: str
    issued_before: datetime | None
    revoked_at: datetime
    expires_at: datetime


def insert_revoked(connection: Connection, row: RevokedToken) -> None:
    """Add a revocation, or renew one; rows whose tokens have expired go.

    Raises:
        InvalidQuery: the tenant has `MOST_REVOKED` revocations already.
    """
    delete_expired(connection, row.revoked_at)
    others = (
        select(func.count())
        .select_from(revoked_tokens)
        .where(
            revoked_tokens.c.tenant == row.tenant,
            or_(revoked_tokens.c.jti != row.jti, revoked_tokens.c.subject != row.subject),
        )
    )
    if (connection.scalar(others) or 0) >= MOST_REVOKED:
        raise InvalidQuery(
            f"{MOST_REVOKED} revocations are in force.", hint="Revoke by subject, or retire the signing key."
        )
    statement = insert_of(connection.dialect.name, revoked_tokens).values(**asdict(row))
    renewed = {name: getattr(row, name) for name in ("issued_before", "revoked_at", "expires_at")}
    connection.execute(statement.on_conflict_do_update(index_elements=["tenant", "jti", "subject"], set_=renewed))


def all_revoked(connection: Connection) -> list[RowMapping]:
    """Every row."""
    return list(connection.execute(select(revoked_tokens)).mappings())


def delete_expired(connection: Connection, now: datetime) -> int:
    """Delete rows whose tokens have expired; how many those were."""
    return connection.execute(delete(revoked_tokens).where(revoked_tokens.c.expires_at < now)).rowcount
