"""Audit entries for privileged operations (erasures, exports, administrators' operations), and the check of the log.

Each operation has two entries: one that is committed before it begins, and one with its outcome. If the outcome is
missing, the process ended during the operation. Frequent events are aggregated instead (`counts.py`).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine

from frontdesk.audit.chain import AuditKey, AuditRow, Checkpoint, load_audit_key, verify
from frontdesk.audit.checkpoints import parse_checkpoints
from frontdesk.config import Settings
from frontdesk.deadline import Deadline
from frontdesk.errors import FrontdeskError
from frontdesk.storage.sql.audit_log import all_audit_checkpoints, all_audit_entries
from frontdesk.storage.sql.audit_segments import chain_beginnings
from frontdesk.storage.sql.audit_trail import AuditTrail
from frontdesk.storage.transactions import write
from frontdesk.types import AuditEntry, Caller

OUTCOME = ".outcome"
"""Ends the action of the second entry: `erase`, then `erase.outcome`."""
OUTCOME_TIMEOUT_S = 5.0

_log = logging.getLogger("bentoml.frontdesk")  # below BentoML's own, so that a worker prints it


@dataclass(frozen=True, slots=True)
class PrivilegedOperation:
    """A privileged operation: caller, action, target (its kind and decoded ids) and the parameters of the request."""

    caller: Caller
    action: str
    target: tuple[str, ...]
    details: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Auditor:
    """Writes to this process's chain."""

    engine: Engine
    trail: AuditTrail
    key: AuditKey

    async def begin(self, operation: PrivilegedOperation, deadline: Deadline) -> None:
        """Commit the entry before the operation begins. An operation without an entry must not run.

        Raises:
            StorageUnavailable, DeadlineExceeded: the entry could not be committed in time.
        """
        await self._append(operation, operation.action, operation.details, deadline)

    async def finish(self, operation: PrivilegedOperation, outcome: Mapping[str, object]) -> None:
        """Commit the outcome of the operation. A failure to commit is logged and does not undo the operation."""
        details = {**operation.details, **outcome}
        try:
            await self._append(operation, f"{operation.action}{OUTCOME}", details, Deadline.after(OUTCOME_TIMEOUT_S))
        except FrontdeskError as error:
            _log.warning("The audit log lacks the outcome of %s: %s", operation.action, error.message)

    async def _append(
        self, operation: PrivilegedOperation, action: str, details: Mapping[str, object], deadline: Deadline
    ) -> None:
        caller, now = operation.caller, datetime.now(UTC)
        target = self.key.target_fingerprint(*operation.target)
        entry = AuditEntry(caller.tenant, caller.subject, action, target, json.dumps(details), now)

        def append(connection: Connection) -> None:
            self.trail.append(connection, [entry])

        await write(self.engine, append, deadline, "the audit log was written")


def open_auditor(settings: Settings, engine: Engine) -> Auditor:
    """Return an auditor with a new chain for this process."""
    key = load_audit_key(settings.keys)
    return Auditor(engine, AuditTrail(key.entry_hash), key)


@dataclass(frozen=True, slots=True)
class LogCheck:
    """Numbers of entries and checkpoints, a sentence for each finding, and the database's checkpoints (`stored`)."""

    entries: int
    checkpoints: int
    findings: list[str]
    stored: Sequence[Checkpoint] = ()


def check_log(connection: Connection, key: AuditKey, external: Sequence[Checkpoint]) -> LogCheck:
    """Verify every entry and checkpoint of the database, and the external checkpoints."""
    entries = 0

    def rows() -> Iterator[AuditRow]:
        nonlocal entries
        for stored in all_audit_entries(connection):
            entries += 1
            yield _row(stored)

    stored, damaged = parse_checkpoints(all_audit_checkpoints(connection))
    findings = ["A checkpoint in the database is damaged."] * damaged + verify(
        rows(), stored, key, external, chain_beginnings(connection)
    )
    return LogCheck(entries, len(stored), findings, stored)


def _row(columns: Mapping[str, Any]) -> AuditRow:
    """Return an audit row from the columns as read. Damaged values are None, and make `entry` None, too."""
    names = ("tenant", "subject", "action", "target", "details", "created_at")
    is_complete = all(value is not None for value in columns.values())
    return AuditRow(
        chain=columns["chain"] if columns["chain"] is not None else "?",
        sequence=columns["sequence"] if columns["sequence"] is not None else 0,
        entry=AuditEntry(**{name: columns[name] for name in names}) if is_complete else None,
        previous_hash=columns["previous_hash"] or "",
        hash=columns["hash"] or "",
    )
