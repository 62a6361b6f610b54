"""Rows of one acknowledged request, as values: the same rows go to the database or wait in the spool.

They are built once from a record. Original texts of messages and replies are encrypted; the other texts are masked.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import LargeBinary

from frontdesk.security.field_encryption import FieldCipher
from frontdesk.storage.erasure_subjects import Fingerprint, RecordOrigin, customer_and_session_hashes
from frontdesk.storage.events import answered_event, outbox_rows
from frontdesk.storage.tables import UtcDateTime, customer_history, metadata, outbox, queries
from frontdesk.types import Action, Answer, AuditEntry, EarlierAnswer, Query, Record

RESOLUTION: Mapping[Action, str] = {
    Action.AUTOMATE: "answered",
    Action.DRAFT: "drafted",
    Action.CLARIFY: "waiting",
    Action.ESCALATE: "escalated",
}

COMMITTED = "committed"
SPOOLED = "spooled"
NOT_STORED = "no"
_ORIGIN_FIELDS = ("customer_hash", "session_hash")

# 5 us for an answer of 1.9 kB. pydantic_core.to_json takes 17 us and always keeps the Nones of dataclasses.
_ANSWER = TypeAdapter(Answer).serializer
_EARLIER_ANSWER = TypeAdapter(EarlierAnswer).validator


@dataclass(frozen=True, slots=True)
class FinishedClaim:
    """Completion of a claim with the encrypted answer.

    The answer has two versions: as acknowledged from the database (`committed`), and from the spool (`spooled`).
    """

    tenant: str
    subject: str
    key: str
    fingerprint: str
    claim: str
    query_id: str
    created_at: datetime
    committed: bytes = field(repr=False)
    spooled: bytes = field(repr=False)
    customer_hash: str | None = None
    session_hash: str | None = None


@dataclass(frozen=True, slots=True)
class RecordRows:
    """Rows of one request: `inserts` by table name. `id` is the query's id."""

    id: str
    inserts: Mapping[str, Sequence[Mapping[str, Any]]] = field(repr=False)
    finish: FinishedClaim | None = None
    audited: Sequence[AuditEntry] = ()
    origin: RecordOrigin | None = None

    def to_json(self) -> str:
        """Serialise all rows for `from_json`.

        Raises:
            ValueError: a text cannot be encoded in UTF-8.
        """
        finish = None if self.finish is None else asdict(self.finish)
        if finish is not None:  # the hashes are in `origin`: the previous release cannot read them here
            finish = {name: value for name, value in finish.items() if name not in _ORIGIN_FIELDS}
        audited = [asdict(entry) for entry in self.audited]
        fields = {"id": self.id, "inserts": self.inserts, "finish": finish, "audited": audited}
        if self.origin is not None:
            fields["origin"] = self.origin.to_json()
        text = json.dumps(fields, default=_encode_value, ensure_ascii=False)
        text.encode()
        return text

    @classmethod
    def from_json(cls, text: str) -> RecordRows:
        fields = json.loads(text)
        inserts = {table: tuple(_decode_row(table, row) for row in rows) for table, rows in fields["inserts"].items()}
        origin = RecordOrigin.from_json(fields["origin"]) if "origin" in fields else None
        finish = None if fields["finish"] is None else _decode_finished_claim(fields["finish"], origin)
        return cls(
            fields["id"], inserts, finish, tuple(_decode_entry(entry) for entry in fields.get("audited", ())), origin
        )


