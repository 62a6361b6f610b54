"""Forgetting a customer: words, sealed originals and names go, labels stay, so that counts and figures stay true.

Whoever was erased is remembered by a keyed hash alone, so that rows which still wait elsewhere (the spool of a host)
can be made anonymous when they arrive. A customer who writes again afterwards is a new one.

SQLite overwrites what is deleted (`PRAGMA secure_delete`). PostgreSQL keeps old versions of a row until vacuum has
removed them, and its write-ahead log and backups keep them for as long as their own rules say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, or_, select, update

from frontdesk.storage.sql.inserting import insert_of
from frontdesk.storage.sql.outbox import forget_customer
from frontdesk.storage.tables import customer_history, erasures, feedback, idempotency, queries

NOBODY = ""
"""Stands where a column must name a customer; no customer has an empty name."""


ERASED_QUERY: Mapping[str, Any] = {
    "customer_id": None,
    "session_id": None,
    "query_text": "",
    "response_text": None,
    "query_sealed": None,
    "response_sealed": None,
    "answer": "",
}
ERASED_HISTORY: Mapping[str, Any] = {"customer_id": NOBODY}
"""What takes the place of a customer's own; all else is left."""


@dataclass(frozen=True, slots=True)
class Erased:
    """How many rows were made anonymous: no text, no name, the labels as they were."""

    queries: int
    interactions: int
    feedback: int


def erase_customer(connection: Connection, tenant: str, customer_id: str) -> Erased:
    """Forget a customer. Doing it again finds what came in meanwhile."""
    theirs = select(queries.c.id).where(queries.c.tenant == tenant, queries.c.customer_id == customer_id)
    connection.execute(delete(idempotency).where(idempotency.c.tenant == tenant, idempotency.c.query_id.in_(theirs)))
    forget_customer(connection, tenant, customer_id)
    opinions = connection.execute(
        update(feedback)
        .where(
            feedback.c.tenant == tenant,
            or_(feedback.c.customer_id == customer_id, feedback.c.query_id.in_(theirs)),
            feedback.c.customer_id.is_not(None),
        )
        .values(customer_id=None)
    )
    interactions = connection.execute(
        update(customer_history)
        .where(customer_history.c.tenant == tenant, customer_history.c.customer_id == customer_id)
        .values(**ERASED_HISTORY)
    )
    kept = connection.execute(
        update(queries).where(queries.c.tenant == tenant, queries.c.customer_id == customer_id).values(**ERASED_QUERY)
    )
    return Erased(kept.rowcount, interactions.rowcount, opinions.rowcount)


def remember_erasure(connection: Connection, tenant: str, customer_hash: str, at: datetime) -> None:
    """Rows of that moment and before are to be made anonymous, whenever they come. A later erasure counts."""
    row = insert_of(connection.dialect.name, erasures).values(tenant=tenant, customer_hash=customer_hash, erased_at=at)
    connection.execute(row.on_conflict_do_update(index_elements=["tenant", "customer_hash"], set_={"erased_at": at}))


def is_erased(connection: Connection, tenant: str, customer_hash: str, created_at: datetime) -> bool:
    """Was the customer erased at that moment or later? Then a row of that moment must be kept without them."""
    until = connection.scalar(
        select(erasures.c.erased_at).where(
            erasures.c.tenant == tenant, erasures.c.customer_hash == customer_hash, erasures.c.erased_at >= created_at
        )
    )
    return until is not None
