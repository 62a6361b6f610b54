"""Audit entries for what happens often: counted by caller, action, target and details, and written once a minute.

    add -> counts in memory -> within FLUSH_S the first entry of its kind, then one a minute with what came meanwhile

Reads of many rows, reads of administrators and refusals are counted, so that neither a busy client nor an attacker
fills the log. A caller has at most `MOST_KINDS` entries of an action in a minute, and as many of requests that read no
row: asking for what is not there never hides a read. The rest is one entry for all others. Where those read rows, that
entry lists the fingerprints of what was read (`targets`), so no read of rows ever loses its target.
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

from frontdesk.security.audit import AuditKey
from frontdesk.storage.audit_trail import AuditTrail
from frontdesk.storage.database import begin_writing
from frontdesk.types import AuditEntry, Caller

FLUSH_S = 1.0
WINDOW_S = 60.0
MOST_KINDS = 64
MOST_TARGETS = 500
"""That one entry lists; further ones are in further entries."""
MOST_IN_ALL = 4096
CLOSING_S = 5.0

_log = logging.getLogger("bentoml.frontdesk")  # below BentoML's own, so that a worker prints it


class _Kind(NamedTuple):
    """What is counted together. `details` is JSON; `found` says whether rows were read."""

    tenant: str
    subject: str
    action: str
    target: str
    details: str
    found: bool = False


@dataclass(slots=True)
class _Count:
    since: datetime
    until: datetime
    requests: int = 0
    rows: int = 0
    targets: set[str] = field(default_factory=set)

    def add(self, other: _Count) -> None:
        self.since, self.until = min(self.since, other.since), max(self.until, other.until)
        self.requests += other.requests
        self.rows += other.rows
        self.targets |= other.targets


class AuditCounts:
    """Counts of one process, and the thread that writes them to its chain.

    Args:
        engine: of the database.
        trail: this process's chain.
        key: makes fingerprints of targets.
        window_s: how long after an entry the next one of the same kind is written, in seconds.
        overflowed: called with the action for each request that is counted in the entry for all others; quick.
    """

    def __init__(
        self,
        engine: Engine,
        trail: AuditTrail,
        key: AuditKey,
        window_s: float = WINDOW_S,
        overflowed: Callable[[str], None] = lambda _action: None,
    ) -> None:
        self._engine = engine
        self._trail = trail
        self._key = key
        self._window_s = window_s
        self._overflowed = overflowed
        self._lock = Lock()
        self._counts: dict[_Kind, _Count] = {}
        self._written_at: dict[_Kind, float] = {}
        self._kinds: dict[tuple[str, str, str, bool], int] = {}
        self._closed = Event()
        self._thread = Thread(target=self._run, name="frontdesk-audit-counts", daemon=True)
        self._thread.start()

    def add(
        self, caller: Caller, action: str, target: tuple[str, ...], details: Mapping[str, object], rows: int = 0
    ) -> None:
        """Count one request, which read `rows` rows. It only touches memory."""
        written = json.dumps(details, sort_keys=True)
        now = datetime.now(UTC)
        asked = _Kind(caller.tenant, caller.subject, action, self._key.target(*target), written, rows > 0)
        with self._lock:
            kind = self._admitted(asked)
            if (is_new := kind not in self._counts) and kind.target == "" and kind not in self._written_at:
                _log.warning(
                    "Too many different requests (%s): the audit log counts the rest of them together.", action
                )
            count = _Count(now, now) if is_new else self._counts[kind]
            count.add(_Count(now, now, 1, rows, _named_in(asked, details) if not kind.target and rows else set()))
            self._counts[kind] = count
        if not kind.target:
            self._overflowed(action)

    def refused(self, caller: Caller, place: str, reason: str) -> None:
        """Count a request that the gate refused; the caller's names are empty where its token proved none."""
        if not caller.subject:
            place = ""  # anybody can send such a token: one entry a minute for all of them
        self.add(caller, "refused", ("route", place), {"route": place, "reason": reason})

    def flush(self, *, everything: bool = False) -> None:
        """Write the entries that are due, or all of them, in one transaction.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database did not take them; they are kept for the next time.
        """
        now = time.monotonic()
        with self._lock:
            self._forget_old(now)
            due = {
                kind: count
                for kind, count in self._counts.items()
                if everything or kind not in self._written_at or len(count.targets) >= MOST_TARGETS
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
            self._written_at.update(dict.fromkeys(due, now))

    def close(self) -> None:
        """Write what is left, and stop."""
        self._closed.set()
        self._thread.join(CLOSING_S)

    def _admitted(self, kind: _Kind) -> _Kind:
        """The kind, or the one for all others where its caller, or everybody together, has too many."""
        if kind in self._counts or kind in self._written_at:
            return kind
        owner = (kind.tenant, kind.subject, kind.action, kind.found)
        others = kind._replace(target="", details=json.dumps({"others": True}))
        if len(self._counts) + len(self._written_at) >= MOST_IN_ALL:
            return others if kind.found else others._replace(tenant="", subject="")
        if self._kinds.get(owner, 0) >= MOST_KINDS:
            return others
        self._kinds[owner] = self._kinds.get(owner, 0) + 1
        return kind

    def _forget_old(self, now: float) -> None:
        self._written_at = {kind: at for kind, at in self._written_at.items() if now - at < self._window_s}
        self._kinds = {}
        for kind in {*self._counts, *self._written_at}:
            if kind.target:
                owner = (kind.tenant, kind.subject, kind.action, kind.found)
                self._kinds[owner] = self._kinds.get(owner, 0) + 1

    def _run(self) -> None:
        is_away = False
        while not self._closed.wait(FLUSH_S):
            is_away = self._try_flush(is_away, everything=False)
        self._try_flush(is_away, everything=True)

    def _try_flush(self, is_away: bool, *, everything: bool) -> bool:
        """Is the database away?"""
        try:
            self.flush(everything=everything)
        except SQLAlchemyError as error:
            if not is_away or everything:
                _log.warning("Audit counts were not written this time (%s).", type(error).__name__)
            return True
        return False


def _named_in(kind: _Kind, details: Mapping[str, object]) -> set[str]:
    """Fingerprints of what a request read: its target, its customer, and the customer that its filters name."""
    filters = details.get("filters")
    named = filters.get("customer_id") if isinstance(filters, Mapping) else None
    return {kind.target, *(str(each) for each in (details.get("customer"), named) if each is not None)}


def _entries(kind: _Kind, count: _Count) -> list[AuditEntry]:
    """One, and where it has more targets than an entry may list, further ones with the rest of them."""
    targets = sorted(count.targets)
    parts = [targets[start : start + MOST_TARGETS] for start in range(0, len(targets), MOST_TARGETS)]
    first = _entry(kind, count, {"targets": parts[0]} if parts else {})
    return [first, *(_entry(kind, _Count(count.since, count.until), {"targets": part}) for part in parts[1:])]


def _entry(kind: _Kind, count: _Count, more: Mapping[str, object]) -> AuditEntry:
    told = {
        **json.loads(kind.details),
        **more,
        "requests": count.requests,
        "rows": count.rows,
        "since": count.since.isoformat(timespec="milliseconds"),
        "until": count.until.isoformat(timespec="milliseconds"),
    }
    return AuditEntry(kind.tenant, kind.subject, kind.action, kind.target, json.dumps(told), datetime.now(UTC))
