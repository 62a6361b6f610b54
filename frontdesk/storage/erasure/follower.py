"""Apply erasures by other processes and hosts to the reply cache of this process and the spool of this host.

A thread of each worker polls every second for erasures of the tenants with data in one of them. It deletes the tenants'
replies from this worker's cache, and one worker of the host anonymises the rows in the spool. The database is not
queried while both are empty.

Times of erasures are by the database's clock. The last `OVERLAP` is read again, because a transaction becomes visible
only after the time that it records.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

from sqlalchemy import Engine

from frontdesk.storage.database import begin_reading, begin_writing, truncate_wal
from frontdesk.storage.db_errors import error_name
from frontdesk.storage.erasure_subjects import Fingerprint
from frontdesk.storage.spool.replay import CLOCK_MARGIN
from frontdesk.storage.spool.spool_file import Spool
from frontdesk.storage.sql.erasure import Erasures, database_now, list_erasures
from frontdesk.storage.sql.spool_reports import SpoolReport, store_report

POLL_EVERY_S = 1.0
OVERLAP = timedelta(seconds=60)
REPORT_EVERY = timedelta(seconds=30)
CLOSE_TIMEOUT_S = 5.0

_log = logging.getLogger("bentoml.frontdesk")  # below BentoML's own, so that a worker prints it


class _AppliedErasures:
    """Erasures that have been applied, so that each is applied once."""

    def __init__(self) -> None:
        self.since: datetime | None = None
        self._applied: dict[tuple[str, str], datetime] = {}

    def unapplied(self, erased: Erasures) -> Erasures:
        return {key: at for key, at in erased.items() if self._applied.get(key) != at}

    def mark_applied(self, erased: Erasures, now: datetime) -> None:
        self.since = now - OVERLAP
        self._applied = {key: at for key, at in {**self._applied, **erased}.items() if at >= self.since}


class ErasureFollower:
    """Background thread that applies erasures. Create it after a fork, never before: the thread starts at once.

    Args:
        engine: of the database.
        spool: of this host.
        fingerprint: computes the keyed hashes under which erasures are recorded.
        tenants: returns the tenants with cached replies in this process.
        delete_replies: deletes a tenant's replies; called in the thread.
    """

    def __init__(
        self,
        engine: Engine,
        spool: Spool,
        fingerprint: Fingerprint,
        tenants: Callable[[], set[str]] = set,
        delete_replies: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._engine = engine
        self._spool = spool
        self._fingerprint = fingerprint
        self._tenants = tenants
        self._forget_replies = delete_replies
        self._replies, self._rows = _AppliedErasures(), _AppliedErasures()
        self._replies.since = datetime.now(UTC) - OVERLAP  # the cache of a new process is empty
        self._reported: SpoolReport | None = None
        self._failures = 0
        self._truncation_due = Event()
        self._closed = Event()
        self._thread = Thread(target=self._run, name="frontdesk-erasures", daemon=True)
        self._thread.start()

    def truncate_wal_later(self) -> None:
        """Request that the write-ahead logs are truncated once no reader holds them. Thread-safe."""
        self._truncation_due.set()

    def close(self) -> None:
        self._closed.set()
        self._thread.join(CLOSE_TIMEOUT_S)

    def _run(self) -> None:
        while not self._closed.wait(POLL_EVERY_S):
            try:
                self.poll()
                self._failures = 0
            except Exception as error:  # noqa: BLE001 - the thread must live: the database may be back at the next poll
                self._failures += 1
                if self._failures == 1:
                    _log.warning("Erasures of other hosts cannot be applied now (%s); trying again.", error_name(error))

    def poll(self) -> None:
        """Apply new erasures. If the database raises, no erasure of that step counts as applied."""
        with self._spool.try_erasure_lock() as has_lock:
            if has_lock:
                self._apply_to_spool()
        if self._truncation_due.is_set():
            self._truncate_wals()
        self._apply_to_replies()

    def _truncate_wals(self) -> None:
        self._truncation_due.clear()
        with self._engine.connect() as connection:
            is_empty = truncate_wal(connection)
        if not (is_empty and self._spool.truncate_log()):
            self._truncation_due.set()

    def _apply_to_replies(self) -> None:
        if tenants := self._tenants():
            with begin_reading(self._engine) as connection:
                erased, now = list_erasures(connection, tenants, self._replies.since)
            unapplied = self._replies.unapplied(erased)
            for tenant in sorted({tenant for tenant, _ in unapplied}):
                self._forget_replies(tenant)
            self._replies.mark_applied(erased, now)

    def _apply_to_spool(self) -> None:
        """Anonymise waiting and refused rows, and delete answers under Idempotency-Keys."""
        tenants, has_rows_without_tenant = self._spool.tenants()
        if has_rows_without_tenant:
            self._spool.add_missing_origins(self._fingerprint)
            tenants, _ = self._spool.tenants()
        now: datetime | None = None
        if tenants:
            with begin_reading(self._engine) as connection:
                erased, now = list_erasures(connection, tenants, self._rows.since)
                clock_offset = database_now(connection) - datetime.now(UTC)
            if unapplied := self._rows.unapplied(erased):
                erased_at = {key: at - clock_offset for key, at in unapplied.items()}
                removed = sum(self._spool.erase(erased_at, self._fingerprint, CLOCK_MARGIN).values())
                if removed and not self._spool.truncate_log():
                    self._truncation_due.set()
            self._rows.mark_applied(erased, now)
        if self._engine.dialect.name == "postgresql":
            self._report_spool_backlog(now)

    def _report_spool_backlog(self, erased_until: datetime | None) -> None:
        """Publish the backlog of this spool to all hosts: on every change, and every `REPORT_EVERY`."""
        waiting, refused = self._spool.backlog()
        last = self._reported
        changed = last is None or (last.waiting, last.refused) != (waiting, refused)
        with begin_reading(self._engine) as connection:
            now = database_now(connection)
        if last is not None and not changed and now - last.seen_at < REPORT_EVERY:
            return
        report = SpoolReport(self._spool.id, socket.gethostname(), waiting, refused, erased_until or now, now)
        with begin_writing(self._engine) as connection:
            store_report(connection, report)
        self._reported = report
