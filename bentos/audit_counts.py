"""Audit entries for what happens often: counted by caller, action, target and details, and written once a minute.

    add -> counts in memory -> within FLUSH_S the first entry of its kind, then one a minute with what came meanwhile

Reads of many rows, reads of administrators and refusals are counted, so that neither a busy client nor an attacker
fills the log. A caller has at most `MOST_KINDS` entries of an action in a minute; the rest is one entry for all others.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
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
MOST_IN_ALL = 4096
CLOSING_S = 5.0

_log = logging.getLogger("bentoml.frontdesk")  # below BentoML's own, so that a worker prints it


class _Kind(NamedTuple):
    """What is counted together. `details` is JSON."""

    tenant: str
    subject: str
    action: str
    target: str
    details: str


@dataclass(slots=True)
class _Count:
    since: datetime
    until: datetime
    requests: int = 0
    rows: int = 0

    def add(self, other: _Count) -> None:
        self.since, self.until = min(self.since, other.since), max(self.until, other.until)
        self.requests += other.requests
        self.rows += other.rows


class AuditCounts:
    """Counts of one process, and the thread that writes them to its chain.

    Args:
        engine: of the database.
        trail: this process's chain.
        key: makes fingerprints of targets.
        window_s: how long after an entry the next one of the same kind is written, in seconds.
    """

    def __init__(self, engine: Engine, trail: AuditTrail, key: AuditKey, window_s: float = WINDOW_S) -> None:
        self._engine = engine
        self._trail = trail
        self._key = key
        self._window_s = window_s
        self._lock = Lock()
        self._counts: dict[_Kind, _Count] = {}
        self._written_at: dict[_Kind, float] = {}
        self._kinds: dict[tuple[str, str, str], int] = {}
        self._closed = Event()
        self._thread = Thread(target=self._run, name="frontdesk-audit-counts", daemon=True)
        self._thread.start()

    def add(
        self, caller: Caller, action: str, target: tuple[str, ...], details: Mapping[str, object], rows: int = 0
    ) -> None:
        """Count one request, which read `rows` rows. It only touches memory."""
        written = json.dumps(details, sort_keys=True)
        now = datetime.now(UTC)
        kind = _Kind(caller.tenant, caller.subject, action, self._key.target(*target), written)
        with self._lock:
            kind = self._admitted(kind)
            count = self._counts.setdefault(kind, _Count(now, now))
            count.add(_Count(now, now, 1, rows))

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
            due = {kind: count for kind, count in self._counts.items() if everything or kind not in self._written_at}
            for kind in due:
                del self._counts[kind]
        if not due:
            return
        try:
            with begin_writing(self._engine) as connection:
                self._trail.append(connection, [_entry(kind, count) for kind, count in due.items()])
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
        owner = (kind.tenant, kind.subject, kind.action)
        others = json.dumps({"others": True})
        if len(self._counts) + len(self._written_at) >= MOST_IN_ALL:
            return _Kind("", "", kind.action, "", others)
        if self._kinds.get(owner, 0) >= MOST_KINDS:
            return _Kind(*owner, "", others)
        self._kinds[owner] = self._kinds.get(owner, 0) + 1
        return kind

    def _forget_old(self, now: float) -> None:
        self._written_at = {kind: at for kind, at in self._written_at.items() if now - at < self._window_s}
        self._kinds = {}
        for kind in {*self._counts, *self._written_at}:
            if kind.target:
                owner = (kind.tenant, kind.subject, kind.action)
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


def _entry(kind: _Kind, count: _Count) -> AuditEntry:
    told = {
        **json.loads(kind.details),
        "requests": count.requests,
        "rows": count.rows,
        "since": count.since.isoformat(timespec="milliseconds"),
        "until": count.until.isoformat(timespec="milliseconds"),
    }
    return AuditEntry(kind.tenant, kind.subject, kind.action, kind.target, json.dumps(told), datetime.now(UTC))
