"""The tables of the spool's own file, and its statements. Claims have their table from `idempotency.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Engine, Integer, MetaData, Table, Text, delete, func, insert, select, text

from frontdesk.storage.tables import UtcDateTime, idempotency

metadata = MetaData()

spooled = Table(
    "spooled",
    metadata,
    Column("sequence", Integer, primary_key=True),  # the order in which they were acknowledged
    Column("rows", Text, nullable=False),  # Rows as JSON
    Column("spooled_at", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,
)

refused = Table(  # what the database would not take for its own sake; it stays until a person looks at it
    "refused",
    metadata,
    Column("sequence", Integer, primary_key=True),
    Column("rows", Text, nullable=False),
    Column("error", Text, nullable=False),  # its name, never its message
    Column("refused_at", UtcDateTime, nullable=False),
)


def make_tables(engine: Engine) -> None:
    with engine.begin() as connection:
        metadata.create_all(connection)
        idempotency.create(connection, checkfirst=True)


def add_to_spool(connection: Connection, rows: Sequence[str], at: datetime) -> None:
    if rows:
        connection.execute(insert(spooled), [{"rows": one, "spooled_at": at} for one in rows])


def oldest_spooled(connection: Connection, at_most: int) -> list[tuple[int, str]]:
    """Sequence and rows of those that have waited longest."""
    wanted = select(spooled.c.sequence, spooled.c.rows).order_by(spooled.c.sequence).limit(at_most)
    return [(sequence, rows) for sequence, rows in connection.execute(wanted)]


def delete_spooled(connection: Connection, sequences: Sequence[int]) -> None:
    if sequences:
        connection.execute(delete(spooled).where(spooled.c.sequence.in_(list(sequences))))


def set_aside(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows of `refused`."""
    if rows:
        connection.execute(insert(refused), list(rows))


def count_spooled(connection: Connection) -> int:
    return connection.scalar(select(func.count()).select_from(spooled)) or 0


def last_sequence(connection: Connection) -> int:
    """The highest that was ever given, also where its row is gone; SQLite keeps it for a column of AUTOINCREMENT."""
    wanted = text("SELECT seq FROM sqlite_sequence WHERE name = :table")
    return connection.scalar(wanted, {"table": spooled.name}) or 0


def all_refused(connection: Connection) -> list[tuple[int, str, str, datetime]]:
    """Sequence, rows, error and moment of what was set aside, in its order."""
    wanted = select(refused.c.sequence, refused.c.rows, refused.c.error, refused.c.refused_at)
    return [(*found,) for found in connection.execute(wanted.order_by(refused.c.sequence))]


def spool_again(connection: Connection, sequences: Sequence[int], at: datetime) -> None:
    """Put what was set aside behind what waits, in its order."""
    rows = select(refused.c.rows).where(refused.c.sequence.in_(sequences)).order_by(refused.c.sequence)
    add_to_spool(connection, list(connection.scalars(rows)), at)
    delete_refused(connection, sequences)


def delete_refused(connection: Connection, sequences: Sequence[int]) -> None:
    connection.execute(delete(refused).where(refused.c.sequence.in_(sequences)))


def count_refused(connection: Connection) -> int:
    return connection.scalar(select(func.count()).select_from(refused)) or 0
