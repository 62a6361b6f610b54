"""In-memory index of revoked tokens, which is checked for every request.

A revocation applies to one token (its `jti` claim, or a digest if it has none), or to all tokens of a subject that were
issued before a given time. An empty tenant means every tenant. Does not depend on storage: `replace` gets all
revocations.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

EVERY_TENANT = ""
MAX_ID_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Revocation:
    """One revocation. An empty `jti` revokes all tokens of `subject` issued before `issued_before` (Unix seconds)."""

    tenant: str
    jti: str
    subject: str
    issued_before: float | None = None


class Revocations:
    """The revocations in force. The event loop reads them while another thread replaces them."""

    __slots__ = ("_subjects", "_tokens")

    def __init__(self, revoked: Iterable[Revocation] = ()) -> None:
        self._tokens: Mapping[str, frozenset[str]] = MappingProxyType({})
        self._subjects: Mapping[str, Mapping[str, float]] = MappingProxyType({})
        self.replace(revoked)

    def replace(self, revoked: Iterable[Revocation]) -> None:
        """Replace all revocations."""
        tokens: dict[str, set[str]] = {}
        subjects: dict[str, dict[str, float]] = {}
        for revocation in revoked:
            if revocation.jti:
                tokens.setdefault(revocation.jti, set()).add(revocation.tenant)
            elif revocation.issued_before is not None:
                moments = subjects.setdefault(revocation.subject, {})
                moments[revocation.tenant] = max(revocation.issued_before, moments.get(revocation.tenant, 0.0))
        self._tokens = {jti: frozenset(tenants) for jti, tenants in tokens.items()}
        self._subjects = subjects

    def is_revoked(self, tenant: str, subject: str, token_id: str, issued_at: int) -> bool:
        """Return whether this token is revoked. `issued_at` is its `iat` claim."""
        if (tenants := self._tokens.get(token_id)) is not None and (tenant in tenants or EVERY_TENANT in tenants):
            return True
        if (moments := self._subjects.get(subject)) is None:
            return False
        return issued_at < max(moments.get(tenant, 0.0), moments.get(EVERY_TENANT, 0.0))


def is_valid_id(text: str) -> bool:
    """Return whether `text` can name a token or a subject: 1 to `MAX_ID_LENGTH` printable characters."""
    return 1 <= len(text) <= MAX_ID_LENGTH and text.isprintable()


def token_id(claims: Mapping[str, object], token: str) -> str:
    """Return the id by which a token is revoked: its `jti`, or a digest of the signed part if that is not usable."""
    jti = claims.get("jti")
    if isinstance(jti, str) and is_valid_id(jti):
        return jti
    return f"sha256:{hashlib.sha256(token.rpartition('.')[0].encode()).hexdigest()}"
