"""What is kept of a request, and what is noted of an act."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from secrets import token_hex

from frontdesk.types.answer import Answer, restore_originals
from frontdesk.types.query import Caller, MaskedText, Query


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work under an Idempotency-Key: `id` is this attempt's own, `fingerprint` that of what was asked.

    `claimed_in` says in which store, as the `stored` of an answer does.
    """

    id: str
    key: str
    fingerprint: str
    claimed_in: str


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who (`subject` of `tenant`) did what (`action`) to what (`target`), and when. `details` is JSON.

    Nothing in it is a customer's: targets are ids or keyed hashes.
    """

    tenant: str
    subject: str
    action: str
    target: str
    details: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept of one request. `answer` is masked, as is `text.text`; the customer's own words are kept sealed.

    `claim` is there where the caller sent an Idempotency-Key: the acknowledged answer is kept under it.
    `received_at` is the start of the request by this host's clock; None means `created_at`. `audit_salt` salts the
    fingerprint of the text in the audit log.
    """

    caller: Caller
    query: Query = field(repr=False)
    text: MaskedText
    answer: Answer
    created_at: datetime
    response_time_ms: float
    claim: Claim | None = None
    received_at: datetime | None = None
    audit_salt: str = field(default_factory=lambda: token_hex(16), repr=False)

    def answer_for_caller(self, stored: str) -> Answer:
        """The answer as the caller gets it: with their own values in it and, beside a reply, how it is stored."""
        answer = restore_originals(self.answer, self.text)
        return answer if answer.reply is None else replace(answer, stored=stored)
