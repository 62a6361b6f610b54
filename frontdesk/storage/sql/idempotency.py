"""Claims of Idempotency-Keys, and the answers under them. The database and the spool of each host have this table.

A row with an answer is finished. A row without one is in flight until its lease ends; then another request may take the
key over. A row that is older than the time for which keys are stored counts as missing.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, or_, select

from frontdesk.storage.record_rows import FinishedClaim
from frontdesk.storage.sql.upsert import Insert, insert_of
from frontdesk.storage.tables import idempotency

KEYS_PER_DELETE = 1000

_HASHES = ("customer_hash", "session_hash")
_KEY = [idempotency.c.tenant, idempotency.c.subject, idempotency.c.key]


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """A requested claim. Rows created before `expired` count as missing."""

    tenant: str
    subject: str
    key: str
    fingerprint: str
    claim: str
    lease_until: datetime
    created_at: datetime
    expired: datetime
    customer_hash: str | None = None
    session_hash: str | None = None


@dataclass(frozen=True, slots=True)
class HoldingClaim:
    """The claim that holds a key. `answer_sealed` is null while its request is in flight."""

    claim: str
    fingerprint: str
    lease_until: datetime
    answer_sealed: bytes | None


def acquire_claim(connection: Connection, claim_row: ClaimRow) -> HoldingClaim | None:
    """Claim the key. Return None on success, otherwise its holder.

    It is safe to request a claim twice, even after the answer: a slow database may execute the request when the spool
    has answered long ago, and that answer stays.
    """
    row = asdict(claim_row) | {"query_id": None, "answer_sealed": None}
    while connection.execute(_acquire_statement(connection.dialect.name), row).rowcount == 0:
        if (holder := find_holding_claim(connection, claim_row)) is not None:
            return holder  # otherwise it was released between the two statements
    return None


def find_holding_claim(connection: Connection, claim_row: ClaimRow) -> HoldingClaim | None:
    """Return the holder of the key at the time of the request; None if the key is free."""
    row = connection.execute(_SELECT_HOLDER, asdict(claim_row)).one_or_none()
    return None if row is None else HoldingClaim(*row)


def finish_claim(
    connection: Connection, finish: FinishedClaim, answer_sealed: bytes, *, is_acknowledged: bool = False
) -> bool:
    """Store the answer under the key; return False if another claim has taken the key over. May be repeated.

    An acknowledged answer (`is_acknowledged`) replaces any other answer of its claim, and also ends another claim that
    is in flight, which is too late. An answer that is not acknowledged yet never replaces an answer: a slow database
    may execute this when it already has the spool's answer, which the caller got.
    """
    row = {
        "tenant": finish.tenant,
        "subject": finish.subject,
        "key": finish.key,
        "fingerprint": finish.fingerprint,
        "claim": finish.claim,
        "lease_until": finish.created_at,
        "query_id": finish.query_id,
        "answer_sealed": answer_sealed,
        "created_at": finish.created_at,
        "customer_hash": finish.customer_hash,
        "session_hash": finish.session_hash,
    }
    return connection.execute(_finish_statement(connection.dialect.name, is_acknowledged), row).rowcount == 1


_SELECT_ANY = select(idempotency.c.claim).limit(1)

# Statements are built once: building one costs several times as much as running it.

_SELECT_HOLDER = select(
    idempotency.c.claim, idempotency.c.fingerprint, idempotency.c.lease_until, idempotency.c.answer_sealed
).where(
    idempotency.c.tenant == bindparam("tenant"),
    idempotency.c.subject == bindparam("subject"),
    idempotency.c.key == bindparam("key"),
    idempotency.c.created_at >= bindparam("expired"),
    idempotency.c.answer_sealed.is_not(None) | (idempotency.c.lease_until >= bindparam("created_at")),
)


@lru_cache(maxsize=2)
def _acquire_statement(dialect: str) -> Insert:
    statement, columns = insert_of(dialect, idempotency), idempotency.c
    new = statement.excluded
    is_available = or_(
        (columns.claim == new.claim) & columns.answer_sealed.is_(None),
        columns.created_at < bindparam("expired"),
        columns.answer_sealed.is_(None) & (columns.lease_until < new.created_at),
    )
    changed = ("fingerprint", "claim", "lease_until", "created_at", "query_id", "answer_sealed", *_HASHES)
    return statement.on_conflict_do_update(
        index_elements=_KEY, set_={name: new[name] for name in changed}, where=is_available
    )


@lru_cache(maxsize=4)
def _finish_statement(dialect: str, is_acknowledged: bool) -> Insert:
    statement, columns = insert_of(dialect, idempotency), idempotency.c
    new = statement.excluded
    is_own_claim = columns.claim == new.claim
    changed: dict[str, ColumnElement[Any]]
    if is_acknowledged:
        is_allowed = or_(is_own_claim, columns.answer_sealed.is_(None))
        changed = {name: new[name] for name in ("query_id", "answer_sealed", "claim", *_HASHES)}
    else:
        is_allowed = is_own_claim
        changed = {name: func.coalesce(columns[name], new[name]) for name in ("query_id", "answer_sealed", *_HASHES)}
    return statement.on_conflict_do_update(index_elements=_KEY, set_=changed, where=is_allowed)


def release_claim(connection: Connection, tenant: str, subject: str, key: str, claim: str) -> None:
    """Release the key, unless it is finished or another claim holds it."""
    columns = idempotency.c
    connection.execute(
        delete(idempotency).where(
            columns.tenant == tenant,
            columns.subject == subject,
            columns.key == key,
            columns.claim == claim,
            columns.answer_sealed.is_(None),
        )
    )


def delete_claims(connection: Connection, claims: list[str]) -> None:
    """Delete rows, finished or not, by their claims."""
    if claims:
        connection.execute(delete(idempotency).where(idempotency.c.claim.in_(claims)))


def has_claims(connection: Connection) -> bool:
    """Return whether the table has a row."""
    return connection.execute(_SELECT_ANY).first() is not None


def tenants_with_idempotency_keys(connection: Connection) -> list[str]:
    return list(connection.scalars(select(idempotency.c.tenant).distinct()))


def delete_some_expired_idempotency_keys(connection: Connection, tenant: str, expired: datetime) -> int:
    """Delete some of a tenant's rows that were created before `expired`, and return their number. Uses the index."""
    columns = idempotency.c
    old = select(columns.claim).where(columns.tenant == tenant, columns.created_at < expired).limit(KEYS_PER_DELETE)
    return connection.execute(
        delete(idempotency).where(columns.tenant == tenant, columns.created_at < expired, columns.claim.in_(old))
    ).rowcount
