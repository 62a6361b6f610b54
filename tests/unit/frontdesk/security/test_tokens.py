"""Issued tokens are accepted; all others are refused with a message that contains no part of the token."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.config import SecuritySettings
from frontdesk.errors import ConfigurationError, Unauthenticated
from frontdesk.security.token_keys import SigningKey
from frontdesk.security.tokens import MAX_TOKEN_CHARACTERS, SCOPES, issue_token, verify_token
from frontdesk.types import Caller
from tests.support.forged_tokens import OTHER, Forger, forged_tokens
from tests.support.keyrings import Keyring

NOW = 1_800_000_000
KEY = SigningKey(kid="0a1b2c3d", secret=b"k" * 32)
SETTINGS = SecuritySettings()
RING = Keyring(KEY)
FORGER = Forger(KEY, NOW)
forge, with_header, with_claims, without = FORGER.forge, FORGER.with_header, FORGER.with_claims, FORGER.without
GOOD = forge()
REFUSED = forged_tokens(KEY, NOW)


@pytest.mark.parametrize("name", REFUSED)
def test_a_forged_or_stale_token_is_refused(name: str) -> None:
    token = REFUSED[name]
    with pytest.raises(Unauthenticated) as raised:
        verify_token(token, RING, SETTINGS, now=NOW)
    assert raised.value.hint == "Get a token with: frontdesk token"
    assert raised.value.message.endswith(".")
    assert not any(piece in str(raised.value) for piece in token.split(".") if len(piece) > 5)


def test_the_token_that_all_forgeries_start_from_is_accepted() -> None:
    caller = verify_token(GOOD, RING, SETTINGS, now=NOW).caller
    assert caller == Caller(tenant="acme", subject="demo", scopes=frozenset({"understand", "answer"}))


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": NOW - 29},
        {"nbf": NOW + 30},
        {"iat": NOW + 30},
        {"sub": "s" * 200},
        {"sub": "Tomáš Ek"},
        {"tenant": "t" * 64},
        {"tenant": "a.B_c-9"},
        {"scope": "admin"},
        {"jti": "unknown claims are nobody's business"},
    ],
)
def test_a_token_at_the_edge_of_what_is_allowed_is_accepted(claims: dict[str, Any]) -> None:
    assert verify_token(with_claims(**claims), RING, SETTINGS, now=NOW).caller.tenant


def test_leeway_comes_from_the_settings() -> None:
    strict = SecuritySettings(leeway_s=0)
    with pytest.raises(Unauthenticated, match="expired"):
        verify_token(with_claims(exp=NOW), RING, strict, now=NOW)


def test_issuer_and_audience_come_from_the_settings() -> None:
    other = SecuritySettings(issuer="desk-two", audience="desk-two")
    with pytest.raises(Unauthenticated, match="iss"):
        verify_token(GOOD, RING, other, now=NOW)
    assert verify_token(with_claims(iss="desk-two", aud="desk-two"), RING, other, now=NOW).caller.subject == "demo"


@pytest.mark.parametrize(
    ("token", "message"),
    [
        (with_claims(exp=NOW - 60), "expired"),
        (with_claims(nbf=NOW + 60), "not valid yet"),
        (with_header(alg="none"), "not signed with HS256"),
        (forge(secret=OTHER.secret), "the key that it names"),
        (with_header(kid="ffffffff"), "another key"),
        (with_header(jku="https://evil.example"), "jku"),
        (without("tenant"), "tenant"),
        ("x" * (MAX_TOKEN_CHARACTERS + 1), "longer than 4096"),
    ],
)
def test_a_refusal_has_the_reason(token: str, message: str) -> None:
    with pytest.raises(Unauthenticated, match=message):
        verify_token(token, RING, SETTINGS, now=NOW)


@given(st.text(max_size=200))
def test_any_other_text_is_refused_without_another_error(text: str) -> None:
    with pytest.raises(Unauthenticated):
        verify_token(text, RING, SETTINGS, now=NOW)


@given(st.integers(0, len(GOOD) - 1), st.sampled_from("AZaz09-_"))
def test_a_changed_character_is_refused(at: int, character: str) -> None:
    changed = GOOD[:at] + character + GOOD[at + 1 :]
    if changed != GOOD:
        with pytest.raises(Unauthenticated):
            verify_token(changed, RING, SETTINGS, now=NOW)


def issue(**changes: Any) -> str:
    arguments = {"subject": "demo", "tenant": "acme", "scopes": ["understand"], "ttl_s": 60, "now": NOW, **changes}
    return issue_token(KEY, SETTINGS, **arguments)


def test_an_issued_token_is_accepted_until_it_expires() -> None:
    token = issue(scopes=SCOPES)
    assert verify_token(token, RING, SETTINGS, now=NOW).caller == Caller("acme", "demo", frozenset(SCOPES))
    assert verify_token(token, RING, SETTINGS, now=NOW + 60 + 29).caller.subject == "demo"
    with pytest.raises(Unauthenticated, match="expired"):
        verify_token(token, RING, SETTINGS, now=NOW + 60 + 30)


def test_an_issued_token_is_valid_now() -> None:
    assert verify_token(issue(now=None), RING, SETTINGS).caller.tenant == "acme"


@pytest.mark.parametrize(
    "changes",
    [{"scopes": ["root"]}, {"scopes": []}, {"tenant": "a b"}, {"tenant": ""}, {"subject": ""}, {"subject": "a\nb"}],
)
def test_a_token_that_would_be_refused_is_not_issued(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        issue(**changes)


def test_there_are_more_than_sixty_forgeries() -> None:
    assert len(set(REFUSED.values())) == len(REFUSED) > 60
