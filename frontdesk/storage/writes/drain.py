"""The drain moves rows from the spool to the database when it is available again: in order, exactly once, one per host.

A batch is deleted from the spool only after the database has committed it. If the process dies in between, the next
drain writes the same rows again, which changes nothing, because inserts are idempotent by primary key. While any rows
wait, new rows are queued behind them, so that a customer's events keep their order. The database counts as available
again when a drain has reached the end of the spool.

A row that the database rejects for its own sake is set aside, so that it does not block the rows behind it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from frontdesk.observability.metrics import Metrics
from frontdesk.storage.database import begin_reading, begin_writing
from frontdesk.storage.db_errors import error_name, is_row_error
from frontdesk.storage.failpoints import fail_point
from frontdesk.storage.record_rows import RecordRows
from frontdesk.storage.spool.replay import anonymise_refused, anonymise_replayed
from frontdesk.storage.spool.spool_file import RefusedRows, Spool, SpooledRows, delete_expired_idempotency_keys
from frontdesk.storage.sql.audit_trail import AuditTrail
from frontdesk.storage.sql.idempotency import finish_claim
from frontdesk.storage.sql.records import insert_rows, ping

IDLE_POLL_S = 1.0
BUSY_POLL_S = 0.1
MAX_PAUSE_S = 0.5
PURGE_EVERY_S = 600.0

_log = logging.getLogger("bentoml.frontdesk")  # below BentoML's own, so that a worker prints it


class SpoolDrain:
    """Drain thread of a worker.

    Args:
        engine: of the database.
        spool: of this host.
        database_unavailable: set while this process considers the database unavailable; cleared here.
        metrics: receives the size of the spool and the duration of commits.
        max_batch: maximum number of requests whose rows one transaction writes.
        key_ttl_s: how long Idempotency-Keys are stored, in seconds.
        fingerprint: computes the keyed hashes under which erasures are recorded.
        trail: receives the audit entries of the rows, in their transaction.
    """

    def __init__(
        self,
        engine: Engine,
        spool: Spool,
        database_unavailable: Event,
        metrics: Metrics,
        max_batch: int,
        key_ttl_s: float,
        fingerprint: Callable[[bytes], str],
        trail: AuditTrail | None = None,
    ) -> None:
        self._engine = engine
        self._spool = spool
        self._database_unavailable = database_unavailable
        self._metrics = metrics
        self._max_batch = max_batch
        self._trail = trail
        self._key_ttl = timedelta(seconds=key_ttl_s)
        self._fingerprint = fingerprint
        self._failures = 0
        self._purge_at = time.monotonic() + PURGE_EVERY_S
        self._wake = Event()
        self._closed = False
        self._thread = Thread(target=self._run, name="frontdesk-drain", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Check the spool now instead of after the current pause."""
        self._wake.set()

    def close(self, timeout_s: float) -> None:
        """Stop after the current batch; waiting rows stay in the spool."""
        self._closed = True
        self._wake.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        pause = 0.0
        while not self._closed:
            self._wake.wait(pause)
            self._wake.clear()
            if not self._closed:
                pause = self._run_once()

    def _run_once(self) -> float:
        """Check the spool and drain it if necessary; return the pause before the next check, in seconds."""
        try:
            waiting, refused = self._spool.backlog()
            self._metrics.set_spool(waiting, refused)
            if waiting == 0 and not self._database_unavailable.is_set():
                self._check_database()
                return IDLE_POLL_S
            with self._spool.try_drain_lock() as has_lock:
                if has_lock:
                    self._move_all()
                elif waiting < self._max_batch:
                    self._check_writable()  # another worker has nearly emptied the spool
        except Exception as error:  # noqa: BLE001 - the thread must live: the database may be back at the next turn
            self._database_unavailable.set()
            self._failures += 1
            if self._failures == 1:
                _log.warning("The database is unavailable (%s): answers go to the spool.", error_name(error))
            return float(min(BUSY_POLL_S * 2**self._failures, MAX_PAUSE_S))
        return BUSY_POLL_S

    def _check_database(self) -> None:
        """Ping the database while no rows wait, so that no request has to discover an outage; then delete old keys."""
        with begin_reading(self._engine) as connection:
            ping(connection)
        self._purge_idempotency_keys()

    def _move_all(self) -> None:
        """Move all waiting rows. After a batch that is not full, the database counts as available again."""
        moved = 0
        while not self._closed and (batch := self._spool.oldest(self._max_batch)):
            self._move(batch)
            moved += len(batch)
            if len(batch) < self._max_batch:
                self._mark_available()
        self._check_writable()
        if moved:
            self._spool.truncate_log()
            _log.info("The database is back: %d spooled answers have moved into it.", moved)

    def _check_writable(self) -> None:
        """Mark the database as available if a write transaction can begin."""
        if self._database_unavailable.is_set() or self._failures:
            with begin_writing(self._engine) as connection:
                ping(connection)
            self._mark_available()

    def _mark_available(self) -> None:
        self._failures = 0
        self._database_unavailable.clear()

    def _move(self, batch: Sequence[SpooledRows]) -> None:
        refused: list[RefusedRows] = []
        try:
            self._write([entry.rows for entry in batch])
        except Exception as error:
            if not is_row_error(error):
                raise
            refused = [refusal for entry in batch if (refusal := self._write_alone(entry)) is not None]
        fail_point("drain.after_commit")
        refused_sequences = {entry.spooled.sequence for entry in refused}
        self._spool.remove([entry for entry in batch if entry.sequence not in refused_sequences], refused)
        fail_point("drain.after_delete")
        if refused:
            names = ", ".join(sorted({entry.error for entry in refused}))
            _log.error("The database refuses %d spooled answers (%s): they are set aside.", len(refused), names)

    def _write_alone(self, entry: SpooledRows) -> RefusedRows | None:
        try:
            self._write([entry.rows])
        except Exception as error:
            if not is_row_error(error):
                raise
            return RefusedRows(self._anonymise(entry), error_name(error))
        return None

    def _anonymise(self, spooled: SpooledRows) -> SpooledRows:
        """Return the rows as they may be stored: anonymised if their customer, session or query was erased."""
        with begin_reading(self._engine) as connection:
            rows = anonymise_refused(connection, spooled.rows, self._fingerprint)
        return SpooledRows(spooled.sequence, rows.to_json())

    def _write(self, rows: Sequence[RecordRows]) -> None:
        started_at = time.perf_counter()
        with begin_writing(self._engine) as connection:
            rows = anonymise_replayed(connection, rows, self._fingerprint)
            self._finish_claims(connection, rows)
            insert_rows(connection, rows)
            if self._trail is not None:
                self._trail.append(connection, [entry for each in rows for entry in each.audited])
            fail_point("drain.before_commit")
        self._metrics.observe_commit("drain", time.perf_counter() - started_at)

    def _finish_claims(self, connection: Connection, rows: Sequence[RecordRows]) -> None:
        """Complete the claims of the rows. A key that was answered before the outage keeps that answer."""
        finished_claims = [each.finish for each in rows if each.finish is not None]
        for finish in sorted(finished_claims, key=lambda finish: (finish.tenant, finish.subject, finish.key)):
            if not finish_claim(connection, finish, finish.spooled, is_acknowledged=True):
                self._metrics.count_idempotency_key("answered_twice")

    def _purge_idempotency_keys(self) -> None:
        if time.monotonic() < self._purge_at:
            return
        self._purge_at = time.monotonic() + PURGE_EVERY_S
        expired = datetime.now(UTC) - self._key_ttl
        try:
            delete_expired_idempotency_keys(self._spool.engine, expired)
            delete_expired_idempotency_keys(self._engine, expired)
        except SQLAlchemyError as error:
            _log.warning("Old Idempotency-Keys could not be deleted (%s).", error_name(error))
