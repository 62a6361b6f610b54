"""Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): a repeated request gets the same answer and runs once.

    claim the key -> new: run the request; its answer is stored under the key in the transaction of its record
                  -> answered before: return that answer, byte for byte
                  -> in flight, or used for another request: refuse

Keys belong to a caller: (tenant, subject). A claim is committed, so that a crash cannot lose it; after a crash its
lease releases it. While the database is unavailable, keys are claimed in the spool of the host. A key that was answered
before is not known there, and duplicates are detected only on the same host. With several hosts, requests with a key
are refused instead during that time.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from frontdesk.errors import IdempotencyKeyInFlight, IdempotencyKeyReused
from frontdesk.identifiers import uuid7
from frontdesk.observability.metrics import Metrics
from frontdesk.security.field_encryption import FieldCipher
from frontdesk.storage.erasure_subjects import Fingerprint, customer_and_session_hashes
from frontdesk.storage.failpoints import fail_point
from frontdesk.storage.record_rows import SPOOLED, FinishedClaim, encryption_context, parse_earlier_answer
from frontdesk.storage.spool.spool_file import Spool
from frontdesk.storage.sql.idempotency import ClaimRow, HoldingClaim
from frontdesk.storage.transactions import in_spool_thread
from frontdesk.storage.writes.recorder import SpoolingRecorder
from frontdesk.storage.writes.write_commands import AcquireIdempotencyKey
from frontdesk.types import Caller, Claim, EarlierAnswer, Query


class IdempotencyKeys:
    """The Idempotency-Keys of all callers.

    Args:
        recorder: its threads write the claims.
        spool: of this host.
        field_cipher: decrypts earlier answers, and computes fingerprints of requests.
        metrics: counts the outcomes of keys.
        lease_s: lease of an unfinished claim, in seconds; longer than any request.
        ttl_s: how long keys are stored, in seconds.
        one_host: whether only this host writes to the database. Then keys may be claimed in the spool.
        fingerprint: computes the keyed hashes by which an erasure finds keys of a customer or a session.
    """

    def __init__(
        self,
        recorder: SpoolingRecorder,
        spool: Spool,
        field_cipher: FieldCipher,
        metrics: Metrics,
        *,
        lease_s: float,
        ttl_s: float,
        one_host: bool,
        fingerprint: Fingerprint | None = None,
    ) -> None:
        self._recorder = recorder
        self._spool = spool
        self._field_cipher = field_cipher
        self._metrics = metrics
        self._lease = timedelta(seconds=lease_s)
        self._ttl = timedelta(seconds=ttl_s)
        self._one_host = one_host
        self._fingerprint = fingerprint
        self._stamp: tuple[int, ...] | None = None  # change stamp of the spool when it held no key

    async def acquire(self, key: str, operation: str, query: Query, caller: Caller) -> Claim | EarlierAnswer:
        """Claim `key` for `query`, or return the earlier answer.

        Raises:
            IdempotencyKeyInFlight: the same request is being answered.
            IdempotencyKeyReused: the key belongs to another request.
            StorageUnavailable: no store accepted the claim.
        """
        outcome = await self.acquire_for_identity(
            key, request_identity(operation, query), caller, self._owner_hashes(query, caller.tenant)
        )
        return outcome if isinstance(outcome, Claim) else parse_earlier_answer(outcome)

    async def acquire_for_identity(
        self, key: str, identity: bytes, caller: Caller, hashes: tuple[str | None, str | None] = (None, None)
    ) -> Claim | bytes:
        """Claim the key for any request, or return the bytes of the earlier answer.

        Requests with equal `identity` are the same. `hashes` are the keyed hashes of the customer and the session that
        the request names.
        """
        now = datetime.now(UTC)
        claim_row = ClaimRow(
            tenant=caller.tenant,
            subject=caller.subject,
            key=key,
            fingerprint=self._field_cipher.fingerprint(identity),
            claim=uuid7(),
            lease_until=now + self._lease,
            created_at=now,
            expired=now - self._ttl,
            customer_hash=hashes[0],
            session_hash=hashes[1],
        )
        holder: object = await self._find_in_spool(claim_row)
        if holder is not None:
            return self._earlier_answer(claim_row, identity, holder)
        holder, claimed_in = await self._recorder.execute(AcquireIdempotencyKey(claim_row), may_spool=self._one_host)
        claim = Claim(claim_row.claim, key, claim_row.fingerprint, claimed_in)
        if holder is not None:
            if claimed_in == SPOOLED:  # the database may have stored our claim without responding in time
                self._recorder.release(claim, caller)
            return self._earlier_answer(claim_row, identity, holder)
        fail_point("claim.after_commit")
        self._metrics.count_idempotency_key("taken")
        return claim

    async def _find_in_spool(self, claim_row: ClaimRow) -> HoldingClaim | None:
        """Return the holder of the key in the spool. The spool is not read while it is unchanged and without keys."""
        if self._stamp is not None and self._stamp == self._spool.change_stamp():
            return None
        return await in_spool_thread(lambda: self._read_spool(claim_row))

    def _read_spool(self, claim_row: ClaimRow) -> HoldingClaim | None:
        """Read the spool; runs in a thread, because a slow disk must not block the event loop."""
        stamp = self._spool.change_stamp()
        holder, is_empty = self._spool.find_claim(claim_row), not self._spool.has_idempotency_keys()
        self._stamp = stamp if is_empty else None
        return holder

    def _owner_hashes(self, query: Query, tenant: str) -> tuple[str | None, str | None]:
        if self._fingerprint is None:
            return None, None
        return customer_and_session_hashes(self._fingerprint, tenant, query.customer_id, query.session_id)

    def finished_claim(self, claim: Claim, caller: Caller, query_id: str, answer: bytes, at: datetime) -> FinishedClaim:
        """Return the row that stores `answer` under the claim's key, for the transaction of the request's other rows.

        The answer is erased with the query `query_id`.
        """
        encrypted = self._field_cipher.encrypt(
            answer, encryption_context(caller.tenant, caller.subject, claim.key, "answer")
        )
        return FinishedClaim(
            tenant=caller.tenant,
            subject=caller.subject,
            key=claim.key,
            fingerprint=claim.fingerprint,
            claim=claim.id,
            query_id=query_id,
            created_at=at,
            committed=encrypted,
            spooled=encrypted,
        )

    def release(self, claim: Claim, caller: Caller) -> None:
        """Release the key, so that the request can be retried at once. A key with an answer keeps it."""
        self._metrics.count_idempotency_key("freed")
        self._recorder.release(claim, caller)

    def _earlier_answer(self, claim_row: ClaimRow, identity: bytes, holder: object) -> bytes:
        assert isinstance(holder, HoldingClaim), "a key that was not acquired has a holder"
        if not self._field_cipher.matches_fingerprint(holder.fingerprint, identity):
            self._metrics.count_idempotency_key("reused")
            raise IdempotencyKeyReused(
                "This Idempotency-Key was used for another request.", hint="Use a new key for each new request."
            )
        if holder.answer_sealed is None:
            self._metrics.count_idempotency_key("in_flight")
            raise IdempotencyKeyInFlight(
                "A request with this Idempotency-Key is being answered.", hint="Try again in a moment."
            )
        self._metrics.count_idempotency_key("replayed")
        row_context = encryption_context(claim_row.tenant, claim_row.subject, claim_row.key, "answer")
        return self._field_cipher.decrypt(holder.answer_sealed, row_context)


def request_identity(operation: str, query: Query) -> bytes:
    """Serialise the fields that make two requests the same, independent of the protocol."""
    since = query.waiting_since
    mail = (query.html, query.subject, sorted(query.headers.items()), [asdict(turn) for turn in query.transcript])
    return json.dumps(
        [
            operation,
            query.text,
            query.customer_id,
            query.session_id,
            query.channel,
            query.customer_tier,
            query.language,
            since and (since if since.tzinfo is None else since.astimezone(UTC)).isoformat(),
            query.store,
            *(mail if query.has_mail_fields else ()),  # identities of requests without them stay what they were
        ]
    ).encode()
