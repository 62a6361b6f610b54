"""Follow erasures that another process or host has made, in what this process and this host hold beside the database.

Every second, in a thread of each worker: which keys of the tenants that matter here were erased? Their replies leave
this worker's cache, and one worker of the host makes their rows in the spool anonymous. While nothing is held here the
database is not asked at all.

Moments of erasures are by the database's clock. They are read again for `OVERLAP`, because a transaction is seen only
after the moment that it notes.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

from sqlalchemy import Engine

from frontdesk.storage.database import begin_writing, reading, truncate_wal
from frontdesk.storage.failures import name_of
from frontdesk.storage.late import CLOCK_MARGIN
from frontdesk.storage.spool import Spool
from frontdesk.storage.sql.erasure import Erasures, database_now, list_erasures
from frontdesk.storage.sql.spools import SpoolReport, put_report
from frontdesk.storage.subjects import Fingerprint

EVERY_S = 1.0
OVERLAP = timedelta(seconds=60)
REPORT_EVERY = timedelta(seconds=30)
CLOSING_S = 5.0

_log = logging.getLogger("bentoml.frontdesk")  # below BentoML's own, so that a worker prints it


class _Seen:
    """Erasures that have been dealt with, so that each is dealt with once."""

    def __init__(self) -> None:
        self.since: datetime | None = None
        self._done: dict[tuple[str, str], datetime] = {}

    def fresh(self, erased: Erasures) -> Erasures:
        return {key: at for key, at in erased.items() if self._done.get(key) != at}

    def done(self, erased: Erasures, now: datetime) -> None:
        self.since = now - OVERLAP
        self._done = {key: at for key, at in {**self._done, **erased}.items() if at >= self.since}


class ErasureFollower:
    """Make it after a fork, never before. The thread begins at once.

    Args:
        engine: of the database.
        spool: this host's.
        fingerprint: the keyed hash under which the erased are known.
        tenants: those of whom this process holds cached replies.
        forget_replies: drops a tenant's replies; called in the thread.
    """

    def __init__(
        self,
        engine: Engine,
        spool: Spool,
        fingerprint: Fingerprint,
        tenants: Callable[[], set[str]] = set,
        forget_replies: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._engine = engine
        self._spool = spool
        self._fingerprint = fingerprint
        self._tenants = tenants
        self._forget_replies = forget_replies
        self._replies, self._rows = _Seen(), _Seen()
        self._replies.since = datetime.now(UTC) - OVERLAP  # nothing is in the cache of a process that starts
        self._reported: SpoolReport | None = None
        self._failures = 0
        self._logs_wait = Event()
        self._closed = Event()
        self._thread = Thread(target=self._run, name="frontdesk-erasures", daemon=True)
        self._thread.start()

    def truncate_soon(self) -> None:
        """Empty the write-ahead logs as soon as nobody reads them. From any thread."""
        self._logs_wait.set()

    def close(self) -> None:
        self._closed.set()
        self._thread.join(CLOSING_S)

    def _run(self) -> None:
        while not self._closed.wait(EVERY_S):
            try:
                self.turn()
                self._failures = 0
            except Exception as error:  # noqa: BLE001 - the thread must live: the database may be back at the next turn
                self._failures += 1
                if self._failures == 1:
                    _log.warning("Erasures of other hosts are not followed just now (%s).", name_of(error))

    def turn(self) -> None:
        """One look. Raises what the database raises; then nothing counts as dealt with."""
        with self._spool.eraser() as is_ours:
            if is_ours:
                self._follow_in_spool()
        if self._logs_wait.is_set():
            self._truncate()
        self._follow_in_replies()

    def _truncate(self) -> None:
        self._logs_wait.clear()
        with self._engine.connect() as connection:
            is_empty = truncate_wal(connection)
        if not (is_empty and self._spool.forget()):
            self._logs_wait.set()

    def _follow_in_replies(self) -> None:
        if tenants := self._tenants():
            with reading(self._engine) as connection:
                erased, now = list_erasures(connection, tenants, self._replies.since)
            fresh = self._replies.fresh(erased)
            for tenant in sorted({tenant for tenant, _ in fresh}):
                self._forget_replies(tenant)
            self._replies.done(erased, now)

    def _follow_in_spool(self) -> None:
        """Rows that wait or were refused, and what is kept under keys."""
        tenants, unknown = self._spool.tenants()
        if unknown:
            self._spool.adopt(self._fingerprint)
            tenants, _ = self._spool.tenants()
        now: datetime | None = None
        if tenants:
            with reading(self._engine) as connection:
                erased, now = list_erasures(connection, tenants, self._rows.since)
                ahead = database_now(connection) - datetime.now(UTC)
            if fresh := self._rows.fresh(erased):
                here = {key: at - ahead for key, at in fresh.items()}
                removed = sum(self._spool.erase(here, self._fingerprint, CLOCK_MARGIN).values())
                if removed and not self._spool.forget():
                    self._logs_wait.set()
            self._rows.done(erased, now)
        if self._engine.dialect.name == "postgresql":
            self._report(now)

    def _report(self, erased_until: datetime | None) -> None:
        """Tell all hosts what is here: at once where that has changed, and now and then."""
        waiting, refused = self._spool.backlog()
        last = self._reported
        changed = last is None or (last.waiting, last.refused) != (waiting, refused)
        with reading(self._engine) as connection:
            now = database_now(connection)
        if last is not None and not changed and now - last.seen_at < REPORT_EVERY:
            return
        report = SpoolReport(self._spool.id, socket.gethostname(), waiting, refused, erased_until or now, now)
        with begin_writing(self._engine) as connection:
            put_report(connection, report)
        self._reported = report
