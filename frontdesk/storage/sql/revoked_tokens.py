"""SQL of the table of revoked tokens. Rows are deleted after their tokens have expired."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, delete, func, or_, select

from frontdesk.errors import InvalidQuery
from frontdesk.storage.sql.upsert import insert_of
from frontdesk.storage.tables import revoked_tokens

MAX_REVOKED = 10_000
"""Maximum number of revocations of a tenant that are not expired. Each worker holds them in memory (2 MB)."""


@dataclass(frozen=True, slots=True)
class RevokedToken:
    """A row. An empty `jti` revokes all tokens of `subject` issued before `issued_before`."""

    tenant: str
    jti: str
    subject: str
    issued_before: datetime | None
    revoked_at: datetime
    expires_at: datetime


def insert_revoked_token(connection: Connection, row: RevokedToken) -> None:
    """Insert or renew a revocation, and delete rows whose tokens have expired.

    Raises:
        InvalidQuery: the tenant has `MAX_REVOKED` revocations already.
    """
    delete_expired_revocations(connection, row.revoked_at)
    others = (
        select(func.count())
        .select_from(revoked_tokens)
        .where(
            revoked_tokens.c.tenant == row.tenant,
            or_(revoked_tokens.c.jti != row.jti, revoked_tokens.c.subject != row.subject),
        )
    )
    if (connection.scalar(others) or 0) >= MAX_REVOKED:
        raise InvalidQuery(
            f"{MAX_REVOKED} revocations are in force.", hint="Revoke by subject, or retire the signing key."
        )
    statement = insert_of(connection.dialect.name, revoked_tokens).values(**asdict(row))
    renewed = {name: getattr(row, name) for name in ("issued_before", "revoked_at", "expires_at")}
    connection.execute(statement.on_conflict_do_update(index_elements=["tenant", "jti", "subject"], set_=renewed))


def all_revoked_tokens(connection: Connection) -> list[RowMapping]:
    """Return every row."""
    return list(connection.execute(select(revoked_tokens)).mappings())


def delete_expired_revocations(connection: Connection, now: datetime) -> int:
    """Delete rows whose tokens have expired and return their number."""
    return connection.execute(delete(revoked_tokens).where(revoked_tokens.c.expires_at < now)).rowcount
