"""Rows that come to the database late, out of a spool: much may have happened since they were acknowledged.

Their customer may have been erased: then they are made as anonymous as the rows that were there. Their day may have
been counted: then it is to be counted again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from frontdesk.storage.rows import Rows
from frontdesk.storage.sql.daily import forget_days
from frontdesk.storage.sql.erasure import ERASED_HISTORY, ERASED_QUERY, is_erased
from frontdesk.storage.tables import customer_history, queries

_ERASED: Mapping[str, Mapping[str, Any]] = {queries.name: ERASED_QUERY, customer_history.name: ERASED_HISTORY}


def customer_hash(fingerprint: Callable[[bytes], str], tenant: str, customer_id: str) -> str:
    """What an erased customer is known by."""
    return fingerprint(f"{tenant}\x00{customer_id}".encode())


def settled(connection: Connection, late: Sequence[Rows], fingerprint: Callable[[bytes], str]) -> list[Rows]:
    """The rows as they may be inserted now, within the transaction that does so."""
    asked = [row for rows in late for row in rows.inserts.get(queries.name, ())]
    forget_days(connection, [(row["tenant"], row["created_at"]) for row in asked])
    known: dict[tuple[str, str], str] = {}
    return [anonymised(rows) if _is_erased(connection, rows, known, fingerprint) else rows for rows in late]


def anonymised(rows: Rows) -> Rows:
    """Labels and times; no words, no customer, no events, and no answer under an Idempotency-Key."""
    inserts = {
        table: tuple({**row, **_ERASED[table]} for row in inserted)
        for table, inserted in rows.inserts.items()
        if table in _ERASED
    }
    return replace(rows, inserts=inserts, finish=None)


def _is_erased(
    connection: Connection, rows: Rows, known: dict[tuple[str, str], str], fingerprint: Callable[[bytes], str]
) -> bool:
    for row in rows.inserts.get(queries.name, ()):
        if row["customer_id"] is not None:
            place = (row["tenant"], row["customer_id"])
            if place not in known:
                known[place] = customer_hash(fingerprint, *place)
            if is_erased(connection, row["tenant"], known[place], row["created_at"]):
                return True
    return False
