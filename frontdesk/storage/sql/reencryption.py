"""Re-encryption with the current key of values that older keys encrypted, while servers run.

    read a page, without a lock -> decrypt and encrypt -> UPDATE ... WHERE the value is unchanged

A row that was changed or erased in between keeps its value. No progress is stored: each value names its key, so a job
that was stopped finds the remaining values. Values that cannot be decrypted stay, and are counted.

A spool holds rows as JSON. Rows that move into the database meanwhile are found there, because it is processed last.
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
from frontdesk.storage.record_rows import FinishedClaim, RecordRows, encryption_context
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
"""Rows of a page, and the maximum that one transaction changes: some milliseconds of the database's time."""

Progress = Callable[[int], None]
"""Called with the number of rows that were processed since the last call."""


@dataclass(frozen=True, slots=True)
class EncryptionKeyUse:
    """Uses of keys by key id: number of encrypted values, and of fingerprints of Idempotency-Keys."""

    sealed: Counter[str]
    fingerprints: Counter[str]


@dataclass(slots=True)
class ReencryptionCounts:
    """Number of re-encrypted values, and of values that could not be decrypted."""

    values: int = 0
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class ReencryptionJob:
    """Re-encrypts the database and the spool of this host. `field_cipher` has the old keys and the current key."""

    database: Engine
    spool: Engine
    field_cipher: AesGcmFieldCipher

    def count_rows_to_process(self) -> int:
        """Return the number of rows to process, for a progress bar."""
        with begin_reading(self.database) as connection:
            count = sum(count_rows(connection, encrypted_table.table) for encrypted_table in ENCRYPTED_TABLES)
        with begin_reading(self.spool) as connection:
            return count + sum(count_rows(connection, table) for table in (*SPOOL_TABLES, idempotency))

    def run(self, progress: Progress = lambda _reencrypt_rows: None) -> ReencryptionCounts:
        """Process all rows once. Rows that are added meanwhile have the current key already."""
        counts = ReencryptionCounts()
        for table in SPOOL_TABLES:
            for entries in self._spool_pages(table):
                self._reencrypt_spooled(table, entries, counts)
                progress(len(entries))
        for engine, encrypted_table in self._encrypted_tables():
            for page in _pages(
                engine, encrypted_table, partial(page_to_reencrypt, current_key_id=self.field_cipher.current.key_id)
            ):
                self._reencrypt_page(engine, encrypted_table, page, counts)
                progress(len(page))
        for engine in (self.spool, self.database):
            with engine.connect() as connection:
                truncate_wal(connection)
        return counts

    def key_use(self) -> EncryptionKeyUse:
        """Return what is encrypted with which key at present."""
        key_use = EncryptionKeyUse(Counter(), Counter())
        for table in SPOOL_TABLES:
            for entries in self._spool_pages(table):
                for _, text in entries:
                    _count_keys(RecordRows.from_json(text), key_use)
        for engine, encrypted_table in self._encrypted_tables():
            for page in _pages(engine, encrypted_table, page_of_key_ids):
                for row in page:
                    ids = [row[f"of_{name}"] for name in encrypted_table.columns]
                    key_use.sealed.update(key_id.hex() for key_id in ids if key_id is not None)
                    if encrypted_table.fingerprint:
                        key_use.fingerprints[row["of_fingerprint"]] += 1
        return key_use

    def _encrypted_tables(self) -> Iterator[tuple[Engine, EncryptedTable]]:
        for encrypted_table in ENCRYPTED_TABLES:
            if encrypted_table.table is idempotency:
                yield self.spool, encrypted_table
            yield self.database, encrypted_table

    def _spool_pages(self, table: Table) -> Iterator[list[tuple[int, str]]]:
        last_sequence = 0
        while page := self._page_of_spooled(table, last_sequence):
            yield page
            last_sequence = page[-1][0]

    def _page_of_spooled(self, table: Table, after: int) -> list[tuple[int, str]]:
        with begin_reading(self.spool) as connection:
            return page_of_spooled(connection, table, after, PAGE_ROWS)

    def _reencrypt_spooled(self, table: Table, entries: Sequence[tuple[int, str]], counts: ReencryptionCounts) -> None:
        changed = []
        for sequence, text in entries:
            rows = RecordRows.from_json(text)
            if (new_rows := self._reencrypt_rows(rows, counts)) != rows:
                changed.append({"at": sequence, "old_value": text, "new_value": new_rows.to_json()})
        if changed:
            with begin_writing(self.spool) as connection:
                replace_spooled(connection, table, changed)

    def _reencrypt_page(
        self, engine: Engine, encrypted_table: EncryptedTable, page: Sequence[RowMapping], counts: ReencryptionCounts
    ) -> None:
        for name, context_name in encrypted_table.columns.items():
            changed = []
            for row in page:
                row_context = encryption_context(*(row[part] for part in encrypted_table.context_columns), context_name)
                if (
                    row[name] is not None
                    and (new_value := self._reencrypt_value(row[name], row_context, counts)) != row[name]
                ):
                    changed.append(
                        {**_key_parameters(encrypted_table, row), "old_value": row[name], "new_value": new_value}
                    )
            if changed:
                with begin_writing(engine) as connection:
                    replace_encrypted(connection, encrypted_table, name, changed)

    def _reencrypt_rows(self, rows: RecordRows, counts: ReencryptionCounts) -> RecordRows:
        """Return the same rows with re-encrypted values."""
        inserts: dict[str, Sequence[Mapping[str, Any]]] = dict(rows.inserts)
        for encrypted_table in ENCRYPTED_TABLES:
            inserts |= {
                table: tuple(self._reencrypt_row(encrypted_table, row, counts) for row in table_rows)
                for table, table_rows in rows.inserts.items()
                if table == encrypted_table.table.name
            }
        finish = None if rows.finish is None else self._reencrypt_finish(rows.finish, counts)
        return dataclasses.replace(rows, inserts=inserts, finish=finish)

    def _reencrypt_row(
        self, encrypted_table: EncryptedTable, row: Mapping[str, Any], counts: ReencryptionCounts
    ) -> Mapping[str, Any]:
        row_context = [row[part] for part in encrypted_table.context_columns]
        new_values = {
            name: self._reencrypt_value(row[name], encryption_context(*row_context, context_name), counts)
            for name, context_name in encrypted_table.columns.items()
            if row.get(name) is not None
        }
        return {**row, **new_values}

    def _reencrypt_finish(self, finish: FinishedClaim, counts: ReencryptionCounts) -> FinishedClaim:
        row_context = encryption_context(finish.tenant, finish.subject, finish.key, "answer")
        committed, spooled = (
            self._reencrypt_value(value, row_context, counts) for value in (finish.committed, finish.spooled)
        )
        return dataclasses.replace(finish, committed=committed, spooled=spooled)

    def _reencrypt_value(self, value: bytes, row_context: bytes, counts: ReencryptionCounts) -> bytes:
        if read_key_id(value) == self.field_cipher.current.key_id:
            return value
        try:
            new_value = self.field_cipher.encrypt(self.field_cipher.decrypt(value, row_context), row_context)
        except (ConfigurationError, DataError):
            counts.unreadable += 1
            return value
        counts.values += 1
        return new_value


def _pages(
    engine: Engine, encrypted_table: EncryptedTable, read: Callable[..., Sequence[RowMapping]]
) -> Iterator[Sequence[RowMapping]]:
    after = None
    while True:
        with begin_reading(engine) as connection:
            page = read(connection, encrypted_table, after=after, at_most=PAGE_ROWS)
        if not page:
            return
        yield page
        after = [page[-1][column.name] for column in encrypted_table.key]


def _key_parameters(encrypted_table: EncryptedTable, row: RowMapping) -> dict[str, Any]:
    return {f"of_{column.name}": row[column.name] for column in encrypted_table.key}


def _count_keys(rows: RecordRows, key_use: EncryptionKeyUse) -> None:
    for encrypted_table in ENCRYPTED_TABLES:
        for row in rows.inserts.get(encrypted_table.table.name, ()):
            key_use.sealed.update(
                read_key_id(row[name]).hex() for name in encrypted_table.columns if row.get(name) is not None
            )
    if rows.finish is not None:
        key_use.sealed.update(read_key_id(value).hex() for value in (rows.finish.committed, rows.finish.spooled))
        key_use.fingerprints[rows.finish.fingerprint.partition(":")[0]] += 1
