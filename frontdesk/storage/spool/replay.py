"""Anonymise rows whose customer, session or query was erased after their request began, before they are inserted.

Rows from a spool may belong to a day that has stored counts. Those counts are deleted, and the day is counted again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from frontdesk.storage.erasure_subjects import RecordOrigin, customer_and_session_hashes
from frontdesk.storage.record_rows import RecordRows
from frontdesk.storage.sql.daily_rollups import delete_day_counts
from frontdesk.storage.sql.erasure import (
    ERASED_HISTORY,
    ERASED_QUERY,
    Erasures,
    erasures_of,
    erasures_since,
    lock_for_writing,
)
from frontdesk.storage.sql.idempotency import release_claim
from frontdesk.storage.tables import customer_history, queries

CLOCK_MARGIN = timedelta(seconds=5)
"""Rows from a spool that were received up to this long after an erasure count as earlier: clocks may have been set."""

_ERASED_COLUMNS: Mapping[str, Mapping[str, Any]] = {queries.name: ERASED_QUERY, customer_history.name: ERASED_HISTORY}


def anonymise_erased(connection: Connection, new_rows: Sequence[RecordRows]) -> Sequence[RecordRows]:
    """Return rows of new answers, anonymised if an erasure covers them; the same sequence if none does.

    Call it in the transaction that inserts them. The claims of anonymised rows are released.
    """
    origins = [rows.origin for rows in new_rows if rows.origin is not None]
    if not origins:
        return new_rows
    oldest = min(origin.received_at for origin in origins)
    erased = erasures_since(connection, {origin.tenant for origin in origins}, oldest)
    if not erased:
        return new_rows
    return [_anonymise_if_erased(connection, rows, rows.origin, erased, timedelta()) for rows in new_rows]


def anonymise_replayed(
    connection: Connection, spooled: Sequence[RecordRows], fingerprint: Callable[[bytes], str]
) -> list[RecordRows]:
    """Return rows from a spool, anonymised if an erasure covers them. Call it in the transaction that inserts them."""
    lock_for_writing(connection)
    query_rows = [row for rows in spooled for row in rows.inserts.get(queries.name, ())]
    delete_day_counts(connection, [(row["tenant"], row["created_at"]) for row in query_rows])
    origins = [origin_of(rows, fingerprint) for rows in spooled]
    erased = _find_erasures(connection, spooled, origins)
    return [
        _anonymise_if_erased(connection, rows, origin, erased, CLOCK_MARGIN)
        for rows, origin in zip(spooled, origins, strict=True)
    ]


def anonymise_refused(connection: Connection, spooled: RecordRows, fingerprint: Callable[[bytes], str]) -> RecordRows:
    """Return rows from a spool, anonymised if an erasure covers them. Writes nothing."""
    origin = origin_of(spooled, fingerprint)
    erased = _find_erasures(connection, [spooled], [origin])
    return anonymise(spooled) if is_erased(spooled, origin, erased, CLOCK_MARGIN) else spooled


def origin_of(rows: RecordRows, fingerprint: Callable[[bytes], str]) -> RecordOrigin | None:
    """Return the origin of rows; for rows spooled by an earlier release it is computed from the query's row."""
    if rows.origin is not None:
        return rows.origin
    for row in rows.inserts.get(queries.name, ()):
        tenant = row["tenant"]
        customer, session = customer_and_session_hashes(fingerprint, tenant, row["customer_id"], row["session_id"])
        received_at = row["created_at"] - timedelta(milliseconds=max(row["response_time_ms"], 0.0))
        return RecordOrigin(tenant, customer, session, received_at)
    return None


def anonymise(rows: RecordRows) -> RecordRows:
    """Return the rows without texts, customer, events and answer under an Idempotency-Key. Labels and times stay."""
    inserts = {
        table: tuple({**row, **_ERASED_COLUMNS[table]} for row in inserted)
        for table, inserted in rows.inserts.items()
        if table in _ERASED_COLUMNS
    }
    origin = None if rows.origin is None else replace(rows.origin, customer_hash=None, session_hash=None)
    return replace(rows, inserts=inserts, finish=None, origin=origin)


def _find_erasures(
    connection: Connection, spooled: Sequence[RecordRows], origins: Sequence[RecordOrigin | None]
) -> Erasures:
    keys = {
        (origin.tenant, key)
        for rows, origin in zip(spooled, origins, strict=True)
        if origin is not None
        for key in origin.keys(rows.id)
    }
    return erasures_of(connection, keys)


def _anonymise_if_erased(
    connection: Connection, rows: RecordRows, origin: RecordOrigin | None, erased: Erasures, margin: timedelta
) -> RecordRows:
    if not is_erased(rows, origin, erased, margin):
        return rows
    if (finish := rows.finish) is not None:
        release_claim(connection, finish.tenant, finish.subject, finish.key, finish.claim)
    return anonymise(rows)


def is_erased(rows: RecordRows, origin: RecordOrigin | None, erased: Erasures, margin: timedelta) -> bool:
    """Return whether one of the rows' keys was erased after their request began; `margin` widens that interval."""
    if origin is None:
        return False
    times = (erased.get((origin.tenant, key)) for key in origin.keys(rows.id))
    return any(at is not None and at + margin >= origin.received_at for at in times)
