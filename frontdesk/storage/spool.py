"""The spool: one SQLite file a host, shared by its workers, where rows wait while the database is away.

Every commit is on the disk before it returns (WAL, synchronous=FULL), so what is in here is as acknowledged as what is
in the database. It also holds the Idempotency-Keys taken meanwhile: the guarantee is the host's own as long as that
lasts. Rows leave in the order in which they came, after the database has them (`drain.py`); those that it will never
take are set aside, where they stay until a person looks at them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine

from frontdesk.storage.database import begin_writing, open_database, reading, truncate_wal, try_lock
from frontdesk.storage.rows import Rows
from frontdesk.storage.sql.idempotency import (
    ClaimRow,
    Holder,
    find_holder,
    forget_claims,
    has_claims,
    purge_keys,
    tenants_with_keys,
)
from frontdesk.storage.sql.spool import (
    all_refused,
    count_refused,
    count_spooled,
    delete_refused,
    delete_spooled,
    last_sequence,
    make_tables,
    oldest_spooled,
    set_aside,
    spool_again,
)

FILE_NAME = "spool.db"
SETTLED_NS = 1_000_000_000
"""File systems tell times apart that are milliseconds, or on old ones a second, from each other."""


@dataclass(frozen=True, slots=True)
class Spooled:
    """Rows that wait, and their place in the order."""

    sequence: int
    written: str

    @property
    def rows(self) -> Rows:
        return Rows.from_json(self.written)


@dataclass(frozen=True, slots=True)
class Refused:
    """Rows that the database does not take, and the name of its error."""

    spooled: Spooled
    error: str


@dataclass(frozen=True, slots=True)
class SetAside:
    """What was refused, as a person is told of it: without a word of what is in it."""

    sequence: int
    tenant: str
    query_id: str
    error: str
    refused_at: datetime


@dataclass(frozen=True, slots=True)
class Spool:
    """The open file. `engine` is for writing through `works.Store`; the rest is for the drain and for readers."""

    engine: Engine
    path: Path

    @classmethod
    def open(cls, home: Path) -> Spool:
        """The spool of `home`, made on first run: file 0600.

        Raises:
            ConfigurationError: the file cannot be made or opened.
        """
        path = home / FILE_NAME
        engine = open_database(f"sqlite:///{path}")
        make_tables(engine)
        return cls(engine, path)

    def close(self) -> None:
        self.engine.dispose()

    def backlog(self) -> tuple[int, int]:
        """How many requests' rows wait, and how many were set aside."""
        with reading(self.engine) as connection:
            return count_spooled(connection), count_refused(connection)

    def progress(self) -> tuple[int, int]:
        """How many requests' rows wait, and how many ever came: what is equal twice has stood still in between."""
        with reading(self.engine) as connection:
            return count_spooled(connection), last_sequence(connection)

    def oldest(self, at_most: int) -> list[Spooled]:
        with reading(self.engine) as connection:
            return [Spooled(*found) for found in oldest_spooled(connection, at_most)]

    def remove(self, taken: Sequence[Spooled], refused: Sequence[Refused]) -> None:
        """Forget what the database has, with its keys, and set aside what it refused: both or neither."""
        claims = [finish.claim for one in taken if (finish := one.rows.finish) is not None]
        now = datetime.now(UTC)
        with begin_writing(self.engine) as connection:
            set_aside(
                connection,
                [
                    {
                        "sequence": one.spooled.sequence,
                        "rows": one.spooled.written,
                        "error": one.error,
                        "refused_at": now,
                    }
                    for one in refused
                ],
            )
            delete_spooled(connection, [one.sequence for one in (*taken, *(one.spooled for one in refused))])
            forget_claims(connection, claims)

    def refused(self) -> list[SetAside]:
        """What was set aside, in its order."""
        with reading(self.engine) as connection:
            found = all_refused(connection)
        return [
            SetAside(sequence, _tenant(rows), rows.id, error, at)
            for sequence, rows, error, at in ((one[0], Rows.from_json(one[1]), *one[2:]) for one in found)
        ]

    def retry(self, sequences: Sequence[int]) -> None:
        """Let what was set aside wait again, behind all that waits."""
        with begin_writing(self.engine) as connection:
            spool_again(connection, sequences, datetime.now(UTC))

    def drop(self, sequences: Sequence[int]) -> None:
        """Delete what was set aside, for good."""
        with begin_writing(self.engine) as connection:
            delete_refused(connection, sequences)
        self.forget()

    def forget(self) -> None:
        """Empty the write-ahead log, which still holds what was deleted; where somebody reads just now, it stays."""
        with self.engine.connect() as connection:
            truncate_wal(connection)

    def holder(self, asked: ClaimRow) -> Holder | None:
        """Whose the key is on this host, as far as the spool knows."""
        with reading(self.engine) as connection:
            return find_holder(connection, asked)

    def has_keys(self) -> bool:
        """Is any Idempotency-Key in the spool?"""
        with reading(self.engine) as connection:
            return has_claims(connection)

    def stamp(self) -> tuple[int, ...] | None:
        """What changes whenever the spool is written to, by any process: times and sizes of its files.

        None where a write may just have happened that the clock of the file system is too coarse to tell apart.
        """
        stamp: list[int] = []
        settled = time.time_ns() - SETTLED_NS
        for path in (str(self.path), f"{self.path}-wal"):
            try:
                told = os.stat(path)  # noqa: PTH116 - on the hot path of requests with a key, and half the time
            except OSError:
                stamp.append(0)
                continue
            if told.st_mtime_ns > settled:
                return None
            stamp += (told.st_mtime_ns, told.st_size, told.st_ino)
        return tuple(stamp)

    @contextmanager
    def drainer(self) -> Iterator[bool]:
        """Is this process the one that drains, as long as the context lasts? One a host is."""
        with try_lock(self.path.with_suffix(".drain")) as is_ours:
            yield is_ours


def _tenant(rows: Rows) -> str:
    return next((str(row["tenant"]) for table in rows.inserts.values() for row in table), "")


def purge(engine: Engine, expired: datetime) -> None:
    """Delete keys made before `expired`, a few at a time."""
    with reading(engine) as connection:
        tenants = tenants_with_keys(connection)
    for tenant in tenants:
        deleted = 1
        while deleted:
            with begin_writing(engine) as connection:
                deleted = purge_keys(connection, tenant, expired)
