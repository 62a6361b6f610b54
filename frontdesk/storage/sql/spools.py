"""The spools of all hosts, as each host last told: what may still wait there when somebody is erased."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, or_, select

from frontdesk.storage.sql.erasure import database_now
from frontdesk.storage.sql.inserting import insert_of
from frontdesk.storage.tables import spools

SILENT_AFTER = timedelta(seconds=90)
"""A host that has not told of its spool for so long may hold rows that nobody knows of."""


@dataclass(frozen=True, slots=True)
class SpoolReport:
    """A host's spool: how many requests' rows wait and were refused, when it was last seen (the database's clock)."""

    id: str
    host: str
    waiting: int
    refused: int
    erased_until: datetime | None
    seen_at: datetime


def put_report(connection: Connection, report: SpoolReport) -> None:
    """Replace what is known of this spool."""
    row = {name: getattr(report, name) for name in SpoolReport.__dataclass_fields__}
    made = insert_of(connection.dialect.name, spools).values(**row)
    changed = {name: made.excluded[name] for name in row if name != "id"}
    connection.execute(made.on_conflict_do_update(index_elements=["id"], set_=changed))


def uncertain_spools(connection: Connection, own: str) -> list[SpoolReport]:
    """Spools of other hosts in which something waits, or that are silent; by host."""
    silent = database_now(connection) - SILENT_AFTER
    columns = [spools.c[name] for name in SpoolReport.__dataclass_fields__]
    statement = select(*columns).where(
        spools.c.id != own, or_(spools.c.waiting > 0, spools.c.refused > 0, spools.c.seen_at < silent)
    )
    return [SpoolReport(*row) for row in connection.execute(statement.order_by(spools.c.host))]
