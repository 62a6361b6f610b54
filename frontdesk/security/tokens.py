"""JSON Web Tokens according to RFC 8725 (best current practices): one algorithm; every claim is required and checked.

pyjwt verifies the signature; the claims are checked here, because all are required and each has one type. The algorithm
comes from the configuration. The key is the key of this machine or of the issuer with the token's `kid`, and a key has
one algorithm, so a token cannot choose an algorithm. A token with a lifetime above `security.token_max_ttl_s` is
refused. Does not decide who gets a token, load keys, or check revocations (`revocations.py`).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import jwt

from frontdesk.errors import ConfigurationError, Unauthenticated
from frontdesk.identifiers import uuid7
from frontdesk.security.revocations import token_id
from frontdesk.security.token_keys import SigningKey
from frontdesk.types import Caller

if TYPE_CHECKING:
    from frontdesk.config import SecuritySettings

SCOPES = ("understand", "answer", "history:read", "analytics:read", "feedback", "admin", "metrics:read")

MAX_TOKEN_CHARACTERS = 4096
HINT = "Get a token with: frontdesk token"

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_TENANT = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_MAX_SUBJECT_CHARACTERS = 200
_SCOPE = re.compile(r"[!#-\[\]-~]+(?: [!#-\[\]-~]+)*")  # RFC 6749, section 3.3
_FORBIDDEN_HEADERS = ("crit", "jku", "x5u", "jwk", "x5c", "b64", "zip", "enc")
_TYPES = ("JWT", "at+jwt")  # the second is an access token of RFC 9068
_signatures = jwt.PyJWS()


class VerificationKey(Protocol):
    """Port: a key that verifies signatures. `material` is a secret or a public key, for `algorithm` only."""

    @property
    def kid(self) -> str: ...

    @property
    def algorithm(self) -> str: ...

    @property
    def material(self) -> Any: ...


class TokenKeys(Protocol):
    """Port: the keys that verify tokens. `refetch` loads them again and returns whether they may have changed."""

    def find(self, kid: str) -> VerificationKey | None: ...

    async def refetch(self) -> bool: ...


class UnknownKey(Unauthenticated):
    """The `kid` of a token is unknown, or not known yet."""


class InactiveToken(Unauthenticated):
    """A token with a valid signature is expired, revoked or not yet valid. `caller` is the caller of the token."""

    def __init__(self, message: str, *, caller: Caller, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.caller = caller


def issue_token(
    key: SigningKey,
    settings: SecuritySettings,
    *,
    subject: str,
    tenant: str,
    scopes: Iterable[str],
    ttl_s: int,
    now: float | None = None,
    jti: str | None = None,
) -> str:
    """Return a signed token that `verify_token` accepts for `ttl_s` seconds from `now` (seconds since 1970).

    `jti` is the id by which the token can be revoked; the default is a new one.

    Raises:
        ConfigurationError: a scope does not exist, the subject or the tenant is not valid, `ttl_s` exceeds
            `security.token_max_ttl_s`, or the configuration has an external issuer, which must issue the tokens.
    """
    if settings.algorithm != key.algorithm:
        raise ConfigurationError(
            f"Tokens signed with {settings.algorithm} must be issued by their issuer.",
            hint="Get one from your identity provider, or set security.algorithm to HS256.",
        )
    scopes = list(scopes)
    unknown = [scope for scope in scopes if scope not in (*SCOPES, settings.metrics_scope, settings.schema_scope)]
    if ttl_s > settings.token_max_ttl_s:
        raise ConfigurationError(
            f"A token may live for {settings.token_max_ttl_s} seconds at most; {ttl_s} were requested.",
            hint="Request less, or raise security.token_max_ttl_s.",
        )
    if unknown or not scopes:
        raise ConfigurationError(f"A token needs scopes out of {', '.join(SCOPES)}; got {unknown or 'none'}.")
    issued_at = int(time.time() if now is None else now)
    claims = {
        "iss": settings.issuer,
        "aud": settings.audience,
        "sub": subject,
        "tenant": tenant,
        "scope": " ".join(scopes),
        "iat": issued_at,
        "nbf": issued_at,
        "exp": issued_at + ttl_s,
        "jti": jti or uuid7(),
    }
    if problem := _find_subject_problem(claims):
        raise ConfigurationError(problem)
    return _signatures.encode(json.dumps(claims).encode(), key.secret, settings.algorithm, headers={"kid": key.kid})


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """Verified token: its caller, the end of its validity (seconds since 1970, including leeway) and its key.

    `token_id` is the id by which it can be revoked, `issued_at` its `iat` claim in seconds since 1970.
    """

    caller: Caller
    valid_until: float
    key: VerificationKey
    token_id: str
    issued_at: int


def verify_token(token: str, keys: TokenKeys, settings: SecuritySettings, now: float | None = None) -> VerifiedToken:
    """Verify a token; `now` is in seconds since 1970.

    Raises:
        Unauthenticated: the token is not valid. The message gives the reason and contains no part of the token.
        InactiveToken: the signature is valid, but the token has expired or is not valid yet.
        UnknownKey: the key is unknown; loading the keys again may help.
    """
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise _unauthenticated(f"The token is longer than {MAX_TOKEN_CHARACTERS} characters.")
    if not _COMPACT.fullmatch(token):
        raise _unauthenticated("The token is not three base64url parts joined by dots.")
    key = _find_verification_key(token, keys, settings.algorithm)
    try:
        payload = _signatures.decode_complete(token, key.material, algorithms=[key.algorithm])["payload"]
    except jwt.InvalidSignatureError:
        raise _unauthenticated("The token's signature was not made with the key that it names.") from None
    except jwt.PyJWTError:
        raise _unauthenticated("The token cannot be decoded.") from None
    claims = _parse_claims(payload)
    if problem := _find_issuer_problem(claims, settings) or _find_subject_problem(claims):
        raise _unauthenticated(problem)
    caller = Caller(tenant=claims["tenant"], subject=claims["sub"], scopes=frozenset(claims["scope"].split()))
    if problem := _find_time_problem(claims, settings, now):
        raise InactiveToken(problem, caller=caller, hint=HINT)
    return VerifiedToken(caller, claims["exp"] + settings.leeway_s, key, token_id(claims, token), claims["iat"])


def _find_verification_key(token: str, keys: TokenKeys, algorithm: str) -> VerificationKey:
    """Return the key with the `kid` of the token, after checking that key and header have this algorithm."""
    try:
        header = _signatures.get_unverified_header(token)
    except (jwt.PyJWTError, RecursionError):
        raise _unauthenticated("The token cannot be decoded.") from None
    for name in _FORBIDDEN_HEADERS:
        if name in header:
            raise _unauthenticated(f"The token's header has {name}, which is never accepted.")
    if header.get("alg") != algorithm:
        raise _unauthenticated(f"The token is not signed with {algorithm}.")
    if header.get("typ", "JWT") not in _TYPES:
        raise _unauthenticated("The token is of another type (typ).")
    key = keys.find(header["kid"]) if "kid" in header else None
    if key is None or key.algorithm != algorithm:
        raise UnknownKey("The token names another key.", hint=HINT)
    return key


def _unauthenticated(problem: str) -> Unauthenticated:
    return Unauthenticated(problem, hint=HINT)


def _parse_claims(payload: bytes) -> dict[str, Any]:
    try:
        claims = json.loads(payload)
    except (ValueError, RecursionError):
        raise _unauthenticated("The token's claims are not JSON.") from None
    if not isinstance(claims, dict):
        raise _unauthenticated("The token's claims are not a JSON object.")
    return claims


def _find_issuer_problem(claims: dict[str, Any], settings: SecuritySettings) -> str | None:
    if claims.get("iss") != settings.issuer:
        return "The token's iss (issuer) is not this server's."
    audience = claims.get("aud")
    if audience != settings.audience and not _is_in_audience_list(audience, settings):
        return "The token's aud (audience) is not this server."
    return None


def _is_in_audience_list(audience: object, settings: SecuritySettings) -> bool:
    """Return whether `audience` is a list with this server. Only external issuers use lists (RFC 7519, 4.1.3)."""
    return settings.algorithm != "HS256" and isinstance(audience, list) and settings.audience in audience


def _find_subject_problem(claims: dict[str, Any]) -> str | None:
    tenant, subject, scope = claims.get("tenant"), claims.get("sub"), claims.get("scope")
    if not isinstance(tenant, str) or not _TENANT.fullmatch(tenant):
        return "The token's tenant must be 1 to 64 letters, digits, dots, dashes or underscores."
    if not isinstance(subject, str) or not 1 <= len(subject) <= _MAX_SUBJECT_CHARACTERS or not subject.isprintable():
        return f"The token's sub (subject) must be 1 to {_MAX_SUBJECT_CHARACTERS} printable characters."
    if not isinstance(scope, str) or not _SCOPE.fullmatch(scope):
        return "The token's scope must be names separated by single spaces."
    return None


def _find_time_problem(claims: dict[str, Any], settings: SecuritySettings, now: float | None) -> str | None:
    if settings.algorithm != "HS256":
        claims = {"nbf": claims.get("iat"), **claims}  # few external issuers set nbf
    for name in ("exp", "nbf", "iat"):
        if type(claims.get(name)) is not int:  # not isinstance: true is an int in Python
            return f"The token's {name} must be a whole number of seconds since 1970."
    moment = time.time() if now is None else now
    if claims["exp"] <= moment - settings.leeway_s:
        return "The token has expired."
    if claims["nbf"] > moment + settings.leeway_s:
        return "The token is not valid yet (nbf)."
    if claims["iat"] > moment + settings.leeway_s:
        return "The token was issued in the future (iat)."
    if claims["exp"] - claims["iat"] > settings.token_max_ttl_s:
        return f"The token's lifetime, exp less iat, is longer than {settings.token_max_ttl_s} seconds."
    return None
