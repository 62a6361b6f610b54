"""Append to the audit log in the transaction of the recorded operation: both are committed, or neither is.

Each process writes its own chains, so writers do not wait for each other. `entry_hash` links the entries
(`frontdesk/audit/chain.py`).
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from frontdesk.storage.sql.audit_log import chain_head, insert_audit_entries
from frontdesk.types import AuditEntry

EntryHash = Callable[[str, int, AuditEntry, str], str]


class AuditTrail:
    """One chain, by default a new one for this process.

    `entry_hash(chain, sequence, entry, previous hash)` returns the hash of an entry.
    """

    def __init__(self, entry_hash: EntryHash, chain: str | None = None) -> None:
        self._entry_hash = entry_hash
        self.chain = chain or f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"

    def append(self, connection: Connection, entries: Sequence[AuditEntry]) -> None:
        """Append the entries, which may be none, in the connection's transaction."""
        if not entries:
            return
        sequence, previous = chain_head(connection, self.chain)
        rows = []
        for entry in entries:
            sequence += 1
            digest = self._entry_hash(self.chain, sequence, entry, previous)
            rows.append(
                {
                    "chain": self.chain,
                    "sequence": sequence,
                    "tenant": entry.tenant,
                    "subject": entry.subject,
                    "action": entry.action,
                    "target": entry.target,
                    "details": entry.details,
                    "created_at": entry.created_at,
                    "previous_hash": previous,
                    "hash": digest,
                }
            )
            previous = digest
        insert_audit_entries(connection, rows)
