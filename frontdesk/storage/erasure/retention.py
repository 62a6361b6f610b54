"""Retention: remove data that is older than `storage.retention_days` allows, once a day, in one elected process.

Rows are removed in small transactions, so that other writers do not wait long. Each run writes an audit entry and a row
in `retention_runs`. Rows of `queries` are emptied as by an erasure, so counts and analytics stay correct.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

from sqlalchemy import Engine

from frontdesk.identifiers import uuid7
from frontdesk.storage.database import begin_reading, begin_writing, truncate_wal
from frontdesk.storage.db_errors import error_name
from frontdesk.storage.leader_election import RETENTION_LOCK, LeaderElection
from frontdesk.storage.outbox.event_file import redact_events_before
from frontdesk.storage.sql.audit_segments import delete_segments, expired_segments, truncation_details
from frontdesk.storage.sql.audit_trail import AuditTrail
from frontdesk.storage.sql.personal_data import TABLES
from frontdesk.storage.sql.retention import RetentionRule, insert_retention_run, last_retention_run
from frontdesk.types import AuditEntry

ROWS_PER_TRANSACTION = 500
RUN_EVERY = timedelta(days=1)
POLL_EVERY_S = 60.0
CLOSE_TIMEOUT_S = 5.0
SUBJECT = "retention"
EVENTS, AUDIT_LOG = "events", "audit_log"

_log = logging.getLogger("bentoml.frontdesk")  # below BentoML's own, so that a worker prints it


@dataclass(frozen=True, slots=True)
class TableReport:
    """One table of a report. `days` is its rule, None for "keep"; `rows` is the number of rows removed or to remove."""

    table: str
    days: float | None
    rows: int


@dataclass(frozen=True, slots=True)
class RetentionReport:
    """Result of a run, or a preview of one. `last_run_at` is the end of the last run."""

    at: datetime
    tables: tuple[TableReport, ...]
    last_run_at: datetime | None = None

    def to_json(self) -> str:
        return json.dumps(asdict(self), default=lambda moment: moment.isoformat())


@dataclass(frozen=True, slots=True)
class Retention:
    """Applies the rules: `days` by table name, None for "keep". `events` is the events file of the sink `file`."""

    engine: Engine
    trail: AuditTrail
    days: Mapping[str, float | None]
    events: Path

    def preview(self, now: datetime | None = None) -> RetentionReport:
        """Return what a run would remove now.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database is unavailable.
            OSError: the events file cannot be read.
        """
        now = now or datetime.now(UTC)
        with begin_reading(self.engine) as connection:
            tables = [
                TableReport(table.name, days, table.expiry.expired.count(connection, now - timedelta(days=days)))
                for table in TABLES
                if table.expiry is not None and (days := self.days.get(table.name)) is not None
            ]
            if (days := self.days.get(EVENTS)) is not None:
                rows = redact_events_before(self.events, now - timedelta(days=days), count_only=True)
                tables.append(TableReport(EVENTS, days, rows))
            if (days := self.days.get(AUDIT_LOG)) is not None:
                segments = expired_segments(connection, now - timedelta(days=days))
                tables.append(TableReport(AUDIT_LOG, days, sum(segment.entries for segment in segments)))
            last_run_at = last_retention_run(connection)
        return RetentionReport(now, self._append_remaining_rules(tables), last_run_at)

    def run(self, now: datetime | None = None, subject: str = SUBJECT) -> RetentionReport:
        """Remove expired data, write an audit entry, and return what was removed.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database is unavailable; rows removed before that stay removed.
            OSError: the events file cannot be written.
        """
        now = now or datetime.now(UTC)
        removed = [
            TableReport(table.name, days, self._remove_expired_rows(table.expiry, now - timedelta(days=days)))
            for table in TABLES
            if table.expiry is not None and (days := self.days.get(table.name)) is not None
        ]
        if (days := self.days.get(EVENTS)) is not None:
            removed.append(TableReport(EVENTS, days, redact_events_before(self.events, now - timedelta(days=days))))
        if (days := self.days.get(AUDIT_LOG)) is not None:
            removed.append(TableReport(AUDIT_LOG, days, self._delete_expired_audit_segments(now, days, subject)))
        report = RetentionReport(now, self._append_remaining_rules(removed), datetime.now(UTC))
        counts = {table.table: table.rows for table in removed}
        with begin_writing(self.engine) as connection:
            self.trail.append(connection, [_entry(subject, "retention.run", counts)])
            insert_retention_run(connection, uuid7(), now, datetime.now(UTC), report.to_json())
        with self.engine.connect() as connection:
            truncate_wal(connection)
        return report

    def _append_remaining_rules(self, tables: Sequence[TableReport]) -> tuple[TableReport, ...]:
        """Return `tables` followed by the rules that are not in it, with zero rows."""
        names = {table.table for table in tables}
        return (*tables, *(TableReport(name, days, 0) for name, days in self.days.items() if name not in names))

    def _remove_expired_rows(self, expiry: RetentionRule, before: datetime) -> int:
        """Remove the rows of a table from before a time and return their number."""
        count = 0
        while True:
            with begin_writing(self.engine) as connection:
                ids = expiry.expired.batch(connection, before, ROWS_PER_TRANSACTION)
                if not ids:
                    return count
                expiry.remove(connection, ids)
            count += len(ids)

    def _delete_expired_audit_segments(self, now: datetime, days: float, subject: str) -> int:
        """Write the entry with the new beginnings of the chains and delete the entries before, in one transaction."""
        with begin_writing(self.engine) as connection:
            segments = expired_segments(connection, now - timedelta(days=days))
            if not segments:
                return 0
            details = truncation_details(connection, segments)
            self.trail.append(connection, [_entry(subject, "retention.audit_log", details)])
            return delete_segments(connection, segments)


def _entry(subject: str, action: str, details: Mapping[str, object]) -> AuditEntry:
    return AuditEntry("", subject, action, "", json.dumps(details), datetime.now(UTC))


class RetentionJob:
    """Background thread of each worker; the elected leader runs retention a day after the last run."""

    def __init__(self, engine: Engine, retention: Retention) -> None:
        self._retention = retention
        self._engine = engine
        self._leadership = LeaderElection(engine, RETENTION_LOCK, "retention")
        self._closed = Event()
        self._thread = Thread(target=self._run, name="frontdesk-retention", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        self._thread.join(CLOSE_TIMEOUT_S)

    def _run(self) -> None:
        while not self._closed.wait(POLL_EVERY_S):
            try:
                if self._leadership.try_lead() is not None and self._is_due():
                    self._retention.run()
            except Exception as error:  # noqa: BLE001 - the thread must live: the next attempt may succeed
                _log.warning("Retention did not run (%s); trying again in a minute.", error_name(error))
                self._leadership.resign()
        self._leadership.resign()

    def _is_due(self) -> bool:
        if all(days is None for days in self._retention.days.values()):
            return False
        with begin_reading(self._engine) as connection:
            last_run_at = last_retention_run(connection)
        return last_run_at is None or datetime.now(UTC) - last_run_at >= RUN_EVERY
