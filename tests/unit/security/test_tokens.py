"""Tokens: ours are accepted, everything else is refused in one sentence that repeats none of it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.config import SecuritySettings
from frontdesk.errors import ConfigurationError, Unauthenticated
from frontdesk.security.keys import Keyring, SigningKey
from frontdesk.security.tokens import MAX_TOKEN_CHARACTERS, SCOPES, mint, verify
from frontdesk.types import Caller

NOW = 1_800_000_000
KEY = SigningKey(kid="0a1b2c3d", secret=b"k" * 32)
OTHER = SigningKey(kid="ffffffff", secret=b"o" * 32)
SETTINGS = SecuritySettings()
RING = Keyring(KEY)
HEADER = {"alg": "HS256", "typ": "JWT", "kid": KEY.kid}
CLAIMS: dict[str, Any] = {
    "iss": "frontdesk",
    "aud": "frontdesk",
    "sub": "demo",
    "tenant": "acme",
    "scope": "understand answer",
    "iat": NOW,
    "nbf": NOW,
    "exp": NOW + 3600,
}


def part(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def forge(header: object = HEADER, claims: object = CLAIMS, secret: bytes = KEY.secret, digest: str = "sha256") -> str:
    """A token made by hand, rightly signed with `secret` whatever its header and claims say."""
    signed = f"{part(header)}.{part(claims)}"
    return f"{signed}.{part(hmac.new(secret, signed.encode(), getattr(hashlib, digest)).digest())}"


def with_header(**changes: object) -> str:
    return forge(header={**HEADER, **changes})


def with_claims(**changes: object) -> str:
    return forge(claims={**CLAIMS, **changes})


def without(claim: str) -> str:
    return forge(claims={name: value for name, value in CLAIMS.items() if name != claim})


def unsigned(alg: str) -> str:
    return f"{part({**HEADER, 'alg': alg})}.{part(CLAIMS)}."


GOOD = forge()
FIRST, SECOND, SIGNATURE = GOOD.split(".")

REFUSED: dict[str, str] = {
    "alg none without a signature": unsigned("none"),
    "alg None without a signature": unsigned("None"),
    "alg NONE without a signature": unsigned("NONE"),
    "alg nOnE without a signature": unsigned("nOnE"),
    "alg none with a signature": with_header(alg="none"),
    "alg NONE with a signature": with_header(alg="NONE"),
    "alg empty": with_header(alg=""),
    "alg null": with_header(alg=None),
    "alg a list": with_header(alg=["HS256"]),
    "alg missing": forge(header={"typ": "JWT", "kid": KEY.kid}),
    "alg in another case": with_header(alg="hs256"),
    "alg with a space": with_header(alg="HS256 "),
    "RS256 with our secret as its key": with_header(alg="RS256"),
    "ES256": with_header(alg="ES256"),
    "PS256": with_header(alg="PS256"),
    "HS384 signed with our secret": forge(header={**HEADER, "alg": "HS384"}, digest="sha384"),
    "HS512 signed with our secret": forge(header={**HEADER, "alg": "HS512"}, digest="sha512"),
    "HS384 digest under HS256": forge(digest="sha384"),
    "an empty signature": f"{FIRST}.{SECOND}.",
    "no signature": f"{FIRST}.{SECOND}",
    "half a signature": GOOD[:-20],
    "a changed signature": f"{FIRST}.{SECOND}.{'A' if SIGNATURE[0] != 'A' else 'B'}{SIGNATURE[1:]}",
    "a changed claim under the old signature": f"{FIRST}.{part({**CLAIMS, 'tenant': 'other'})}.{SIGNATURE}",
    "a changed header under the old signature": f"{part({**HEADER, 'x': 1})}.{SECOND}.{SIGNATURE}",
    "another key under our kid": forge(secret=OTHER.secret),
    "an empty key": forge(secret=b""),
    "another key and its kid": forge(header={**HEADER, "kid": OTHER.kid}, secret=OTHER.secret),
    "our key under another kid": with_header(kid=OTHER.kid),
    "a kid that is a path": with_header(kid="../../dev/null"),
    "a kid that is a number": with_header(kid=1),
    "a kid that is null": with_header(kid=None),
    "no kid": forge(header={"alg": "HS256", "typ": "JWT"}),
    "crit": with_header(crit=["exp"]),
    "crit, empty": with_header(crit=[]),
    "crit with b64": with_header(crit=["b64"], b64=False),
    "b64 false without crit": with_header(b64=False),
    "jku": with_header(jku="https://evil.example/keys"),
    "x5u": with_header(x5u="https://evil.example/cert"),
    "jwk": with_header(jwk={"kty": "oct", "k": "AAAA"}),
    "x5c": with_header(x5c=["AAAA"]),
    "another issuer": with_claims(iss="evil"),
    "issuer with a space": with_claims(iss="frontdesk "),
    "issuer a list": with_claims(iss=["frontdesk"]),
    "another audience": with_claims(aud="billing"),
    "audience a list": with_claims(aud=["frontdesk"]),
    "audience null": with_claims(aud=None),
    **{f"without {claim}": without(claim) for claim in CLAIMS},
    "expired": with_claims(exp=NOW - 31),
    "expired long ago": with_claims(exp=0),
    "expiry negative": with_claims(exp=-1),
    "expiry a text": with_claims(exp=str(NOW + 60)),
    "expiry a boolean": with_claims(exp=True),
    "expiry null": with_claims(exp=None),
    "expiry infinite": with_claims(exp=math.inf),
    "expiry not a number": with_claims(exp=math.nan),
    "expiry a fraction": with_claims(exp=NOW + 0.5),
    "expiry a list": with_claims(exp=[NOW + 60]),
    "not valid yet": with_claims(nbf=NOW + 31),
    "nbf a text": with_claims(nbf="0"),
    "nbf a boolean": with_claims(nbf=False),
    "issued in the future": with_claims(iat=NOW + 31),
    "iat an object": with_claims(iat={}),
    "subject a number": with_claims(sub=7),
    "subject empty": with_claims(sub=""),
    "subject over-long": with_claims(sub="s" * 201),
    "subject with a NUL": with_claims(sub="demo\0"),
    "subject with a new line": with_claims(sub="demo\n{}"),
    "subject half a character": with_claims(sub="\ud800"),
    "tenant a number": with_claims(tenant=7),
    "tenant empty": with_claims(tenant=""),
    "tenant over-long": with_claims(tenant="t" * 65),
    "tenant with a slash": with_claims(tenant="../acme"),
    "tenant with a quote": with_claims(tenant="acme'--"),
    "tenant with a new line at its end": with_claims(tenant="acme\n"),
    "tenant in Cyrillic": with_claims(tenant="аcme"),
    "tenant a list": with_claims(tenant=["acme"]),
    "scope a list": with_claims(scope=["admin"]),
    "scope empty": with_claims(scope=""),
    "scope null": with_claims(scope=None),
    "scope with two spaces": with_claims(scope="understand  answer"),
    "scope with a tab": with_claims(scope="understand\tadmin"),
    "claims a list": forge(claims=[1]),
    "claims a text": forge(claims="admin"),
    "claims not JSON": forge(claims=b"{"),
    "claims not UTF-8": forge(claims=b"\xff\xfe{}"),
    "claims a number too large to read": forge(claims=b'{"exp":' + b"9" * 2900 + b"}"),
    "claims nested deeply": forge(claims=b"[" * 2900),
    "header a list": forge(header=[1]),
    "header not JSON": forge(header=b"{"),
    "header nested deeply": forge(header=b"[" * 2000),
    "nothing": "",
    "one part": "abc",
    "only dots": "..",
    "a fourth part": GOOD + ".AAAA",
    "a dot at the end": GOOD + ".",
    "a dot at the start": "." + GOOD,
    "truncated in its claims": GOOD[: len(FIRST) + 10],
    "not base64": f"{FIRST}.!!!!.{SIGNATURE}",
    "standard base64": f"{FIRST}.{SECOND}.{'+/' * 21}A",
    "padded": GOOD + "=",
    "unicode": GOOD[:-1] + "ü",
    "full-width letters": "ｅ" + GOOD[1:],
    "half a character": GOOD + "\ud800",
    "white space inside": f"{FIRST}. {SECOND}.{SIGNATURE}",
    "a new line at the end": GOOD + "\n",
    "a NUL at the end": GOOD + "\0",
    "two tokens": f"{GOOD} {GOOD}",
    "two tokens with a comma": f"{GOOD},{GOOD}",
    "over-long": forge(claims={**CLAIMS, "more": "x" * MAX_TOKEN_CHARACTERS}),
    "typ of another kind of token": with_header(typ="secevent+jwt"),
    "zip": with_header(zip="DEF"),
    "enc": with_header(enc="A128GCM"),
    "an encrypted token's five parts": ".".join([FIRST] * 5),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_forged_or_stale_token_is_refused(name: str) -> None:
    token = REFUSED[name]
    with pytest.raises(Unauthenticated) as refused:
        verify(token, RING, SETTINGS, now=NOW)
    assert refused.value.hint == "Get a token with: frontdesk token"
    assert refused.value.message.endswith(".")
    assert not any(piece in str(refused.value) for piece in token.split(".") if len(piece) > 5)


def test_the_token_that_all_forgeries_start_from_is_accepted() -> None:
    caller = verify(GOOD, RING, SETTINGS, now=NOW).caller
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
    assert verify(with_claims(**claims), RING, SETTINGS, now=NOW).caller.tenant


def test_leeway_comes_from_the_settings() -> None:
    strict = SecuritySettings(leeway_s=0)
    with pytest.raises(Unauthenticated, match="expired"):
        verify(with_claims(exp=NOW), RING, strict, now=NOW)


def test_issuer_and_audience_come_from_the_settings() -> None:
    elsewhere = SecuritySettings(issuer="desk-two", audience="desk-two")
    with pytest.raises(Unauthenticated, match="iss"):
        verify(GOOD, RING, elsewhere, now=NOW)
    assert verify(with_claims(iss="desk-two", aud="desk-two"), RING, elsewhere, now=NOW).caller.subject == "demo"


@pytest.mark.parametrize(
    ("token", "said"),
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
def test_a_refusal_says_what_is_wrong(token: str, said: str) -> None:
    with pytest.raises(Unauthenticated, match=said):
        verify(token, RING, SETTINGS, now=NOW)


@given(st.text(max_size=200))
def test_any_text_at_all_is_refused_and_nothing_else_goes_wrong(text: str) -> None:
    with pytest.raises(Unauthenticated):
        verify(text, RING, SETTINGS, now=NOW)


@given(st.integers(0, len(GOOD) - 1), st.sampled_from("AZaz09-_"))
def test_a_changed_character_is_refused(at: int, character: str) -> None:
    changed = GOOD[:at] + character + GOOD[at + 1 :]
    if changed != GOOD:
        with pytest.raises(Unauthenticated):
            verify(changed, RING, SETTINGS, now=NOW)


def minted(**changes: Any) -> str:
    arguments = {"subject": "demo", "tenant": "acme", "scopes": ["understand"], "ttl_s": 60, "now": NOW, **changes}
    return mint(KEY, SETTINGS, **arguments)


def test_a_minted_token_is_accepted_until_it_expires() -> None:
    token = minted(scopes=SCOPES)
    assert verify(token, RING, SETTINGS, now=NOW).caller == Caller("acme", "demo", frozenset(SCOPES))
    assert verify(token, RING, SETTINGS, now=NOW + 60 + 29).caller.subject == "demo"
    with pytest.raises(Unauthenticated, match="expired"):
        verify(token, RING, SETTINGS, now=NOW + 60 + 30)


def test_a_minted_token_is_good_now() -> None:
    assert verify(minted(now=None), RING, SETTINGS).caller.tenant == "acme"


@pytest.mark.parametrize(
    "changes",
    [{"scopes": ["root"]}, {"scopes": []}, {"tenant": "a b"}, {"tenant": ""}, {"subject": ""}, {"subject": "a\nb"}],
)
def test_a_token_that_would_be_refused_is_not_minted(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        minted(**changes)


def test_there_are_more_than_forty_forgeries() -> None:
    assert len(set(REFUSED.values())) == len(REFUSED) > 40
