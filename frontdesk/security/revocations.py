"""Revoked tokens, in memory: the gate asks for each request, so the answer is a dictionary lookup.

A revocation names one token (its `jti` claim, or a digest where it has none) or a subject, all of whose tokens issued
before a moment are revoked. Its tenant is empty where it holds for every tenant. Knows nothing of where revocations
are stored: `replace` is given all of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

EVERY_TENANT = ""
LONGEST_ID = 200


@dataclass(frozen=True, slots=True)
class Revocation:
    """`jti` is empty where all tokens of `subject` issued before `issued_before` (seconds since 1970) are revoked."""

    tenant: str
    jti: str
    subject: str
    issued_before: float | None = None


class Revocations:
    """The revocations that are in force. Read on the event loop while another thread replaces them."""

    __slots__ = ("_subjects", "_tokens")

    def __init__(self, revoked: Iterable[Revocation] = ()) -> None:
        self._tokens: Mapping[str, frozenset[str]] = MappingProxyType({})
        self._subjects: Mapping[str, Mapping[str, float]] = MappingProxyType({})
        self.replace(revoked)

    def replace(self, revoked: Iterable[Revocation]) -> None:
        """Put these in force instead of those from before."""
        tokens: dict[str, set[str]] = {}
        subjects: dict[str, dict[str, float]] = {}
        for one in revoked:
            if one.jti:
                tokens.setdefault(one.jti, set()).add(one.tenant)
            elif one.issued_before is not None:
                moments = subjects.setdefault(one.subject, {})
                moments[one.tenant] = max(one.issued_before, moments.get(one.tenant, 0.0))
        self._tokens = {jti: frozenset(tenants) for jti, tenants in tokens.items()}
        self._subjects = subjects

    def covers(self, tenant: str, subject: str, token_id: str, issued_at: int) -> bool:
        """Is this token revoked? `issued_at` is its `iat` claim."""
        if (tenants := self._tokens.get(token_id)) is not None and (tenant in tenants or EVERY_TENANT in tenants):
            return True
        if (moments := self._subjects.get(subject)) is None:
            return False
        return issued_at < max(moments.get(tenant, 0.0), moments.get(EVERY_TENANT, 0.0))


def token_id(claims: Mapping[str, object], token: str) -> str:
    """What a revocation names a token by: its `jti`, or a digest of what was signed where it has no usable one."""
    jti = claims.get("jti")
    if isinstance(jti, str) and 1 <= len(jti) <= LONGEST_ID and jti.isprintable():
        return jti
    return f"sha256:{hashlib.sha256(token.rpartition('.')[0].encode()).hexdigest()}"
