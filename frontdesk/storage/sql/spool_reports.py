"""Reports of all hosts on their spools: an erasure reads from them where rows may still wait."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, or_, select

from frontdesk.storage.sql.erasure import database_now
from frontdesk.storage.sql.upsert import insert_of
from frontdesk.storage.tables import spools

SILENT_AFTER = timedelta(seconds=90)
"""A host whose last report is older than this may hold rows that no report counts."""


@dataclass(frozen=True, slots=True)
class SpoolReport:
    """Report of a spool: numbers of waiting and refused requests. Times are by the database's clock."""

    id: str
    host: str
    waiting: int
    refused: int
    erased_until: datetime | None
    seen_at: datetime


def store_report(connection: Connection, report: SpoolReport) -> None:
    """Insert or replace the report of a spool."""
    row = {name: getattr(report, name) for name in SpoolReport.__dataclass_fields__}
    statement = insert_of(connection.dialect.name, spools).values(**row)
    changes = {name: statement.excluded[name] for name in row if name != "id"}
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changes))


def possibly_nonempty_spools(connection: Connection, own_spool_id: str) -> list[SpoolReport]:
    """Return the reports of other hosts with waiting or refused rows, or without a recent report, by host."""
    silent = database_now(connection) - SILENT_AFTER
    columns = [spools.c[name] for name in SpoolReport.__dataclass_fields__]
    statement = select(*columns).where(
        spools.c.id != own_spool_id, or_(spools.c.waiting > 0, spools.c.refused > 0, spools.c.seen_at < silent)
    )
    return [SpoolReport(*row) for row in connection.execute(statement.order_by(spools.c.host))]
