"""Revocation of single tokens and of a subject's tokens, for one tenant or all, including cached tokens."""

from __future__ import annotations

import time

import pytest

from frontdesk.config import SecuritySettings
from frontdesk.errors import Forbidden, Unauthenticated
from frontdesk.security.authentication import ANONYMOUS, Authenticator
from frontdesk.security.revocations import Revocation, Revocations
from frontdesk.security.token_keys import SigningKey
from frontdesk.security.tokens import InactiveToken, issue_token, verify_token
from frontdesk.types import Caller
from tests.support.forged_tokens import Forger
from tests.support.keyrings import Keyring

KEY = SigningKey(kid="0a1b2c3d", secret=b"k" * 32)
SETTINGS = SecuritySettings()
NOW = int(time.time())


def token(jti: str = "one", subject: str = "demo", tenant: str = "acme", at: int = NOW) -> str:
    identity = {"subject": subject, "tenant": tenant, "scopes": ["answer"]}
    return issue_token(KEY, SETTINGS, **identity, ttl_s=600, now=at, jti=jti)


async def accepted(authenticator: Authenticator, token: str) -> bool:
    try:
        await authenticator.authenticate(f"Bearer {token}", "answer")
    except InactiveToken:
        return False
    return True


async def test_a_cached_token_is_refused_after_its_revocation() -> None:
    revocations = Revocations()
    authenticator = Authenticator(Keyring(KEY), SETTINGS, revocations)
    assert await accepted(authenticator, token())
    revocations.replace([Revocation("acme", "one", "demo")])
    assert not await accepted(authenticator, token())
    assert await accepted(authenticator, token("two"))
    revocations.replace([])
    assert await accepted(authenticator, token())


@pytest.mark.parametrize(("tenant", "is_accepted"), [("acme", False), ("", False), ("other", True)])
async def test_a_revocation_holds_for_its_tenant_or_for_all(tenant: str, is_accepted: bool) -> None:
    by_id = Revocations([Revocation(tenant, "one", "")])
    by_subject = Revocations([Revocation(tenant, "", "demo", NOW + 1)])
    for revocations in (by_id, by_subject):
        assert await accepted(Authenticator(Keyring(KEY), SETTINGS, revocations), token()) is is_accepted


async def test_a_subjects_later_tokens_and_other_subjects_are_not_revoked() -> None:
    authenticator = Authenticator(Keyring(KEY), SETTINGS, Revocations([Revocation("acme", "", "demo", NOW)]))
    assert not await accepted(authenticator, token(at=NOW - 1))
    assert await accepted(authenticator, token(at=NOW))
    assert await accepted(authenticator, token(subject="somebody else", at=NOW - 1))


async def test_a_token_without_a_jti_is_revoked_by_its_digest() -> None:
    old = Forger(KEY, NOW).forge()
    other = Forger(KEY, NOW).with_claims(sub="other")
    revoked = verify_token(old, Keyring(KEY), SETTINGS).token_id
    authenticator = Authenticator(Keyring(KEY), SETTINGS, Revocations([Revocation("acme", revoked, "")]))
    assert revoked.startswith("sha256:")
    assert not await accepted(authenticator, old)
    assert await accepted(authenticator, other)


@pytest.mark.parametrize("jti", [7, "", ["a"], None, "x" * 201, "a\nb"])
async def test_an_unusable_jti_counts_as_missing(jti: object) -> None:
    assert verify_token(Forger(KEY, NOW).with_claims(jti=jti), Keyring(KEY), SETTINGS).token_id.startswith("sha256:")


async def test_a_refusal_has_its_caller_if_the_signature_is_valid() -> None:
    refusals: list[tuple[Caller, str, str]] = []
    revocations = Revocations([Revocation("acme", "one", "")])
    authenticator = Authenticator(Keyring(KEY), SETTINGS, revocations, lambda *refusal: refusals.append(refusal))
    forged = Forger(SigningKey(KEY.kid, b"o" * 32), NOW).forge()
    for refused, scope in ((token(), "answer"), (token("two"), "admin"), (token("3", at=NOW - 9999), "answer")):
        with pytest.raises((Forbidden, Unauthenticated)):
            await authenticator.authenticate(f"Bearer {refused}", scope, "/v1/x")
    for header in (f"Bearer {forged}", "Bearer x", None, "Basic x"):
        with pytest.raises(Unauthenticated):
            await authenticator.authenticate(header, "answer", "/v1/x")
    assert [(caller.tenant, caller.subject, route, reason) for caller, route, reason in refusals] == [
        ("acme", "demo", "/v1/x", "the token was revoked"),
        ("acme", "demo", "/v1/x", "the scope admin is missing"),
        ("acme", "demo", "/v1/x", "the token lapsed"),
        *[(ANONYMOUS.tenant, ANONYMOUS.subject, "/v1/x", "the token is not valid")] * 2,
    ]


def test_a_lifetime_beyond_the_limit_is_refused_for_every_issuer() -> None:
    longest = SETTINGS.token_max_ttl_s
    assert longest == 90 * 86_400
    good = Forger(KEY, NOW).with_claims(exp=NOW + longest)
    assert verify_token(good, Keyring(KEY), SETTINGS).caller.subject == "demo"
    for claims in ({"exp": NOW + longest + 1}, {"exp": NOW + 31_536_000_000}, {"iat": NOW - longest, "nbf": NOW}):
        with pytest.raises(InactiveToken, match="life"):
            verify_token(Forger(KEY, NOW).with_claims(**claims), Keyring(KEY), SETTINGS)
    raised = SecuritySettings(token_max_ttl_s=longest + 1)
    assert (
        verify_token(Forger(KEY, NOW).with_claims(exp=NOW + longest + 1), Keyring(KEY), raised).caller.subject == "demo"
    )
