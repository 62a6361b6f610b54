"""Revoked tokens in real databases: every process reads them, and they stay in force during a database outage."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from bentos.worker.revocations import RevocationTarget, RevocationWatch, insert_revocation, target_from_token
from cli.token import mint_token
from frontdesk.config import SecuritySettings, Settings, StorageSettings
from frontdesk.errors import InvalidQuery
from frontdesk.security.authentication import Authenticator
from frontdesk.security.revocations import Revocations
from frontdesk.security.token_keys import LocalTokenKeys, SigningKey
from frontdesk.security.tokens import InactiveToken, issue_token
from frontdesk.storage.database import begin_reading, begin_writing, migrate, open_database
from frontdesk.storage.sql import revoked_tokens as statements
from frontdesk.storage.sql.revoked_tokens import all_revoked_tokens
from tests.support.keyrings import Keyring

SETTINGS = SecuritySettings()
KEY = SigningKey(kid="0a1b2c3d", secret=b"k" * 32)
NOW = int(time.time())


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    migrate(database_url)
    opened = open_database(database_url)
    yield opened
    opened.dispose()


def revoke(engine: Engine, revoked: RevocationTarget) -> None:
    with begin_writing(engine) as connection:
        insert_revocation(connection, revoked, SETTINGS)


def until(met: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 10
    while not met():
        assert time.monotonic() < give_up, "it did not happen"
        time.sleep(0.02)


def test_another_process_reads_a_revocation_and_keeps_it_during_a_database_outage(engine: Engine) -> None:
    revocations = Revocations()
    watch = RevocationWatch(engine, revocations, 0.05)
    revoke(engine, RevocationTarget("acme", jti="one", subject="demo"))
    revoke(engine, RevocationTarget("acme", subject="agent"))
    until(lambda: revocations.is_revoked("acme", "demo", "one", NOW))
    until(lambda: revocations.is_revoked("acme", "agent", "any", NOW))
    assert not revocations.is_revoked("acme", "agent", "any", int(time.time()) + 3600)
    assert not revocations.is_revoked("other", "demo", "one", NOW)

    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE revoked_tokens RENAME TO away"))
    time.sleep(0.3)
    assert revocations.is_revoked("acme", "demo", "one", NOW)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO revoked_tokens"))
    revoke(engine, RevocationTarget("", jti="two"))
    until(lambda: revocations.is_revoked("any tenant", "any", "two", NOW))
    watch.close()


@pytest.mark.parametrize("ahead_s", [0, 1, SETTINGS.leeway_s])
async def test_every_token_that_is_accepted_when_its_subject_is_revoked_is_refused_from_then_on(
    engine: Engine, ahead_s: int
) -> None:
    """Includes a token of an issuer whose clock is ahead by the tolerated leeway."""
    now = int(time.time())
    token = issue_token(KEY, SETTINGS, subject="demo", tenant="acme", scopes=["answer"], ttl_s=600, now=now + ahead_s)
    revocations = Revocations()
    authenticator = Authenticator(Keyring(KEY), SETTINGS, revocations)
    await authenticator.authenticate(f"Bearer {token}", "answer")
    revoke(engine, RevocationTarget("acme", subject="demo"))
    RevocationWatch(engine, revocations, 60.0).close()
    with pytest.raises(InactiveToken, match="revoked"):
        await authenticator.authenticate(f"Bearer {token}", "answer")


async def test_a_token_that_is_minted_after_a_revocation_is_accepted_and_revoked_by_the_next(
    database_url: str, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path, storage=StorageSettings(url=database_url))
    identity = {"subject": "demo", "tenant": "acme", "scopes": ["answer"], "ttl_s": 600}
    migrate(database_url)
    engine, revocations = open_database(database_url), Revocations()
    authenticator = Authenticator(LocalTokenKeys(settings.keys), settings.security, revocations)
    watch = RevocationWatch(engine, revocations, 60.0)
    for tenant in ("acme", ""):
        revoke(engine, RevocationTarget(tenant, subject="demo"))
        watch.refresh()
        token = mint_token(settings, **identity)
        await authenticator.authenticate(f"Bearer {token}", "answer")
        revoke(engine, RevocationTarget(tenant, subject="demo"))
        watch.refresh()
        with pytest.raises(InactiveToken, match="revoked"):
            await authenticator.authenticate(f"Bearer {token}", "answer")
    watch.close()
    engine.dispose()


def test_a_token_is_revoked_until_it_would_expire_and_then_its_row_is_deleted(engine: Engine) -> None:
    token = issue_token(KEY, SETTINGS, subject="demo", tenant="acme", scopes=["answer"], ttl_s=600)
    revoked = target_from_token(token, Keyring(KEY), SETTINGS)
    revoke(engine, revoked)
    revoke(engine, revoked)
    revoke(engine, RevocationTarget("acme", jti="old", expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    with begin_reading(engine) as connection:
        rows = {row["jti"]: row for row in all_revoked_tokens(connection)}
    assert set(rows) == {revoked.jti, "old"}
    assert 600 <= (rows[revoked.jti]["expires_at"] - datetime.now(UTC)).total_seconds() <= 600 + SETTINGS.leeway_s
    revoke(engine, RevocationTarget("acme", jti="another"))
    with begin_reading(engine) as connection:
        assert {row["jti"] for row in all_revoked_tokens(connection)} == {revoked.jti, "another"}


def test_revoking_an_invalid_token_is_an_error() -> None:
    old = issue_token(KEY, SETTINGS, subject="demo", tenant="acme", scopes=["answer"], ttl_s=60, now=1_000_000_000)
    with pytest.raises(InvalidQuery, match="expired"):
        target_from_token(old, Keyring(KEY), SETTINGS)


def test_a_tenant_cannot_fill_the_memory_of_the_servers(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "MAX_REVOKED", 3)
    for number in range(3):
        revoke(engine, RevocationTarget("acme", jti=str(number)))
    with pytest.raises(InvalidQuery, match="3 revocations"):
        revoke(engine, RevocationTarget("acme", jti="one too many"))
    revoke(engine, RevocationTarget("acme", jti="2"))
    revoke(engine, RevocationTarget("other", jti="of another tenant"))
