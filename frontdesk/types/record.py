"""The record of a request, and the entry of the audit log."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from secrets import token_hex

from frontdesk.types.answer import Answer, restore_originals
from frontdesk.types.message import MaskedPart
from frontdesk.types.query import Caller, MaskedText, Query


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work under an Idempotency-Key. `id` identifies this attempt, `fingerprint` the request.

    `claimed_in` is the store of the claim, with the same values as `Answer.stored`.
    """

    id: str
    key: str
    fingerprint: str
    claimed_in: str


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An operation (`action`) of `subject` of `tenant` on `target`. `details` is JSON.

    Contains no data of customers: targets are ids or pseudonyms.
    """

    tenant: str
    subject: str
    action: str
    target: str
    details: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that is stored of one request. `answer` and `text.text` are masked; original text is encrypted.

    `text` is the customer's own text; `other_parts` are the other parts of the message.
    `claim`: present if the caller sent an Idempotency-Key; the answer for the caller is stored under it.
    `received_at`: start of the request by the clock of this host; None means `created_at`.
    `audit_salt`: salt for the fingerprint of the text in the audit log.
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
    other_parts: tuple[MaskedPart, ...] = ()

    def answer_for_caller(self, stored: str) -> Answer:
        """The answer with original values instead of placeholders; `stored` is set if it has a reply."""
        answer = restore_originals(self.answer, self.text)
        return answer if answer.reply is None else replace(answer, stored=stored)
