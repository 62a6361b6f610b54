"""What is done through the doors beside answering leaves a trace first: erasures, exports, acts of admins."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine

from frontdesk.config import Settings
from frontdesk.deadline import Deadline
from frontdesk.security.audit import AuditKey, audit_key
from frontdesk.storage.access import write
from frontdesk.storage.audit_trail import AuditTrail
from frontdesk.types import AuditEntry, Caller


@dataclass(frozen=True, slots=True)
class Auditor:
    """Writes to this process's chain."""

    engine: Engine
    trail: AuditTrail
    key: AuditKey

    async def note(self, caller: Caller, action: str, path: str, request_id: str, deadline: Deadline) -> None:
        """Committed before the act begins: what cannot be noted is not done.

        Raises:
            StorageUnavailable, DeadlineExceeded: the database did not take it in time.
        """
        details = json.dumps({"request_id": request_id})  # the path may name a customer, so its fingerprint is kept
        target = self.key.fingerprint(path)
        entry = AuditEntry(caller.tenant, caller.subject, action, target, details, datetime.now(UTC))

        def append(connection: Connection) -> None:
            self.trail.append(connection, [entry])

        await write(self.engine, append, deadline, "the audit log was written")


def open_auditor(settings: Settings, engine: Engine) -> Auditor:
    """With a chain of its own for this process."""
    key = audit_key(settings.keys)
    return Auditor(engine, AuditTrail(key.link), key)
