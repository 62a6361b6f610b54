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

from frontdesk.audit.chain import AuditKey, AuditRow, Checkpoint, audit_key, verify
from frontdesk.audit.checkpoints import parse_checkpoints
from frontdesk.config import Settings
from frontdesk.deadline import Deadline
from frontdesk.errors import FrontdeskError
from frontdesk.storage.sql.audit import all_checkpoints, all_entries
from frontdesk.storage.sql.audit_segments import last_closing
from frontdesk.storage.sql.audit_trail import AuditTrail
from frontdesk.storage.transactions import write
from frontdesk.types import AuditEntry, Caller

OUTCOME = ".outcome"
"""Ends the action of the second entry: `erase`, then `erase.outcome`."""
OUTCOME_TIMEOUT_S = 5.0

_log = logging.getLogger("bentoml.frontdesk")  # below BentoML's own, so that a worker prints it


@dataclass(frozen=True, slots=True)
class Act:
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

    async def begin(self, act: Act, deadline: Deadline) -> None:
        """Commit the entry before the operation begins. An operation without an entry must not run.

        Raises:
            StorageUnavailable, DeadlineExceeded: the entry could not be committed in time.
        """
        await self._append(act, act.action, act.details, deadline)

    async def finish(self, act: Act, outcome: Mapping[str, object]) -> None:
        """Commit the outcome of the operation. A failure to commit is logged and does not undo the operation."""
        details = {**act.details, **outcome}
        try:
            await self._append(act, f"{act.action}{OUTCOME}", details, Deadline.after(OUTCOME_TIMEOUT_S))
        except FrontdeskError as error:
            _log.warning("The audit log lacks the outcome of %s: %s", act.action, error.message)

    async def _append(self, act: Act, action: str, details: Mapping[str, object], deadline: Deadline) -> None:
        caller, now = act.caller, datetime.now(UTC)
        target = self.key.target(*act.target)
        entry = AuditEntry(caller.tenant, caller.subject, action, target, json.dumps(details), now)

        def append(connection: Connection) -> None:
            self.trail.append(connection, [entry])

        await write(self.engine, append, deadline, "the audit log was written")


def open_auditor(settings: Settings, engine: Engine) -> Auditor:
    """With a chain of its own for this process."""
    key = audit_key(settings.keys)
    return Auditor(engine, AuditTrail(key.link), key)


@dataclass(frozen=True, slots=True)
class Checked:
    """Numbers of entries and checkpoints, one sentence for each finding, and the database's checkpoints (`kept`)."""

    entries: int
    checkpoints: int
    findings: list[str]
    kept: Sequence[Checkpoint] = ()


def checked(connection: Connection, key: AuditKey, elsewhere: Sequence[Checkpoint]) -> Checked:
    """Look at every entry and checkpoint of the database, and at those that were kept elsewhere."""
    entries = 0

    def rows() -> Iterator[AuditRow]:
        nonlocal entries
        for kept in all_entries(connection):
            entries += 1
            yield _row(kept)

    kept, damaged = parse_checkpoints(all_checkpoints(connection))
    findings = ["A checkpoint in the database is damaged."] * damaged + verify(
        rows(), kept, key, elsewhere, last_closing(connection)
    )
    return Checked(entries, len(kept), findings, kept)


def _row(columns: Mapping[str, Any]) -> AuditRow:
    """An audit row from the columns as read; a damaged value is None. `entry` is None if any value is damaged."""
    names = ("tenant", "subject", "action", "target", "details", "created_at")
    is_complete = all(value is not None for value in columns.values())
    return AuditRow(
        chain=columns["chain"] if columns["chain"] is not None else "?",
        sequence=columns["sequence"] if columns["sequence"] is not None else 0,
        entry=AuditEntry(**{name: columns[name] for name in names}) if is_complete else None,
        previous_hash=columns["previous_hash"] or "",
        hash=columns["hash"] or "",
    )
