"""Sealing anew, with the current key, what earlier keys have sealed; a job beside servers that run.

    read a page, without a lock -> open and seal -> UPDATE ... WHERE the value is still the one that was read

A row that changed in between, or was erased, keeps what it has. Nothing is noted on the way: a value names its key, so
a job that was stopped finds what is left. Values that cannot be opened stay, and are counted.

A spool holds rows as JSON; those that move into the database meanwhile are found there, because it is walked last.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Engine, RowMapping, Table

from frontdesk.errors import ConfigurationError, DataError
from frontdesk.security.field_encryption import AesGcmFieldCipher, read_key_id
from frontdesk.storage.database import begin_reading, begin_writing, truncate_wal
from frontdesk.storage.record_rows import FinishedClaim, Rows, context
from frontdesk.storage.sql.encrypted_columns import (
    ENCRYPTED_TABLES,
    SPOOL_TABLES,
    EncryptedTable,
    count_rows,
    page_of_key_ids,
    page_of_spooled,
    page_to_reencrypt,
    replace_encrypted,
    replace_spooled,
)
from frontdesk.storage.tables import idempotency

PAGE_ROWS = 500
"""Looked at together, and the most that one transaction changes: some milliseconds of the database's time."""

Progress = Callable[[int], None]
"""Told how many rows were looked at since it was last called."""


@dataclass(frozen=True, slots=True)
class KeyUse:
    """What needs a key: sealed values by its id, and Idempotency-Keys that know their request by it."""

    sealed: Counter[str]
    fingerprints: Counter[str]


