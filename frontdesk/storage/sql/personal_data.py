"""Registry of the tables with personal data: how erasure and retention remove it from each of them.

Add every new table that stores text, originals, names or ids here, so that both cover it. Data outside of the database
(spools, events files, Redis, reply caches) is covered by `eraser.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from frontdesk.storage.erasure_subjects import ErasureSubject
from frontdesk.storage.sql.erasure import (
    erase_feedback,
    erase_history,
    erase_idempotency,
    erase_outbox,
    erase_queries,
)
from frontdesk.storage.sql.retention import (
    RetentionRule,
    anonymise_history,
    anonymise_queries,
    delete_feedback,
    delete_outbox,
    expired_feedback,
    expired_history,
    expired_outbox,
    expired_queries,
)

Erase = Callable[[Connection, ErasureSubject, str], int]
"""Removes a subject, which has this key, from a table and returns the number of rows."""


@dataclass(frozen=True, slots=True)
class PersonalDataTable:
    """A table with personal data. `expiry` removes old rows; None if another rule limits their age."""

    name: str
    erase: Erase
    expiry: RetentionRule | None


TABLES = (  # `queries` is last: rows of the other tables are matched by it
    PersonalDataTable("idempotency", erase_idempotency, None),  # storage.idempotency_ttl_s
    PersonalDataTable("outbox", erase_outbox, RetentionRule(expired_outbox, delete_outbox)),
    PersonalDataTable("feedback", erase_feedback, RetentionRule(expired_feedback, delete_feedback)),
    PersonalDataTable("customer_history", erase_history, RetentionRule(expired_history, anonymise_history)),
    PersonalDataTable("queries", erase_queries, RetentionRule(expired_queries, anonymise_queries)),
)


def erase_from_tables(connection: Connection, subject: ErasureSubject, key: str) -> dict[str, int]:
    """Remove a subject from every table in the connection's transaction; return the number of rows by table."""
    return {table.name: table.erase(connection, subject, key) for table in TABLES}