@dataclass(frozen=True, slots=True)
class RowBuilder:
    """Builds rows from records. `field_cipher` encrypts originals; each sink gets one row of the outbox per event.

    `audit` builds the audit entry of an answer from the record and the customer's keyed hash. `fingerprint` computes
    the keyed hashes by which an erasure finds rows. Without it rows have no origin and are found only by their customer
    id.
    """

    field_cipher: FieldCipher
    sinks: tuple[str, ...] = ()
    audit: Callable[[Record, str | None], AuditEntry] | None = None
    fingerprint: Fingerprint | None = None

    def rows(self, record: Record) -> RecordRows:
        """Return the rows to insert for one request.

        If the caller requested no storage, these are only the rows that complete its claim of the Idempotency-Key.
        """
        inserts: dict[str, Sequence[Mapping[str, Any]]] = {}
        if record.query.store:
            inserts[queries.name] = (self._query_row(record),)
            if record.query.customer_id is not None and record.answer.reply is not None:
                inserts[customer_history.name] = (_history_row(record),)
            if self.sinks:
                inserts[outbox.name] = tuple(outbox_rows(answered_event(record), self.sinks))
        origin = self._origin(record)
        customer = None if origin is None else origin.customer_hash
        audited = () if self.audit is None or not record.query.store else (self.audit(record, customer),)
        return RecordRows(record.answer.query_id, inserts, self._finished_claim(record, origin), audited, origin)

    def _origin(self, record: Record) -> RecordOrigin | None:
        if self.fingerprint is None:
            return None
        query, tenant = record.query, record.caller.tenant
        customer, session = customer_and_session_hashes(self.fingerprint, tenant, query.customer_id, query.session_id)
        return RecordOrigin(tenant, customer, session, record.received_at or record.created_at)

    def _query_row(self, record: Record) -> dict[str, Any]:
        query, answer, tenant = record.query, record.answer, record.caller.tenant
        query_id, reply = answer.query_id, answer.reply
        encrypted_reply = (
            None if reply is None else self._encrypt(record.text.restore(reply.text), tenant, query_id, "response_text")
        )
        return {
            "id": query_id,
            "tenant": tenant,
            "customer_id": query.customer_id,
            "session_id": query.session_id,
            "query_text": record.text.neutralize(record.text.text),
            "query_sealed": self._encrypt(query.text, tenant, query_id, "query_text"),
            "intent": answer.intent.label,
            "sentiment": answer.sentiment.label,
            "confidence": answer.intent.confidence,
            "priority": answer.priority.level.value,
            "priority_score": answer.priority.score,
            "response_text": reply.text if reply else None,
            "response_sealed": encrypted_reply,
            "response_time_ms": record.response_time_ms,
            "decision": answer.decision.action.value,
            "escalation_needed": answer.decision.action is Action.ESCALATE,
            "uncertainty_score": answer.uncertainty.score,
            "channel": query.channel.value,
            "customer_tier": query.customer_tier.value,
            "model_version": answer.model_version,
            "answer": answer_json(answer).decode(),
            "audit_salt": record.audit_salt,
            "created_at": record.created_at,
            "updated_at": record.created_at,
            **self._mail_columns(record),
        }

    def _mail_columns(self, record: Record) -> dict[str, Any]:
        """Return the columns of a message with other parts or other fields; empty for a plain text.

        So a spooled row of a plain text can also be read by a release that does not have these columns.
        """
        query, tenant, query_id = record.query, record.caller.tenant, record.answer.query_id
        if not record.other_parts and not query.has_mail_fields:
            return {}
        parts = json.dumps([asdict(part) for part in record.other_parts], ensure_ascii=False)
        return {
            "other_parts": parts if record.other_parts else None,
            "mail_sealed": self._encrypt(_mail_json(query), tenant, query_id, "mail")
            if query.has_mail_fields
            else None,
        }

    def _finished_claim(self, record: Record, origin: RecordOrigin | None) -> FinishedClaim | None:
        claim, caller, is_stored = record.claim, record.caller, record.query.store
        if claim is None:
            return None
        row_context = encryption_context(caller.tenant, caller.subject, claim.key, "answer")
        committed = self.field_cipher.encrypt(
            answer_json(record.answer_for_caller(COMMITTED if is_stored else NOT_STORED)), row_context
        )
        spooled = self.field_cipher.encrypt(
            answer_json(record.answer_for_caller(SPOOLED if is_stored else NOT_STORED)), row_context
        )
        return FinishedClaim(
            tenant=caller.tenant,
            subject=caller.subject,
            key=claim.key,
            fingerprint=claim.fingerprint,
            claim=claim.id,
            query_id=record.answer.query_id,
            created_at=record.created_at,
            committed=committed,
            spooled=spooled,
            customer_hash=None if origin is None else origin.customer_hash,
            session_hash=None if origin is None else origin.session_hash,
        )

    def _encrypt(self, text: str, tenant: str, query_id: str, column: str) -> bytes:
        return self.field_cipher.encrypt(text.encode(), encryption_context(tenant, query_id, column))


