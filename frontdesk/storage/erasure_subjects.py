"""Subjects of an erasure: a customer, a session or a query, and the keyed hash that identifies it.

The hash is computed with a key that is never rotated (`frontdesk/security/pseudonyms.py`). Stored data without a row in
`queries` carries it: answers under Idempotency-Keys and rows in spools. A query is identified by its random id.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

Fingerprint = Callable[[bytes], str]

_QUERY_PREFIX = "query "


class SubjectKind(StrEnum):
    """The kinds of subjects that can be erased."""

    CUSTOMER = "customer"
    SESSION = "session"
    QUERY = "query"


@dataclass(frozen=True, slots=True)
class ErasureSubject:
    """One customer, session or query of a tenant. `id` is the id that callers send."""

    kind: SubjectKind
    tenant: str
    id: str

    def key(self, fingerprint: Fingerprint) -> str:
        """Return the key of the subject in the table `erasures`."""
        if self.kind is SubjectKind.CUSTOMER:
            return customer_hash(fingerprint, self.tenant, self.id)
        if self.kind is SubjectKind.SESSION:
            return session_hash(fingerprint, self.tenant, self.id)
        return query_erasure_key(self.id)


@dataclass(frozen=True, slots=True)
class RecordOrigin:
    """The request that rows belong to: keyed hashes of its customer and session (None if absent), and its start time.

    `received_at` is by the clock of the host that received the request.
    """

    tenant: str
    customer_hash: str | None
    session_hash: str | None
    received_at: datetime

    def keys(self, query_id: str) -> tuple[str, ...]:
        """Return all keys by which an erasure may match these rows."""
        hashes = (self.customer_hash, self.session_hash)
        return (query_erasure_key(query_id), *(key for key in hashes if key is not None))

    def to_json(self) -> dict[str, Any]:
        return {
            "tenant": self.tenant,
            "customer_hash": self.customer_hash,
            "session_hash": self.session_hash,
            "received_at": self.received_at.isoformat(),
        }

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> RecordOrigin:
        return cls(**{**fields, "received_at": datetime.fromisoformat(fields["received_at"])})


def customer_hash(fingerprint: Fingerprint, tenant: str, customer_id: str) -> str:
    """Return the keyed hash of a customer of a tenant."""
    return fingerprint(f"{tenant}\x00{customer_id}".encode())


def session_hash(fingerprint: Fingerprint, tenant: str, session_id: str) -> str:
    """Return the keyed hash of a session of a tenant. Customer ids contain no NUL, so the two cannot be equal."""
    return fingerprint(f"{tenant}\x00\x00session\x00{session_id}".encode())


def customer_and_session_hashes(
    fingerprint: Fingerprint, tenant: str, customer_id: str | None, session_id: str | None
) -> tuple[str | None, str | None]:
    """Return the keyed hashes of the customer and the session of a request; None for an absent id."""
    return (
        None if customer_id is None else customer_hash(fingerprint, tenant, customer_id),
        None if session_id is None else session_hash(fingerprint, tenant, session_id),
    )


def query_erasure_key(query_id: str) -> str:
    """Return the key of a query. It holds the id itself: the id names no person and stays in the record for counts."""
    return f"{_QUERY_PREFIX}{query_id}"


def query_id_of_erasure_key(key: str) -> str | None:
    """Return the query id of a key from `query_erasure_key`; None for the key of a customer or session."""
    return key.removeprefix(_QUERY_PREFIX) if key.startswith(_QUERY_PREFIX) else None
