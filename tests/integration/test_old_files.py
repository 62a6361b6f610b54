"""The present code opens what an earlier commit wrote: SQL dumps of its database and spool, a manifest, with fake keys.

The files in old_files were written by a server (tests/support/old_files.py) and are never written again.
`make upgrade-test FROM=COMMIT` does the same with the code of any commit.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import jwt
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text

from frontdesk.config import SecuritySettings
from frontdesk.security.field_encryption import read_field_cipher
from frontdesk.security.tokens import verify_token
from frontdesk.storage.database import migrate, open_database
from frontdesk.storage.record_rows import answer_json, decrypt_original, encryption_context, parse_earlier_answer
from frontdesk.storage.tables import metadata
from model_store.manifest import Manifest
from tests.support.command_line import invoke
from tests.support.keyrings import read_keyring
from tests.support.old_files import FAKE_KEYS, FOLDER, restore_home
from tests.support.serving import SIGNER
from tests.support.worker_storage import open_worker_storage
from tests.upgrade.old_state import PERSONAL, TENANT, TEXTS

DRAINED_WITHIN_S = 20.0


@pytest.fixture
def home(tmp_path: Path) -> Path:
    restore_home(tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def engine(home: Path) -> Iterator[Engine]:
    """The old database after the migrations."""
    migrate(url_of(home))
    engine = open_database(url_of(home))
    yield engine
    engine.dispose()


def url_of(home: Path) -> str:
    return f"sqlite:///{home / 'frontdesk.db'}"


def rows(home: Path, statement: str, database: str = "frontdesk.db") -> list[dict[str, object]]:
    with closing(sqlite3.connect(home / database)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(statement)]


def test_migrations_bring_the_old_tables_up_to_date_and_keep_all_rows(home: Path) -> None:
    names = ("queries", "customer_history", "feedback", "outbox", "idempotency", "erasures", "audit_log")
    before = {name: rows(home, f"SELECT * FROM {name}") for name in names}

    migrate(url_of(home))

    for name, old in before.items():
        now = rows(home, f"SELECT * FROM {name}")
        assert old
        assert [{column: row[column] for column in old[0]} for row in now] == old
    engine = open_database(url_of(home))
    with engine.begin() as connection:
        differing = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)
    engine.dispose()
    assert list(differing) == []


def test_stored_answers_are_read_and_written_again_byte_for_byte(engine: Engine) -> None:
    with engine.connect() as connection:
        answers = [row.answer for row in connection.execute(text("SELECT answer FROM queries WHERE answer != ''"))]

    assert len(answers) == len(TEXTS)
    for answer in answers:
        assert answer_json(parse_earlier_answer(answer.encode())).decode() == answer
        assert not any(value in answer for value in PERSONAL)


def test_encrypted_messages_replies_and_earlier_answers_open_with_the_old_key(home: Path, engine: Engine) -> None:
    field_cipher = read_field_cipher(home / "keys")
    stored = rows(home, "SELECT * FROM queries WHERE query_sealed IS NOT NULL")
    keyed = rows(home, "SELECT * FROM idempotency WHERE answer_sealed IS NOT NULL")

    opened = [
        decrypt_original(field_cipher, row["query_sealed"], TENANT, str(row["id"]), "query_text") for row in stored
    ]  # type: ignore[arg-type]
    replies = [
        decrypt_original(field_cipher, row["response_sealed"], TENANT, str(row["id"]), "response_text")
        for row in stored
    ]  # type: ignore[arg-type]
    answers = [
        json.loads(
            field_cipher.decrypt(
                row["answer_sealed"], encryption_context(TENANT, str(row["subject"]), str(row["key"]), "answer")
            )
        )  # type: ignore[arg-type]
        for row in keyed
    ]

    assert sorted(filter(None, opened)) == sorted(TEXTS)
    assert all(replies)
    assert {answer["query_id"] for answer in answers} == {row["query_id"] for row in keyed}
    assert len(answers) >= len(TEXTS)


def test_the_old_spool_is_drained_into_the_old_database(home: Path, engine: Engine) -> None:
    waiting = [row["query_id"] for row in rows(home, "SELECT query_id FROM spooled", "spool.db")]
    field_cipher = read_field_cipher(home / "keys")

    with open_worker_storage(url_of(home), home, field_cipher=field_cipher) as opened:
        give_up = time.monotonic() + DRAINED_WITHIN_S
        while opened.spool.backlog()[0]:
            assert time.monotonic() < give_up, "the spool was not drained"
            time.sleep(0.05)
        assert opened.spool.backlog() == (0, 0)

    moved = [row for row in rows(home, "SELECT * FROM queries") if row["id"] in waiting]
    assert len(moved) == len(waiting) == len(TEXTS)
    originals = [
        decrypt_original(field_cipher, row["query_sealed"], TENANT, str(row["id"]), "query_text") for row in moved
    ]  # type: ignore[arg-type]
    assert sorted(filter(None, originals)) == sorted(TEXTS)


def test_the_old_audit_log_is_intact(home: Path) -> None:
    process = invoke(home, "audit", "verify")

    assert process.returncode == 0, process.stdout + process.stderr


def test_a_changed_row_of_the_old_audit_log_is_found(home: Path) -> None:
    with closing(sqlite3.connect(home / "frontdesk.db")) as connection, connection:
        connection.execute("UPDATE audit_log SET subject = 'nobody' WHERE action = 'token.minted'")

    assert invoke(home, "audit", "verify").returncode == 1


def test_events_of_the_old_outbox_have_their_payload(engine: Engine) -> None:
    with engine.connect() as connection:
        events = list(connection.execute(text("SELECT type, payload FROM outbox")))

    assert {event.type for event in events} >= {"query.answered", "feedback.given", "customer.erased"}
    assert all(json.loads(event.payload) for event in events)


def test_a_token_of_the_old_key_is_accepted(home: Path) -> None:
    now = 1_780_000_000
    claims = {"iss": "frontdesk", "aud": "frontdesk", "sub": "agent", "tenant": TENANT, "scope": "answer feedback"}
    times = {"iat": now, "nbf": now, "exp": now + 600, "jti": "00000000-0000-7000-8000-000000000000"}
    token = jwt.encode(claims | times, FAKE_KEYS["signing.key"], "HS256", headers={"kid": "630dcd29"})

    verified = verify_token(token, read_keyring(home / "keys"), SecuritySettings(), now + 1)

    assert (verified.caller.tenant, verified.caller.subject) == (TENANT, "agent")
    assert verified.caller.scopes == {"answer", "feedback"}


def test_the_old_manifest_is_read_and_its_signature_is_the_same(tmp_path: Path) -> None:
    shutil.copy(FOLDER / "manifest.json", tmp_path)

    SIGNER.sign(tmp_path, Manifest.read(tmp_path))

    assert (tmp_path / "manifest.sig").read_text() == (FOLDER / "manifest.sig").read_text()
