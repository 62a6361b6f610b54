"""Every table that holds something of a customer: how erasure empties it, and how retention does.

One list for both. A new table that stores text, an original, a name or an id is added here, and then both reach it.
What lies outside of the database (spools, files of events, Redis, reply caches) is reached by `erasing.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from frontdesk.storage.sql.erasure import (
    erase_feedback,
    erase_history,
    erase_idempotency,
    erase_outbox,
    erase_queries,
)
from frontdesk.storage.sql.retention import (
    Expiry,
    delete_feedback,
    delete_outbox,
    empty_queries,
    expired_feedback,
    expired_history,
    expired_outbox,
    expired_queries,
    unname_history,
)
from frontdesk.storage.subjects import Subject

Erase = Callable[[Connection, Subject, str], int]
"""Empties a table of a subject, whose key is given too; the number of rows."""


@dataclass(frozen=True, slots=True)
class StoredTable:
    """`expiry` is what retention does with old rows; None where another rule ends them."""

    name: str
    erase: Erase
    expiry: Expiry | None


TABLES = (  # in this order: the others are found through `queries`
    StoredTable("idempotency", erase_idempotency, None),  # storage.idempotency_ttl_s
    StoredTable("outbox", erase_outbox, Expiry(expired_outbox, delete_outbox)),
    StoredTable("feedback", erase_feedback, Expiry(expired_feedback, delete_feedback)),
    StoredTable("customer_history", erase_history, Expiry(expired_history, unname_history)),
    StoredTable("queries", erase_queries, Expiry(expired_queries, empty_queries)),
)


def erase_everywhere(connection: Connection, subject: Subject, key: str) -> dict[str, int]:
    """Empty every table of a subject in the connection's transaction; rows by table."""
    return {table.name: table.erase(connection, subject, key) for table in TABLES}
