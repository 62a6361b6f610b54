"""The drain: what waits in the spool goes to the database once that is back. In order, exactly once, one drain a host.

A batch is deleted from the spool only after the database has committed it. A process that dies in between leaves both,
and the next drain writes the same rows again, which changes nothing: they have primary keys. As long as anything waits,
new rows queue up behind it, so that a customer's events leave in the order in which they happened; the database counts
as back when a drain has come to the end.

A row that the database refuses for its own sake is set aside, so that it does not hold up those behind it.
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
from frontdesk.storage.record_rows import Rows
from frontdesk.storage.spool.replay import anonymise_refused, anonymise_replayed
from frontdesk.storage.spool.spool_file import RefusedRows, Spool, SpooledRows, delete_expired_keys
from frontdesk.storage.sql.audit_trail import AuditTrail
from frontdesk.storage.sql.idempotency import finish_claim
from frontdesk.storage.sql.records import insert_rows, ping

IDLE_POLL_S = 1.0
BUSY_POLL_S = 0.1
MAX_PAUSE_S = 0.5
PURGE_EVERY_S = 600.0

_log = logging.getLogger("bentoml.frontdesk")  # below BentoML's own, so that a worker prints it


class Drain:
    """A thread of each worker. `away` is set by who finds the database away, and cleared here.

    Args:
        engine: of the database.
        spool: this host's.
        away: is the database known to be away? This process's own.
        metrics: told what waits.
        most_at_once: how many requests' rows one transaction takes.
        key_ttl_s: for how long Idempotency-Keys are kept, in seconds.
        fingerprint: the keyed hash under which erased customers are known.
        trail: where the rows' audit entries go, in their transaction.
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
        """Look now, not only at the next turn."""
        self._wake.set()

    def close(self, timeout_s: float) -> None:
        """Stop after the batch that is under way; what waits stays in the spool."""
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
        """One look at the spool, and what follows from it; how long to pause before the next."""
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
                    self._check_writable()  # another worker is about to come to the end
        except Exception as error:  # noqa: BLE001 - the thread must live: the database may be back at the next turn
            self._database_unavailable.set()
            self._failures += 1
            if self._failures == 1:
                _log.warning("The database is away (%s): answers go to the spool.", error_name(error))
            return float(min(BUSY_POLL_S * 2**self._failures, MAX_PAUSE_S))
        return BUSY_POLL_S

    def _check_database(self) -> None:
        """While nothing waits: is the database still there, so that no request has to find out? Then old keys go."""
        with begin_reading(self._engine) as connection:
            ping(connection)
        self._purge()

    def _move_all(self) -> None:
        """Move everything that waits. When nearly all of it has moved, the database is known to be back."""
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
        """The database is back where it lets us begin to write."""
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
        """Return the rows as they may be kept: anonymised if their customer, session or query was erased."""
        with begin_reading(self._engine) as connection:
            rows = anonymise_refused(connection, spooled.rows, self._fingerprint)
        return SpooledRows(spooled.sequence, rows.to_json())

    def _write(self, rows: Sequence[Rows]) -> None:
        started_at = time.perf_counter()
        with begin_writing(self._engine) as connection:
            rows = anonymise_replayed(connection, rows, self._fingerprint)
            self._finish_claims(connection, rows)
            insert_rows(connection, rows)
            if self._trail is not None:
                self._trail.append(connection, [entry for each in rows for entry in each.audited])
            fail_point("drain.before_commit")
        self._metrics.observe_commit("drain", time.perf_counter() - started_at)

    def _finish_claims(self, connection: Connection, rows: Sequence[Rows]) -> None:
        """Keys finished meanwhile. One that was answered before the database went away keeps that answer."""
        finished_claims = [each.finish for each in rows if each.finish is not None]
        for finish in sorted(finished_claims, key=lambda finish: (finish.tenant, finish.subject, finish.key)):
            if not finish_claim(connection, finish, finish.spooled, is_acknowledged=True):
                self._metrics.count_key("answered_twice")

    def _purge(self) -> None:
        if time.monotonic() < self._purge_at:
            return
        self._purge_at = time.monotonic() + PURGE_EVERY_S
        expired = datetime.now(UTC) - self._key_ttl
        try:
            delete_expired_keys(self._spool.engine, expired)
            delete_expired_keys(self._engine, expired)
        except SQLAlchemyError as error:
            _log.warning("Old Idempotency-Keys could not be deleted (%s).", error_name(error))
