"""After a rotation every encrypted value is re-encrypted, on both databases and in the spool, while servers run."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, LargeBinary, insert, select, update

from frontdesk.errors import IdempotencyKeyReused
from frontdesk.security.field_encryption import AesGcmFieldCipher, open_field_cipher, read_field_cipher, read_key_id
from frontdesk.security.key_store import KeyFiles, KeyPurpose
from frontdesk.storage.database import begin_reading, begin_writing, migrate, open_database
from frontdesk.storage.record_rows import RecordRows, RowBuilder, answer_json, decrypt_original, encryption_context
from frontdesk.storage.spool.spool_file import Spool
from frontdesk.storage.sql.encrypted_columns import ENCRYPTED_TABLES
from frontdesk.storage.sql.idempotency import finish_claim
from frontdesk.storage.sql.records import insert_rows
from frontdesk.storage.sql.reencryption import PAGE_ROWS, EncryptionKeyUse, ReencryptionJob
from frontdesk.storage.sql.spool import add_to_spool, refused
from frontdesk.storage.tables import idempotency, metadata, queries
from frontdesk.storage.writes.idempotency import request_identity
from frontdesk.types import Claim, EarlierAnswer
from tests.support.records import RAW_TEXT, record
from tests.support.worker_storage import open_worker_storage

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    migrate(database_url)
    opened = open_database(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    opened = Spool.open(tmp_path / "home")
    yield opened
    opened.close()


@pytest.fixture
def files(tmp_path: Path) -> KeyFiles:
    return KeyFiles(tmp_path / "keys", KeyPurpose.FIELD_ENCRYPTION)


def made(files: KeyFiles, key: str | None = None) -> RecordRows:
    """Rows of a request, whose Idempotency-Key may be `key`."""
    field_cipher, request = open_field_cipher(files.folder), record()
    claim = key and Claim(
        f"claim-{key}", key, field_cipher.fingerprint(request_identity("answer", request.query)), "committed"
    )
    return RowBuilder(field_cipher).rows(dataclasses.replace(request, claim=claim or None))


def store(engine: Engine, *kept: RecordRows) -> None:
    with begin_writing(engine) as connection:
        insert_rows(connection, kept)
        for rows in kept:
            if rows.finish is not None:
                finish_claim(connection, rows.finish, rows.finish.committed)


def fill(engine: Engine, spool: Spool, files: KeyFiles) -> None:
    """Store a value in every place that can hold one."""
    store(engine, made(files), made(files, "one"))
    with begin_writing(spool.engine) as connection:
        waiting, never = made(files, "three"), made(files, "four")
        add_to_spool(connection, [waiting], NOW)
        row = {"sequence": 99, "rows": never.to_json(), "error": "DataError", "refused_at": NOW}
        connection.execute(insert(refused), row)
        assert waiting.finish is not None
        finish_claim(connection, waiting.finish, waiting.finish.spooled)


def job(engine: Engine, spool: Spool, files: KeyFiles) -> ReencryptionJob:
    return ReencryptionJob(engine, spool.engine, read_field_cipher(files.folder))


def test_every_column_that_can_hold_encrypted_values_is_processed() -> None:
    binary = {
        (table.name, column.name)
        for table in metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    assert {(sealed.table.name, name) for sealed in ENCRYPTED_TABLES for name in sealed.columns} == binary


def test_after_a_rotation_and_the_job_nothing_needs_the_old_key(engine: Engine, spool: Spool, files: KeyFiles) -> None:
    fill(engine, spool, files)
    old = files.active().kid
    new = files.rotate().kid
    before = job(engine, spool, files).key_use()
    observed: list[int] = []
    process = job(engine, spool, files).run(observed.append)

    key_use = job(engine, spool, files).key_use()
    assert (before.sealed, before.fingerprints) == ({old: 14}, {old: 4})
    assert (process.values, process.unreadable) == (14, 0)
    assert (key_use.sealed, key_use.fingerprints) == ({new: 14}, {old: 4})
    assert sum(observed) == job(engine, spool, files).count_rows_to_process()

    field_cipher = dataclasses.replace(read_field_cipher(files.folder), earlier={})
    with begin_reading(engine) as connection:
        for row in connection.execute(select(queries)):
            assert decrypt_original(field_cipher, row.query_sealed, row.tenant, row.id, "query_text") == RAW_TEXT
            assert "4711-0815" in str(
                decrypt_original(field_cipher, row.response_sealed, row.tenant, row.id, "response_text")
            )
        (stored,) = connection.execute(select(idempotency)).all()
    opened = field_cipher.decrypt(
        stored.answer_sealed, encryption_context(stored.tenant, stored.subject, stored.key, "answer")
    )
    assert json.loads(opened)["query_id"] == stored.query_id
    for waiting in spool.oldest(10):
        (row,) = waiting.rows.inserts["queries"]
        assert decrypt_original(field_cipher, row["query_sealed"], row["tenant"], row["id"], "query_text") == RAW_TEXT


def test_a_stopped_job_processes_the_remaining_values_when_it_runs_again(
    engine: Engine, spool: Spool, files: KeyFiles
) -> None:
    store(engine, *(made(files) for _ in range(PAGE_ROWS + 20)))
    files.rotate()

    def stop(_rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        job(engine, spool, files).run(stop)
    process = job(engine, spool, files).run()
    assert process.values == 2 * 20
    assert job(engine, spool, files).run().values == 0


def test_a_value_that_changes_during_the_job_is_not_overwritten(engine: Engine, spool: Spool, files: KeyFiles) -> None:
    erased, other = made(files), made(files)
    store(engine, erased, other)
    files.rotate()

    class Meddling(AesGcmFieldCipher):
        def decrypt(self, sealed: bytes, place: bytes) -> bytes:
            with begin_writing(engine) as connection:
                connection.execute(update(queries).where(queries.c.id == erased.id).values(query_sealed=None))
            return super().decrypt(sealed, place)

    field_cipher = read_field_cipher(files.folder)
    ReencryptionJob(engine, spool.engine, Meddling(field_cipher.current, field_cipher.earlier)).run()
    with begin_reading(engine) as connection:
        results = {row.id: row.query_sealed for row in connection.execute(select(queries))}
    assert results[erased.id] is None
    assert read_key_id(results[other.id]) == field_cipher.current.key_id


def test_values_that_cannot_be_decrypted_stay_and_are_counted(engine: Engine, spool: Spool, files: KeyFiles) -> None:
    damaged = made(files)
    store(engine, damaged, made(files))
    with begin_writing(engine) as connection:
        connection.execute(
            update(queries).where(queries.c.id == damaged.id).values(query_sealed=b"\x01lostand nothing")
        )
    files.rotate()
    process = job(engine, spool, files).run()
    assert (process.values, process.unreadable) == (3, 1)
    assert job(engine, spool, files).key_use().sealed[b"lost".hex()] == 1


async def test_an_answer_is_replayed_byte_for_byte_over_a_rotation_and_the_job(
    database_url: str, engine: Engine, spool: Spool, files: KeyFiles, tmp_path: Path
) -> None:
    request = record()
    with open_worker_storage(database_url, tmp_path / "home", field_cipher=open_field_cipher(files.folder)) as desk:
        claim = await desk.keys.acquire("k", "answer", request.query, request.caller)
        assert isinstance(claim, Claim)
        await desk.recorder.store(dataclasses.replace(request, claim=claim))
        first = await desk.keys.acquire("k", "answer", request.query, request.caller)
        assert isinstance(first, EarlierAnswer)
        for step in (
            files.rotate,
            job(engine, spool, files).run,
            files.rotate,
            lambda: job(engine, spool, files).run(),
        ):
            step()
            again = await desk.keys.acquire("k", "answer", request.query, request.caller)
            assert isinstance(again, EarlierAnswer)
            assert answer_json(again) == answer_json(first)
        with pytest.raises(IdempotencyKeyReused):
            await desk.keys.acquire("k", "answer", dataclasses.replace(request.query, text="another"), request.caller)
        assert set(job(engine, spool, files).key_use().sealed) == {files.active().kid}


def test_a_key_is_needed_by_encrypted_values_and_by_fingerprints() -> None:
    from collections import Counter

    from cli.keys import reason_to_keep

    key_use = EncryptionKeyUse(Counter(a=2), Counter(b=1))
    assert "2 values" in reason_to_keep(key_use, "a")
    assert "1 Idempotency-Keys" in reason_to_keep(key_use, "b")
    assert reason_to_keep(key_use, "c") == ""
