"""Audit entries for privileged operations: erasures, exports, acts of administrators; and the check of the whole log.

Each operation has two entries: one that is committed before it begins, and one with its outcome. An operation without
an outcome was cut off by the end of its process. What happens often is counted instead (`audit_counts.py`).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from frontdesk.config import Settings
from frontdesk.deadline import Deadline
from frontdesk.errors import FrontdeskError
from frontdesk.security.audit import AuditKey, AuditRow, Checkpoint, audit_key, verify
from frontdesk.storage.access import write
from frontdesk.storage.audit_trail import AuditTrail
from frontdesk.storage.sql.audit import all_checkpoints, all_entries
from frontdesk.storage.sql.audit_segments import last_closing
from frontdesk.types import AuditEntry, Caller

OUTCOME = ".outcome"
"""Ends the action of the second entry: `erase`, then `erase.outcome`."""
OUTCOME_TIMEOUT_S = 5.0
WRITING_S = 10.0

_log = logging.getLogger("bentoml.frontdesk")  # below BentoML's own, so that a worker prints it


@dataclass(frozen=True, slots=True)
class Act:
    """A privileged operation: who, what, to which thing (its kind and decoded ids), and what was asked for."""

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
        """Committed before the act begins: what cannot be noted is not done.

        Raises:
            StorageUnavailable, DeadlineExceeded: the database did not take it in time.
        """
        await self._append(act, act.action, act.details, deadline)

    async def finish(self, act: Act, outcome: Mapping[str, object]) -> None:
        """Note how the act ended. Where the database does not take that in time it is logged, and the act stands."""
        details = {**act.details, **outcome}
        try:
            await self._append(act, f"{act.action}{OUTCOME}", details, Deadline.after(OUTCOME_TIMEOUT_S))
        except FrontdeskError as error:
            _log.warning("The outcome of %s is not in the audit log: %s", act.action, error.message)

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
    """How much there is, and what is wrong with it, a sentence each; `kept` are the database's checkpoints."""

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

    kept, damaged = _read(all_checkpoints(connection))
    findings = ["A checkpoint in the database is damaged."] * damaged + verify(
        rows(), kept, key, elsewhere, last_closing(connection)
    )
    return Checked(entries, len(kept), findings, kept)


def _row(kept: Mapping[str, Any]) -> AuditRow:
    """Of values as they were read, damaged ones None."""
    names = ("tenant", "subject", "action", "target", "details", "created_at")
    is_whole = all(value is not None for value in kept.values())
    return AuditRow(
        chain=kept["chain"] if kept["chain"] is not None else "?",
        sequence=kept["sequence"] if kept["sequence"] is not None else 0,
        entry=AuditEntry(**{name: kept[name] for name in names}) if is_whole else None,
        previous_hash=kept["previous_hash"] or "",
        hash=kept["hash"] or "",
    )


def lacking(kept: Sequence[Checkpoint], file: Path) -> list[Checkpoint]:
    """Checkpoints of the database that this host's file has not, the oldest first.

    One that was made within the last `WRITING_S` may be on its way into the file.
    """
    there = {checkpoint.digest() for checkpoint in checkpoints_in(file)[0]}
    latest = (datetime.now(UTC) - timedelta(seconds=WRITING_S)).isoformat(timespec="microseconds")
    return [one for one in kept if one.digest() not in there and one.created_at < latest]


def should_be_in_file(kept: Sequence[Checkpoint], hosts: int, host: str) -> list[Checkpoint]:
    """Those of `kept` that this host's file should hold: all where it is the only host.

    Where several hosts share the database none can be named, so a file that holds nothing is told by the checkpoints
    over this host's own chains.
    """
    if hosts == 1:
        return list(kept)
    return [one for one in kept if any(chain.startswith(f"{host}-") for chain in one.heads)]


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
