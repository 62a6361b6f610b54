"""Authentication: which headers and scopes are accepted."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from frontdesk.config import SecuritySettings
from frontdesk.errors import Forbidden, Unauthenticated
from frontdesk.security.authentication import Authenticator
from frontdesk.security.key_store import KeyFiles, KeyPurpose
from frontdesk.security.token_keys import LocalTokenKeys, SigningKey, load_signing_key
from frontdesk.security.tokens import MAX_TOKEN_CHARACTERS, issue_token
from tests.support.keyrings import Keyring

KEY = SigningKey(kid="0a1b2c3d", secret=b"k" * 32)
SETTINGS = SecuritySettings()
AUTHENTICATOR = Authenticator(Keyring(KEY), SETTINGS)
TOKEN = issue_token(KEY, SETTINGS, subject="demo", tenant="acme", scopes=["understand", "feedback"], ttl_s=3600)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
async def test_the_scheme_may_be_in_any_case(scheme: str) -> None:
    caller = await AUTHENTICATOR.authenticate(f"{scheme} {TOKEN}", "understand")
    assert (caller.tenant, caller.subject) == ("acme", "demo")
    assert caller.scopes == {"understand", "feedback"}


async def test_spaces_around_the_token_are_allowed() -> None:
    assert (await AUTHENTICATOR.authenticate(f"Bearer  {TOKEN} ", "feedback")).tenant == "acme"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        " ",
        "Bearer",
        "Bearer ",
        TOKEN,
        f"Basic {TOKEN}",
        "Basic ZGVtbzpkZW1v",
        f"Digest {TOKEN}",
        f"Token {TOKEN}",
        f"Bearer:{TOKEN}",
        f"Bearer={TOKEN}",
        f"Bearer\t{TOKEN}",
        f" Bearer {TOKEN}",
        f"Bearer Bearer {TOKEN}",
        f"Bearer {TOKEN} {TOKEN}",
        f"Bearer {TOKEN}, Bearer {TOKEN}",
        f"Bearer {TOKEN},",
        f'Bearer "{TOKEN}"',
        f"Bearer {TOKEN}\r\nX-Tenant: other",
        f"Bearer {TOKEN[:-1]}",
        f"Ｂearer {TOKEN}",
        "Bearer " + "a" * MAX_TOKEN_CHARACTERS * 250,
        "Bearer null",
    ],
)
async def test_a_header_without_a_good_token_is_refused_with_a_hint(header: str | None) -> None:
    with pytest.raises(Unauthenticated) as raised:
        await AUTHENTICATOR.authenticate(header, "understand")
    assert raised.value.hint == "Get a token with: frontdesk token"
    assert TOKEN not in str(raised.value)


async def test_a_missing_scope_is_forbidden_and_named() -> None:
    with pytest.raises(Forbidden, match="analytics:read"):
        await AUTHENTICATOR.authenticate(f"Bearer {TOKEN}", "analytics:read")


@pytest.mark.parametrize("scope", ["under", "understand feedback", "", "UNDERSTAND"])
async def test_a_part_of_a_scope_is_not_the_scope(scope: str) -> None:
    with pytest.raises(Forbidden):
        await AUTHENTICATOR.authenticate(f"Bearer {TOKEN}", scope)


async def test_admin_does_not_include_other_scopes() -> None:
    admin = issue_token(KEY, SETTINGS, subject="demo", tenant="acme", scopes=["admin"], ttl_s=60)
    with pytest.raises(Forbidden):
        await AUTHENTICATOR.authenticate(f"Bearer {admin}", "understand")


async def test_an_expired_token_is_refused() -> None:
    expired = issue_token(
        KEY, SETTINGS, subject="demo", tenant="acme", scopes=["understand"], ttl_s=60, now=1_000_000_000
    )
    with pytest.raises(Unauthenticated, match="expired"):
        await AUTHENTICATOR.authenticate(f"Bearer {expired}", "understand")


def test_the_repr_of_an_authenticator_hides_the_secret() -> None:
    assert "kkkk" not in repr(AUTHENTICATOR)


async def test_a_cached_token_is_refused_after_it_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    authenticator = Authenticator(Keyring(KEY), SETTINGS)
    now = time.time()
    token = issue_token(KEY, SETTINGS, subject="demo", tenant="acme", scopes=("answer",), ttl_s=60, now=now)
    assert (await authenticator.authenticate(f"Bearer {token}", "answer")).tenant == "acme"
    monkeypatch.setattr(time, "time", lambda: now + 60 + SETTINGS.leeway_s - 1)
    assert (await authenticator.authenticate(f"Bearer {token}", "answer")).tenant == "acme"
    monkeypatch.setattr(time, "time", lambda: now + 60 + SETTINGS.leeway_s + 1)
    with pytest.raises(Unauthenticated, match="expired"):
        await authenticator.authenticate(f"Bearer {token}", "answer")


async def test_a_cached_token_still_needs_the_scope_of_each_route() -> None:
    authenticator = Authenticator(Keyring(KEY), SETTINGS)
    token = issue_token(KEY, SETTINGS, subject="demo", tenant="acme", scopes=("answer",), ttl_s=60)
    await authenticator.authenticate(f"Bearer {token}", "answer")
    with pytest.raises(Forbidden):
        await authenticator.authenticate(f"Bearer {token}", "admin")


async def test_more_tokens_than_the_cache_holds_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("frontdesk.security.authentication.MAX_CACHED_TOKENS", 3)
    authenticator = Authenticator(Keyring(KEY), SETTINGS)
    tokens = [
        issue_token(KEY, SETTINGS, subject=f"s{n}", tenant="acme", scopes=("answer",), ttl_s=60) for n in range(10)
    ]
    callers = [await authenticator.authenticate(f"Bearer {token}", "answer") for token in tokens * 2]
    assert [caller.subject for caller in callers] == [f"s{n}" for n in range(10)] * 2


async def test_a_rotated_key_verifies_until_it_is_retired(tmp_path: Path) -> None:
    first = load_signing_key(tmp_path)
    authenticator = Authenticator(LocalTokenKeys(tmp_path), SETTINGS)
    old = issue_token(first, SETTINGS, subject="demo", tenant="acme", scopes=("answer",), ttl_s=60)
    assert (await authenticator.authenticate(f"Bearer {old}", "answer")).tenant == "acme"
    KeyFiles(tmp_path, KeyPurpose.SIGNING).rotate()
    new = issue_token(load_signing_key(tmp_path), SETTINGS, subject="demo", tenant="acme", scopes=("answer",), ttl_s=60)
    for token in (new, old):
        assert (await authenticator.authenticate(f"Bearer {token}", "answer")).tenant == "acme"
    KeyFiles(tmp_path, KeyPurpose.SIGNING).retire(first.kid)
    await authenticator.keys.refetch()
    with pytest.raises(Unauthenticated, match="another key"):
        await authenticator.authenticate(f"Bearer {old}", "answer")
    assert (await authenticator.authenticate(f"Bearer {new}", "answer")).tenant == "acme"
