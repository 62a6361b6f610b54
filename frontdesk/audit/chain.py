"""Chains of the audit log: each entry is linked to the previous one, and checkpoints sign the heads of chains.

An entry's hash is an HMAC over its content and the previous hash. Without the key of this installation no entry can be
written, changed, moved or removed undetected. Hashes cannot show that a chain was longer. A checkpoint contains the
heads of chains at a point in time and is signed (Ed25519): a copy outside of the database shows what was removed since.
Pure functions of rows.

Every host that shares a database needs the same key file. The design is that of Schneier and Kelsey, "Secure audit logs
to support computer forensics", 1999, without their key evolution: an attacker who has the key now could rewrite the
past.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from frontdesk.security.key_store import AUDIT_KEY_FILE, load_or_create_secret
from frontdesk.types import AuditEntry, Record

BEGINNING = ""
"""The hash before the first entry of a chain, and before the first checkpoint."""
_START = (0, BEGINNING)


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An entry of a chain; sequences begin with 1. A value in it that cannot be read makes `entry` None."""

    chain: str
    sequence: int
    entry: AuditEntry | None
    previous_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Heads of chains (sequence and hash) at a point in time, and the digest of the previous checkpoint."""

    id: str
    created_at: str
    heads: Mapping[str, tuple[int, str]]
    previous: str
    signature: str = ""

    def content(self) -> bytes:
        """Return the bytes that are signed."""
        fields = asdict(self)
        del fields["signature"]
        return b"frontdesk audit checkpoint v1\x00" + json.dumps(fields, sort_keys=True).encode()

    def digest(self) -> str:
        """Return the digest by which the next checkpoint refers to this one."""
        return hashlib.sha256(self.content() + json.dumps(self.signature).encode()).hexdigest()

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Checkpoint:
        """Parse a checkpoint; raises ValueError, TypeError, KeyError or AttributeError if it is malformed."""
        try:
            whole = json.loads(text)
            heads = {str(chain): (int(sequence), str(digest)) for chain, (sequence, digest) in whole["heads"].items()}
        except (RecursionError, OverflowError) as error:
            raise ValueError("It is not a checkpoint.") from error
        checkpoint = cls(**{**whole, "heads": heads})
        texts = (checkpoint.id, checkpoint.created_at, checkpoint.previous, checkpoint.signature)
        if not all(isinstance(value, str) for value in texts):
            raise TypeError("It is not a checkpoint.")
        return checkpoint


@dataclass(frozen=True, slots=True)
class AuditKey:
    """Keys of the audit log, derived from one secret. `public` verifies checkpoints without the secret."""

    secret: bytes = field(repr=False)

    def entry_hash(self, chain: str, sequence: int, entry: AuditEntry, previous: str) -> str:
        """Return the hash of an entry at its place in a chain."""
        moment = entry.created_at.astimezone(UTC).isoformat(timespec="microseconds")
        entry_fields = [entry.tenant, entry.subject, entry.action, entry.target, entry.details, moment]
        fields = [chain, sequence, *entry_fields, previous]
        return hmac.new(self._derive_key(b"chain"), json.dumps(fields).encode(), hashlib.sha256).hexdigest()

    def answer_entry(self, record: Record, customer: str | None = None) -> AuditEntry:
        """Return the audit entry of an answer: model version, decision, customer and a salted fingerprint of the text.

        The salt is in the query's row (`queries.audit_salt`). An erasure deletes it, and then the fingerprint can no
        longer be matched with a text. `customer` is the keyed hash under which erasures record the customer.
        """
        answer = record.answer
        details = {
            "model_version": answer.model_version,
            "intent": answer.intent.label,
            "decision": answer.decision.action.value,
            "text": self.fingerprint(f"{record.audit_salt}\x00{record.text.text}"),
        }
        if customer is not None:
            details["customer"] = customer
        action = "answer" if answer.reply else "understand"
        caller, details_json = record.caller, json.dumps(details)
        return AuditEntry(caller.tenant, caller.subject, action, answer.query_id, details_json, record.created_at)

    def fingerprint(self, text: str) -> str:
        """Return the keyed hash of a text. It identifies the text only to holders of the text and the key."""
        return hmac.new(self._derive_key(b"text"), text.encode(), hashlib.sha256).hexdigest()

    def target_fingerprint(self, kind: str, *values: str) -> str:
        """Return the fingerprint of a resource, computed from its kind and decoded ids, not from the request path."""
        return self.fingerprint(json.dumps([kind, *values]))

    def sign_checkpoint(
        self, identity: str, at: datetime, heads: Mapping[str, tuple[int, str]], previous: str
    ) -> Checkpoint:
        """Return a signed checkpoint; `previous` is the digest of the previous one, or `BEGINNING`."""
        unsigned = Checkpoint(identity, at.astimezone(UTC).isoformat(timespec="microseconds"), dict(heads), previous)
        signature = base64.b64encode(self._signer().sign(unsigned.content())).decode()
        return Checkpoint(unsigned.id, unsigned.created_at, unsigned.heads, previous, signature)

    @property
    def public(self) -> Ed25519PublicKey:
        return self._signer().public_key()

    def _signer(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self._derive_key(b"checkpoint"))

    def _derive_key(self, purpose: bytes) -> bytes:
        return hashlib.sha256(b"frontdesk audit " + purpose + self.secret).digest()


def load_audit_key(folder: Path) -> AuditKey:
    """Load the key in `folder`/audit.key; create it on first run.

    Raises:
        ConfigurationError: the file can be read by group or others, or is damaged.
    """
    return AuditKey(load_or_create_secret(folder / AUDIT_KEY_FILE))


def verify(
    rows: Iterable[AuditRow],
    checkpoints: Sequence[Checkpoint],
    key: AuditKey,
    external: Sequence[Checkpoint] = (),
    beginnings: Mapping[str, tuple[int, str]] = MappingProxyType({}),
) -> list[str]:
    """Verify the log and return the findings, a sentence each; none if it is unchanged.

    Args:
        rows: all entries, by chain and sequence.
        checkpoints: those in the database of the rows, oldest first.
        key: of the installation.
        external: checkpoints that were stored outside of the database, in any order.
        beginnings: for chains whose first part retention has deleted, the sequence and hash of the last deleted entry,
            taken from entries of the log. A forged entry of that kind is detected like any other.
    """
    expected_hashes: dict[tuple[str, int], set[str]] = {}
    for checkpoint in (*checkpoints, *external):
        for chain, (sequence, digest) in checkpoint.heads.items():
            if sequence > beginnings.get(chain, _START)[0]:
                expected_hashes.setdefault((chain, sequence), set()).add(digest)
    findings = _check_checkpoints(checkpoints, external, key.public)
    chain, sequence, previous, is_broken = "", 0, BEGINNING, False
    for row in rows:
        if row.chain != chain:
            chain, is_broken = row.chain, False
            sequence, previous = beginnings.get(chain, _START)
        if row.entry is None:  # `previous_hash` of the next entry shows whether the order was kept
            findings.append(f"Chain {chain}, entry {row.sequence}: it is damaged, a value in it cannot be read.")
        elif not is_broken and (fault := _find_fault(row, row.entry, sequence, previous, key)) is not None:
            findings.append(f"Chain {chain}, entry {row.sequence}: {fault}.")
            is_broken = True  # the entries after it depend on it and are not reported
        for expected_hash in sorted(expected_hashes.pop((chain, row.sequence), set()) - {row.hash}):
            findings.append(
                f"Chain {chain}, entry {row.sequence}: a checkpoint has it with the hash {expected_hash[:12]}."
            )
        sequence, previous = row.sequence, row.hash
    findings += [
        f"Chain {chain}: cut off, a checkpoint has entry {sequence}." for chain, sequence in sorted(expected_hashes)
    ]
    return findings


def _find_fault(row: AuditRow, entry: AuditEntry, sequence: int, previous: str, key: AuditKey) -> str | None:
    if row.sequence != sequence + 1:
        return f"it follows entry {sequence}, so entries in between were removed"
    if row.previous_hash != previous:
        return "it does not follow the entry before it"
    if row.hash != key.entry_hash(row.chain, row.sequence, entry, row.previous_hash):
        return "its hash does not match: it was changed, or written without the key"
    return None


def _check_checkpoints(
    stored: Sequence[Checkpoint], external: Sequence[Checkpoint], public: Ed25519PublicKey
) -> list[str]:
    findings = []
    stored_digests = {checkpoint.digest() for checkpoint in stored}
    missing = [checkpoint for checkpoint in external if checkpoint.digest() not in stored_digests]
    for checkpoint in (*stored, *missing):
        try:
            public.verify(base64.b64decode(checkpoint.signature), checkpoint.content())
        except (InvalidSignature, ValueError):
            findings.append(f"Checkpoint {checkpoint.id}: not signed with the key of this installation.")
    previous = BEGINNING
    for checkpoint in stored:
        if checkpoint.previous != previous:
            findings.append(f"Checkpoint {checkpoint.id}: it does not follow the one before it.")
        previous = checkpoint.digest()
    return findings + [f"Checkpoint {checkpoint.id}: it was removed from the database." for checkpoint in missing]
