"""Aggregated audit entries for frequent events: counts by caller, action, target and details, written once a minute.

    add -> counters in memory -> first entry of a kind within FLUSH_S, then one entry a minute with the counts since

Reads of rows, reads by administrators and refusals are counted, so that neither a busy client nor an attacker fills the
log. For each action a caller has at most `MAX_KINDS` entries a minute for requests that read rows, and as many for
requests that read none: requests for missing rows cannot displace a read. Requests above the limit share one overflow
entry. If they read rows, that entry lists the fingerprints of the rows' targets (`targets`), so no target is lost.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event, Lock, Thread
from typing import NamedTuple

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from frontdesk.audit.chain import AuditKey
from frontdesk.storage.database import begin_writing
from frontdesk.storage.sql.audit_trail import AuditTrail
from frontdesk.types import AuditEntry, Caller

FLUSH_S = 1.0
WINDOW_S = 60.0
MAX_KINDS = 64
MAX_TARGETS = 500
"""Maximum number of targets in one entry. The rest go into further entries."""
MAX_KINDS_IN_ALL = 4096
"""Maximum number of kinds that are counted separately, over all callers."""
CLOSING_S = 5.0

_log = logging.getLogger("bentoml.frontdesk")  # below BentoML's own, so that a worker prints it


class _RequestKind(NamedTuple):
    """Key of a counter. `details` is JSON; `has_rows`: the requests read rows."""

    tenant: str
    subject: str
    action: str
    target: str
    details: str
    has_rows: bool = False


@dataclass(slots=True)
class _RequestCount:
    """Counter of one kind: first and last request, numbers of requests and rows, targets of an overflow entry."""

    since: datetime
    until: datetime
    requests: int = 0
    rows: int = 0
    targets: set[str] = field(default_factory=set)

    def add(self, other: _RequestCount) -> None:
        self.since, self.until = min(self.since, other.since), max(self.until, other.until)
        self.requests += other.requests
        self.rows += other.rows
        self.targets |= other.targets


class AuditCounts:
    """Counters of one process, and the thread that appends them to its chain.

    Args:
        engine: the database.
        trail: this process's chain.
        key: computes the fingerprints of targets.
        window_s: interval between two entries of the same kind, in seconds.
        on_overflow: called with the action for each request that is counted in an overflow entry. Must not block.
    """

    def __init__(
        self,
        engine: Engine,
        trail: AuditTrail,
        key: AuditKey,
        window_s: float = WINDOW_S,
        on_overflow: Callable[[str], None] = lambda _action: None,
    ) -> None:
        self._engine = engine
        self._trail = trail
        self._key = key
        self._window_s = window_s
        self._overflowed = on_overflow
        self._lock = Lock()
        self._counts: dict[_RequestKind, _RequestCount] = {}
        self._last_written: dict[_RequestKind, float] = {}
        self._kinds: dict[tuple[str, str, str, bool], int] = {}
        self._closed = Event()
        self._thread = Thread(target=self._run, name="frontdesk-audit-counts", daemon=True)
        self._thread.start()

    def add(
        self, caller: Caller, action: str, target: tuple[str, ...], details: Mapping[str, object], rows: int = 0
    ) -> None:
        """Count one request that read `rows` rows, in memory only."""
        encoded = json.dumps(details, sort_keys=True)
        now = datetime.now(UTC)
        own_kind = _RequestKind(
            caller.tenant, caller.subject, action, self._key.target_fingerprint(*target), encoded, rows > 0
        )
        with self._lock:
            kind = self._kind_or_overflow(own_kind)
            if (is_new := kind not in self._counts) and kind.target == "" and kind not in self._last_written:
                _log.warning(
                    "Too many different requests (%s): the audit log aggregates the rest into one entry.", action
                )
            count = _RequestCount(now, now) if is_new else self._counts[kind]
            targets = _accessed_targets(own_kind, details) if not kind.target and rows else set()
            count.add(_RequestCount(now, now, 1, rows, targets))
            self._counts[kind] = count
        if not kind.target:
            self._overflowed(action)

    def count_refusal(self, caller: Caller, place: str, reason: str) -> None:
        """Count a request that authentication refused. Tenant and subject are empty if the token proved no caller."""
        if not caller.subject:
            place = ""  # needs no valid token, so all of these share one entry a minute
        self.add(caller, "refused", ("route", place), {"route": place, "reason": reason})

    def flush(self, *, everything: bool = False) -> None:
        """Write the entries that are due, or all of them, in one transaction.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the transaction failed; the counts stay in memory for the next flush.
        """
        now = time.monotonic()
        with self._lock:
            self._forget_old_kinds(now)
            due = {
                kind: count
                for kind, count in self._counts.items()
                if everything or kind not in self._last_written or len(count.targets) >= MAX_TARGETS
            }
            for kind in due:
                del self._counts[kind]
        if not due:
            return
        try:
            with begin_writing(self._engine) as connection:
                self._trail.append(
                    connection, [entry for kind, count in due.items() for entry in _entries(kind, count)]
                )
        except SQLAlchemyError:
            with self._lock:
                for kind, count in due.items():
                    if (later := self._counts.setdefault(kind, count)) is not count:
                        later.add(count)
            raise
        with self._lock:
            self._last_written.update(dict.fromkeys(due, now))

    def close(self) -> None:
        """Write the remaining counts and stop the thread."""
        self._closed.set()
        self._thread.join(CLOSING_S)

    def _kind_or_overflow(self, kind: _RequestKind) -> _RequestKind:
        """Return the kind itself, or the overflow kind if its caller, or all callers together, reached the limit."""
        if kind in self._counts or kind in self._last_written:
            return kind
        owner = (kind.tenant, kind.subject, kind.action, kind.has_rows)
        overflow = kind._replace(target="", details=json.dumps({"others": True}))
        if len(self._counts) + len(self._last_written) >= MAX_KINDS_IN_ALL:
            return overflow if kind.has_rows else overflow._replace(tenant="", subject="")
        if self._kinds.get(owner, 0) >= MAX_KINDS:
            return overflow
        self._kinds[owner] = self._kinds.get(owner, 0) + 1
        return kind

    def _forget_old_kinds(self, now: float) -> None:
        self._last_written = {kind: at for kind, at in self._last_written.items() if now - at < self._window_s}
        self._kinds = {}
        for kind in {*self._counts, *self._last_written}:
            if kind.target:
                owner = (kind.tenant, kind.subject, kind.action, kind.has_rows)
                self._kinds[owner] = self._kinds.get(owner, 0) + 1

    def _run(self) -> None:
        has_failed = False
        while not self._closed.wait(FLUSH_S):
            has_failed = self._try_flush(has_failed, everything=False)
        self._try_flush(has_failed, everything=True)

    def _try_flush(self, has_failed: bool, *, everything: bool) -> bool:
        """Flush; True if the database failed. Logs the first failure in a row, and any failure of the final flush."""
        try:
            self.flush(everything=everything)
        except SQLAlchemyError as error:
            if not has_failed or everything:
                _log.warning("Audit counts could not be written (%s).", type(error).__name__)
            return True
        return False


def _accessed_targets(kind: _RequestKind, details: Mapping[str, object]) -> set[str]:
    """Return the fingerprints of what a request read: its target, its customer, and the customer of its filters."""
    filters = details.get("filters")
    filtered = filters.get("customer_id") if isinstance(filters, Mapping) else None
    customers = (details.get("customer"), filtered)
    return {kind.target, *(str(customer) for customer in customers if customer is not None)}


def _entries(kind: _RequestKind, count: _RequestCount) -> list[AuditEntry]:
    """Return the entry of a counter, and further entries if it has more than `MAX_TARGETS` targets."""
    targets = sorted(count.targets)
    parts = [targets[start : start + MAX_TARGETS] for start in range(0, len(targets), MAX_TARGETS)]
    first = _entry(kind, count, {"targets": parts[0]} if parts else {})
    return [first, *(_entry(kind, _RequestCount(count.since, count.until), {"targets": part}) for part in parts[1:])]


def _entry(kind: _RequestKind, count: _RequestCount, extra: Mapping[str, object]) -> AuditEntry:
    details = {
        **json.loads(kind.details),
        **extra,
        "requests": count.requests,
        "rows": count.rows,
        "since": count.since.isoformat(timespec="milliseconds"),
        "until": count.until.isoformat(timespec="milliseconds"),
    }
    return AuditEntry(kind.tenant, kind.subject, kind.action, kind.target, json.dumps(details), datetime.now(UTC))
