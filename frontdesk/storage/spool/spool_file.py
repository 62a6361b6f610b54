"""The spool: one SQLite file per host, shared by its workers, where rows wait while the database is unavailable.

Every commit is on the disk before it returns (WAL, synchronous=FULL), so rows in the spool are as durable as rows in
the database. The spool also holds the Idempotency-Keys that are claimed meanwhile; they are then guaranteed within this
host only. Rows leave in the order of their arrival, after the database has committed them (`drain.py`). Rows that the
database rejects are set aside in the table `refused` until an operator decides.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from frontdesk.storage.database import begin_reading, begin_writing, open_database, truncate_wal, try_lock
from frontdesk.storage.erasure_subjects import Fingerprint, RecordOrigin
from frontdesk.storage.record_rows import RecordRows
from frontdesk.storage.spool.replay import anonymise, is_erased, origin_of
from frontdesk.storage.sql.erasure import Erasures
from frontdesk.storage.sql.idempotency import (
    ClaimRow,
    HoldingClaim,
    delete_claims,
    delete_some_expired_idempotency_keys,
    find_holding_claim,
    has_claims,
    tenants_with_idempotency_keys,
)
from frontdesk.storage.sql.spool import (
    all_refused_rows,
    count_refused_rows,
    count_spooled,
    delete_refused_rows,
    delete_spooled,
    erase_idempotency_keys,
    insert_refused_rows,
    last_spool_sequence,
    make_spool_tables,
    oldest_spooled,
    owner_columns,
    refused,
    replace_rows,
    requeue_refused_rows,
    rows_to_erase,
    spool_id,
    spooled,
    tenants_in_spool,
)

FILE_NAME = "spool.db"
FILE_TIME_RESOLUTION_NS = 1_000_000_000
"""Coarsest resolution of file times: a second on old file systems, milliseconds on others."""
NO_ORIGIN = RecordOrigin("", None, None, datetime(1970, 1, 1, tzinfo=UTC))
"""Origin of an answer that was stored only under its Idempotency-Key, by a release without origins."""


@dataclass(frozen=True, slots=True)
class SpooledRows:
    """Waiting rows as JSON, and their position in the spool."""

    sequence: int
    content: str

    @property
    def rows(self) -> RecordRows:
        return RecordRows.from_json(self.content)


@dataclass(frozen=True, slots=True)
class RefusedRows:
    """Rows that the database rejects, and the name of its error."""

    spooled: SpooledRows
    error: str


@dataclass(frozen=True, slots=True)
class RefusedRowsSummary:
    """Description of refused rows for operators, without their content."""

    sequence: int
    tenant: str
    query_id: str
    error: str
    refused_at: datetime


@dataclass(frozen=True, slots=True)
class Spool:
    """The open spool file. `write_commands.StoreWriter` writes to `engine`; the drain and readers use the methods."""

    engine: Engine
    path: Path

    @classmethod
    def open(cls, home: Path) -> Spool:
        """Open the spool of `home`; create it on first run, with mode 0600.

        Raises:
            ConfigurationError: the file cannot be created or opened.
        """
        path = home / FILE_NAME
        engine = open_database(f"sqlite:///{path}")
        make_spool_tables(engine)
        return cls(engine, path)

    def close(self) -> None:
        self.engine.dispose()

    def backlog(self) -> tuple[int, int]:
        """Return the number of waiting requests, and of refused ones."""
        with begin_reading(self.engine) as connection:
            return count_spooled(connection), count_refused_rows(connection)

    def waiting_and_total(self) -> tuple[int, int]:
        """Return the number of waiting requests, and of all requests ever spooled.

        If two calls return the same values, nothing was spooled or moved in between.
        """
        with begin_reading(self.engine) as connection:
            return count_spooled(connection), last_spool_sequence(connection)

    def oldest(self, at_most: int) -> list[SpooledRows]:
        with begin_reading(self.engine) as connection:
            return [SpooledRows(*row) for row in oldest_spooled(connection, at_most)]

    def remove(self, moved: Sequence[SpooledRows], refused: Sequence[RefusedRows]) -> None:
        """Delete the moved rows and their claims, and set the refused rows aside, in one transaction."""
        claims = [finish.claim for entry in moved if (finish := entry.rows.finish) is not None]
        now = datetime.now(UTC)
        with begin_writing(self.engine) as connection:
            insert_refused_rows(
                connection,
                [
                    {
                        "sequence": entry.spooled.sequence,
                        **owner_columns(entry.spooled.rows),
                        "rows": entry.spooled.content,
                        "error": entry.error,
                        "refused_at": now,
                    }
                    for entry in refused
                ],
            )
            delete_spooled(connection, [entry.sequence for entry in (*moved, *(entry.spooled for entry in refused))])
            delete_claims(connection, claims)

    @property
    def id(self) -> str:
        """The id of this spool file in the database."""
        with begin_reading(self.engine) as connection:
            return spool_id(connection)

    def tenants(self) -> tuple[set[str], bool]:
        """Return the tenants of all rows and keys, and whether a row without a tenant exists."""
        with begin_reading(self.engine) as connection:
            return tenants_in_spool(connection)

    def add_missing_origins(self, fingerprint: Fingerprint) -> None:
        """Add the origin to rows that an earlier release spooled without one."""
        with begin_writing(self.engine) as connection:
            for table in (spooled, refused):
                for sequence, content in rows_to_erase(connection, table, {}):
                    rows = RecordRows.from_json(content)
                    with_origin = replace(rows, origin=origin_of(rows, fingerprint) or NO_ORIGIN)
                    replace_rows(connection, table, sequence, with_origin)

    def erase(self, erased: Erasures, fingerprint: Fingerprint, margin: timedelta = timedelta()) -> dict[str, int]:
        """Anonymise rows of erased keys that were received before the erasure, and delete answers under their keys.

        Args:
            erased: times of the erasures by this host's clock.
            fingerprint: computes the keys of rows that an earlier release spooled.
            margin: rows that were received up to this long after an erasure count as earlier.

        Returns:
            The number of rows by table.
        """
        removed = dict.fromkeys(("spool.spooled", "spool.refused", "spool.idempotency"), 0)
        with begin_writing(self.engine) as connection:
            for table in (spooled, refused):
                for sequence, content in rows_to_erase(connection, table, erased):
                    rows = RecordRows.from_json(content)
                    if is_erased(rows, origin_of(rows, fingerprint), erased, margin) and rows != anonymise(rows):
                        replace_rows(connection, table, sequence, anonymise(rows))
                        removed[f"spool.{table.name}"] += 1
            for (tenant, key), at in erased.items():
                removed["spool.idempotency"] += erase_idempotency_keys(connection, tenant, key, at + margin)
        return removed

    def refused(self) -> list[RefusedRowsSummary]:
        """Return descriptions of the refused rows, in their order."""
        with begin_reading(self.engine) as connection:
            rows_in_order = all_refused_rows(connection)
        return [
            RefusedRowsSummary(sequence, _tenant_of(rows), rows.id, error, at)
            for sequence, rows, error, at in ((row[0], RecordRows.from_json(row[1]), *row[2:]) for row in rows_in_order)
        ]

    def retry_refused(self, sequences: Sequence[int]) -> None:
        """Queue refused rows again, behind all waiting rows."""
        with begin_writing(self.engine) as connection:
            requeue_refused_rows(connection, sequences, datetime.now(UTC))

    def drop_refused(self, sequences: Sequence[int]) -> None:
        """Delete refused rows permanently."""
        with begin_writing(self.engine) as connection:
            delete_refused_rows(connection, sequences)
        self.truncate_log()

    def truncate_log(self) -> bool:
        """Truncate the write-ahead log, which still holds deleted rows; False if a reader prevents it."""
        with self.engine.connect() as connection:
            return truncate_wal(connection)

    def find_claim(self, claim_row: ClaimRow) -> HoldingClaim | None:
        """Return the holder of the key in the spool of this host, or None."""
        with begin_reading(self.engine) as connection:
            return find_holding_claim(connection, claim_row)

    def has_idempotency_keys(self) -> bool:
        """Return whether the spool holds an Idempotency-Key."""
        with begin_reading(self.engine) as connection:
            return has_claims(connection)

    def change_stamp(self) -> tuple[int, ...] | None:
        """Return a value that changes with every write to the spool by any process: times and sizes of its files.

        None if the files changed so recently that a later write could leave the same time.
        """
        values: list[int] = []
        newest_allowed_ns = time.time_ns() - FILE_TIME_RESOLUTION_NS
        for path in (str(self.path), f"{self.path}-wal"):
            try:
                status = os.stat(path)  # noqa: PTH116 - on the hot path of requests with a key; twice as fast
            except OSError:
                values.append(0)
                continue
            if status.st_mtime_ns > newest_allowed_ns:
                return None
            values += (status.st_mtime_ns, status.st_size, status.st_ino)
        return tuple(values)

    @contextmanager
    def try_erasure_lock(self) -> Iterator[bool]:
        """Yield whether this process holds the host's lock for applying erasures of other hosts."""
        with try_lock(self.path.with_suffix(".erasures")) as has_lock:
            yield has_lock

    @contextmanager
    def try_drain_lock(self) -> Iterator[bool]:
        """Yield whether this process holds the host's lock for draining the spool."""
        with try_lock(self.path.with_suffix(".drain")) as has_lock:
            yield has_lock


def _tenant_of(rows: RecordRows) -> str:
    return next((str(row["tenant"]) for table in rows.inserts.values() for row in table), "")


def delete_expired_idempotency_keys(engine: Engine, expired: datetime) -> None:
    """Delete Idempotency-Keys that were created before `expired`, some in each transaction."""
    with begin_reading(engine) as connection:
        tenants = tenants_with_idempotency_keys(connection)
    for tenant in tenants:
        deleted = 1
        while deleted:
            with begin_writing(engine) as connection:
                deleted = delete_some_expired_idempotency_keys(connection, tenant, expired)