def encryption_context(*place: str) -> bytes:
    """Return the context that an encrypted value is bound to: tenant, row and column. No part can contain a NUL."""
    return "\x00".join(place).encode()


def decrypt_original(
    field_cipher: FieldCipher, sealed: bytes | None, tenant: str, query_id: str, column: str
) -> str | None:
    """Decrypt the original message (`query_text`), its other fields (`mail`) or the reply (`response_text`).

    Return None if it was not stored.

    Raises:
        ConfigurationError: the key that encrypted it is not available.
        DataError: it was changed, or belongs to another row.
    """
    return (
        None if sealed is None else field_cipher.decrypt(sealed, encryption_context(tenant, query_id, column)).decode()
    )


def answer_json(answer: Answer) -> bytes:
    """Serialise an answer as it is stored and as HTTP sends it."""
    return _ANSWER.to_json(answer, exclude_none=True)


def parse_earlier_answer(content: bytes) -> EarlierAnswer:
    """Parse an answer written by `answer_json`. Serialised again, it has the same bytes."""
    answer: EarlierAnswer = _EARLIER_ANSWER.validate_json(content)
    return answer


def _mail_json(query: Query) -> str:
    """Return the original fields of a message other than its text as JSON."""
    transcript = [asdict(turn) for turn in query.transcript]
    fields = {"html": query.html, "subject": query.subject, "headers": dict(query.headers), "transcript": transcript}
    return json.dumps({name: value for name, value in fields.items() if value}, ensure_ascii=False)


def _history_row(record: Record) -> dict[str, Any]:
    """Return the row of `customer_history`, which has the id of the query. Its summary holds labels only, no text."""
    answer = record.answer
    return {
        "id": answer.query_id,
        "tenant": record.caller.tenant,
        "customer_id": record.query.customer_id,
        "interaction_type": "query",
        "summary": f"{answer.intent.label}: {answer.decision.action.value}",
        "resolution_status": RESOLUTION[answer.decision.action],
        "created_at": record.created_at,
    }


def _encode_value(value: datetime | bytes) -> str:
    """Encode a value that JSON does not support. `_decode_value` decides by the type of the column."""
    return value.isoformat() if isinstance(value, datetime) else base64.b64encode(value).decode()


def _decode_row(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    columns = metadata.tables[table].c
    return {name: _decode_value(columns[name].type, value) for name, value in row.items()}


def _decode_value(column_type: object, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(column_type, UtcDateTime):
        return datetime.fromisoformat(value)
    return base64.b64decode(value) if isinstance(column_type, LargeBinary) else value


def _decode_entry(fields: Mapping[str, Any]) -> AuditEntry:
    return AuditEntry(**{**fields, "created_at": datetime.fromisoformat(fields["created_at"])})


def _decode_finished_claim(fields: Mapping[str, Any], origin: RecordOrigin | None) -> FinishedClaim:
    hashes = {name: getattr(origin, name, None) for name in _ORIGIN_FIELDS}
    answers = {name: base64.b64decode(fields[name]) for name in ("committed", "spooled")}
    return FinishedClaim(**{**fields, **answers, **hashes, "created_at": datetime.fromisoformat(fields["created_at"])})
