"""Whom an erasure is about: a customer, a session or a query, and the keyed hash that stands for it elsewhere.

The hash is made with a key that is never rotated (`frontdesk/security/fingerprints.py`). Everything stored that has no
row in `queries` carries it: answers under Idempotency-Keys, rows of spools. A query has its own id, which is random.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

Fingerprint = Callable[[bytes], str]


class SubjectKind(StrEnum):
    """What can be erased."""

    CUSTOMER = "customer"
    SESSION = "session"
    QUERY = "query"


@dataclass(frozen=True, slots=True)
class Subject:
    """One customer, session or query of a tenant. `id` is as callers write it."""

    kind: SubjectKind
    tenant: str
    id: str

    def key(self, fingerprint: Fingerprint) -> str:
        """What the table `erasures` knows the subject by."""
        if self.kind is SubjectKind.CUSTOMER:
            return customer_hash(fingerprint, self.tenant, self.id)
        if self.kind is SubjectKind.SESSION:
            return session_hash(fingerprint, self.tenant, self.id)
        return query_key(self.id)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where rows came from: keyed hashes, None where the caller named none, and when the request began.

    `received_at` is by the clock of the host that took the request.
    """

    tenant: str
    customer_hash: str | None
    session_hash: str | None
    received_at: datetime

    def keys(self, query_id: str) -> tuple[str, ...]:
        """All keys under which an erasure may name these rows."""
        hashes = (self.customer_hash, self.session_hash)
        return (query_key(query_id), *(each for each in hashes if each is not None))

    def to_json(self) -> dict[str, Any]:
        return {
            "tenant": self.tenant,
            "customer_hash": self.customer_hash,
            "session_hash": self.session_hash,
            "received_at": self.received_at.isoformat(),
        }

    @classmethod
    def from_json(cls, written: dict[str, Any]) -> Origin:
        return cls(**{**written, "received_at": datetime.fromisoformat(written["received_at"])})


def customer_hash(fingerprint: Fingerprint, tenant: str, customer_id: str) -> str:
    """Keyed hash of a customer of a tenant."""
    return fingerprint(f"{tenant}\x00{customer_id}".encode())


def session_hash(fingerprint: Fingerprint, tenant: str, session_id: str) -> str:
    """Keyed hash of a session of a tenant; no customer's id holds a NUL, so the two never meet."""
    return fingerprint(f"{tenant}\x00\x00session\x00{session_id}".encode())


def query_key(query_id: str) -> str:
    """The key of a query: its id names nobody, and stays in the record for counts."""
    return f"query {query_id}"