@dataclass(slots=True)
class ReencryptionCounts:
    """What a job did: values sealed anew, and those that it could not open."""

    values: int = 0
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class ReencryptionJob:
    """The database's values and those of this host's spool. `field_cipher` opens the old ones and has the current key."""

    database: Engine
    spool: Engine
    field_cipher: AesGcmFieldCipher

    def rows(self) -> int:
        """How many rows there are to look at, for a progress bar."""
        with begin_reading(self.database) as connection:
            count = sum(count_rows(connection, sealed.table) for sealed in ENCRYPTED_TABLES)
        with begin_reading(self.spool) as connection:
            return count + sum(count_rows(connection, table) for table in (*SPOOL_TABLES, idempotency))

    def run(self, progress: Progress = lambda _rows: None) -> ReencryptionCounts:
        """Walk over everything once. What comes in meanwhile is sealed with the current key by whoever runs."""
        done = ReencryptionCounts()
        for table in SPOOL_TABLES:
            for waiting in self._waiting(table):
                self._reseal_waiting(table, waiting, done)
                progress(len(waiting))
        for engine, sealed in self._places():
            for page in _pages(engine, sealed, partial(page_to_reencrypt, current=self.field_cipher.current.key_id)):
                self._reseal_page(engine, sealed, page, done)
                progress(len(page))
        for engine in (self.spool, self.database):
            with engine.connect() as connection:
                truncate_wal(connection)
        return done

    def key_use(self) -> KeyUse:
        """What needs which key, here and now."""
        key_use = KeyUse(Counter(), Counter())
        for table in SPOOL_TABLES:
            for waiting in self._waiting(table):
                for _, written in waiting:
                    _count(Rows.from_json(written), key_use)
        for engine, sealed in self._places():
            for page in _pages(engine, sealed, page_of_key_ids):
                for row in page:
                    ids = [row[f"of_{name}"] for name in sealed.columns]
                    key_use.sealed.update(key_id.hex() for key_id in ids if key_id is not None)
                    if sealed.fingerprint:
                        key_use.fingerprints[row["of_fingerprint"]] += 1
        return key_use

    def _places(self) -> Iterator[tuple[Engine, EncryptedTable]]:
        for sealed in ENCRYPTED_TABLES:
            if sealed.table is idempotency:
                yield self.spool, sealed
            yield self.database, sealed

    def _waiting(self, table: Table) -> Iterator[list[tuple[int, str]]]:
        reached = 0
        while page := self._page_of_waiting(table, reached):
            yield page
            reached = page[-1][0]

    def _page_of_waiting(self, table: Table, after: int) -> list[tuple[int, str]]:
        with begin_reading(self.spool) as connection:
            return page_of_spooled(connection, table, after, PAGE_ROWS)

    def _reseal_waiting(self, table: Table, waiting: Sequence[tuple[int, str]], done: ReencryptionCounts) -> None:
        changed = []
        for sequence, written in waiting:
            rows = Rows.from_json(written)
            if (made := self._rows(rows, done)) != rows:
                changed.append({"at": sequence, "found": written, "made": made.to_json()})
        if changed:
            with begin_writing(self.spool) as connection:
                replace_spooled(connection, table, changed)

    def _reseal_page(
        self, engine: Engine, sealed: EncryptedTable, page: Sequence[RowMapping], done: ReencryptionCounts
    ) -> None:
        for name, called in sealed.columns.items():
            changed = []
            for row in page:
                place = context(*(row[part] for part in sealed.place), called)
                if row[name] is not None and (made := self._value(row[name], place, done)) != row[name]:
                    changed.append({**_of(sealed, row), "found": row[name], "made": made})
            if changed:
                with begin_writing(engine) as connection:
                    replace_encrypted(connection, sealed, name, changed)

    def _rows(self, rows: Rows, done: ReencryptionCounts) -> Rows:
        """The same rows with their sealed values made anew."""
        inserts: dict[str, Sequence[Mapping[str, Any]]] = dict(rows.inserts)
        for sealed in ENCRYPTED_TABLES:
            inserts |= {
                table: tuple(self._row(sealed, row, done) for row in there)
                for table, there in rows.inserts.items()
                if table == sealed.table.name
            }
        finish = None if rows.finish is None else self._finish(rows.finish, done)
        return dataclasses.replace(rows, inserts=inserts, finish=finish)

    def _row(self, sealed: EncryptedTable, row: Mapping[str, Any], done: ReencryptionCounts) -> Mapping[str, Any]:
        place = [row[part] for part in sealed.place]
        made = {
            name: self._value(row[name], context(*place, called), done)
            for name, called in sealed.columns.items()
            if row.get(name) is not None
        }
        return {**row, **made}

    def _finish(self, finish: FinishedClaim, done: ReencryptionCounts) -> FinishedClaim:
        place = context(finish.tenant, finish.subject, finish.key, "answer")
        committed, spooled = (self._value(value, place, done) for value in (finish.committed, finish.spooled))
        return dataclasses.replace(finish, committed=committed, spooled=spooled)

    def _value(self, found: bytes, place: bytes, done: ReencryptionCounts) -> bytes:
        if read_key_id(found) == self.field_cipher.current.key_id:
            return found
        try:
            made = self.field_cipher.encrypt(self.field_cipher.decrypt(found, place), place)
        except (ConfigurationError, DataError):
            done.unreadable += 1
            return found
        done.values += 1
        return made


def _pages(
    engine: Engine, sealed: EncryptedTable, read: Callable[..., Sequence[RowMapping]]
) -> Iterator[Sequence[RowMapping]]:
    after = None
    while True:
        with begin_reading(engine) as connection:
            page = read(connection, sealed, after=after, at_most=PAGE_ROWS)
        if not page:
            return
        yield page
        after = [page[-1][column.name] for column in sealed.key]


def _of(sealed: EncryptedTable, row: RowMapping) -> dict[str, Any]:
    return {f"of_{column.name}": row[column.name] for column in sealed.key}


def _count(rows: Rows, key_use: KeyUse) -> None:
    for sealed in ENCRYPTED_TABLES:
        for row in rows.inserts.get(sealed.table.name, ()):
            key_use.sealed.update(read_key_id(row[name]).hex() for name in sealed.columns if row.get(name) is not None)
    if rows.finish is not None:
        key_use.sealed.update(read_key_id(value).hex() for value in (rows.finish.committed, rows.finish.spooled))
        key_use.fingerprints[rows.finish.fingerprint.partition(":")[0]] += 1
