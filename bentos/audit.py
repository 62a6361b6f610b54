"""What is done through the doors beside answering leaves a trace first: erasures, exports, acts of admins.

And the look at the whole log, as `frontdesk audit verify` takes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine

from frontdesk.config import Settings
from frontdesk.deadline import Deadline
from frontdesk.security.audit import AuditKey, AuditRow, Checkpoint, audit_key, verify
from frontdesk.storage.access import write
from frontdesk.storage.audit_trail import AuditTrail
from frontdesk.storage.sql.audit import all_checkpoints, all_entries
from frontdesk.storage.sql.audit_segments import last_closing
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


@dataclass(frozen=True, slots=True)
class Checked:
    """How much there is, and what is wrong with it, a sentence each."""

    entries: int
    checkpoints: int
    findings: list[str]


def checked(connection: Connection, key: AuditKey, elsewhere: Sequence[Checkpoint]) -> Checked:
    """Look at every entry and checkpoint of the database, and at those that were kept elsewhere."""
    entries = 0

    def rows() -> Iterator[AuditRow]:
        nonlocal entries
        for kept in all_entries(connection):
            entries += 1
            place = {name: kept[name] for name in ("chain", "sequence", "previous_hash", "hash")}
            yield AuditRow(entry=AuditEntry(**{name: kept[name] for name in kept if name not in place}), **place)

    kept, damaged = _read(all_checkpoints(connection))
    findings = ["A checkpoint in the database is damaged."] * damaged + verify(
        rows(), kept, key, elsewhere, last_closing(connection)
    )
    return Checked(entries, len(kept), findings)


def checkpoints_in(file: Path) -> tuple[list[Checkpoint], int]:
    """Those in a file, one a line, and how many lines are none. A file that is not there has none."""
    if not file.exists():
        return [], 0
    return _read([line for line in file.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()])


def _read(written: Sequence[str]) -> tuple[list[Checkpoint], int]:
    found = []
    for content in written:
        try:
            found.append(Checkpoint.from_json(content))
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
    return found, len(written) - len(found)
