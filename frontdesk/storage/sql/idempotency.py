"""Who works under which Idempotency-Key, and what was answered. The database has this table, and each host's spool.

A row with an answer is finished. One without is in flight until its lease is over; then whoever comes next takes over.
A row older than the time that keys are kept for counts as none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, or_, select

from frontdesk.storage.rows import Finish
from frontdesk.storage.sql.inserting import insert_for
from frontdesk.storage.tables import idempotency

PURGED_AT_ONCE = 1000

_KEY = [idempotency.c.tenant, idempotency.c.subject, idempotency.c.key]


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """A claim as it is asked for. Rows made before `expired` are as good as gone."""

    tenant: str
    subject: str
    key: str
    fingerprint: str
    claim: str
    lease_until: datetime
    created_at: datetime
    expired: datetime


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose the key is. `answer_sealed` is None while it is in flight."""

    claim: str
    fingerprint: str
    lease_until: datetime
    answer_sealed: bytes | None


def take_claim(connection: Connection, asked: ClaimRow) -> Holder | None:
    """None where the key is the asker's now, and whose it is otherwise. To ask twice for one claim does no harm."""
    values = {
        "fingerprint": asked.fingerprint,
        "claim": asked.claim,
        "lease_until": asked.lease_until,
        "created_at": asked.created_at,
        "query_id": None,
        "answer_sealed": None,
    }
    key = {"tenant": asked.tenant, "subject": asked.subject, "key": asked.key}
    there = idempotency.c
    free = or_(
        there.claim == asked.claim,
        there.created_at < asked.expired,
        there.answer_sealed.is_(None) & (there.lease_until < asked.created_at),
    )
    take = insert_for(connection, idempotency).values(**key, **values)
    take = take.on_conflict_do_update(index_elements=_KEY, set_=values, where=free)
    while connection.execute(take).rowcount == 0:
        if (holder := find_holder(connection, asked)) is not None:
            return holder  # else it was given up between the two statements
    return None


def find_holder(connection: Connection, asked: ClaimRow) -> Holder | None:
    """Whose the key is at the moment at which it is asked for; None where it is nobody's."""
    there = idempotency.c
    found = connection.execute(
        select(there.claim, there.fingerprint, there.lease_until, there.answer_sealed).where(
            there.tenant == asked.tenant,
            there.subject == asked.subject,
            there.key == asked.key,
            there.created_at >= asked.expired,
            there.answer_sealed.is_not(None) | (there.lease_until >= asked.created_at),
        )
    ).one_or_none()
    return None if found is None else Holder(*found)


def finish_claim(
    connection: Connection, finish: Finish, answer_sealed: bytes, *, is_acknowledged: bool = False
) -> bool:
    """Keep the answer under the key, unless the key is another claim's by now: then False. Twice does no harm.

    An answer that `is_acknowledged` already also ends another claim that is in flight: that one comes too late.
    """
    values = {"query_id": finish.query_id, "answer_sealed": answer_sealed, "claim": finish.claim}
    ours = idempotency.c.claim == finish.claim
    finished = connection.execute(
        insert_for(connection, idempotency)
        .values(
            tenant=finish.tenant,
            subject=finish.subject,
            key=finish.key,
            fingerprint=finish.fingerprint,
            lease_until=finish.created_at,
            created_at=finish.created_at,
            **values,
        )
        .on_conflict_do_update(index_elements=_KEY, set_=values, where=_or_open(ours) if is_acknowledged else ours)
    )
    return finished.rowcount == 1


def _or_open(ours: ColumnElement[bool]) -> ColumnElement[bool]:
    return or_(ours, idempotency.c.answer_sealed.is_(None))


def free_claim(connection: Connection, tenant: str, subject: str, key: str, claim: str) -> None:
    """Give the key up, unless it is finished or another's."""
    there = idempotency.c
    connection.execute(
        delete(idempotency).where(
            there.tenant == tenant,
            there.subject == subject,
            there.key == key,
            there.claim == claim,
            there.answer_sealed.is_(None),
        )
    )


def forget_claims(connection: Connection, claims: list[str]) -> None:
    """Remove rows, finished or not, by their claims."""
    if claims:
        connection.execute(delete(idempotency).where(idempotency.c.claim.in_(claims)))


def tenants_with_keys(connection: Connection) -> list[str]:
    return list(connection.scalars(select(idempotency.c.tenant).distinct()))


def purge_keys(connection: Connection, tenant: str, expired: datetime) -> int:
    """Delete some of a tenant's rows that were made before `expired`, and say how many. It uses the index."""
    there = idempotency.c
    old = select(there.claim).where(there.tenant == tenant, there.created_at < expired).limit(PURGED_AT_ONCE)
    return connection.execute(
        delete(idempotency).where(there.tenant == tenant, there.created_at < expired, there.claim.in_(old))
    ).rowcount
