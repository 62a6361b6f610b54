"""The dispatcher delivers events from the outbox to their sinks: at least once, in order for each customer.

Each process has a dispatcher, and one of them is elected (`leader_election.py`). It polls the outbox after commits of
this process, and at intervals for the commits of others. An unavailable sink is not called for a while; this does not
count as an attempt of its events. An event that its sink refuses is retried later, alone, and holds back only later
events of the same customer. After `max_attempts` it becomes a dead letter for an administrator. If a sink takes long to
refuse a tenant's events, the tenant's events for that sink are suspended for a while, so that they do not delay those
of others.

Logs contain ids and names of errors, never the content of events.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event as Signal
from threading import Thread

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from frontdesk.storage.database import sqlite_write_turn, truncate_wal
from frontdesk.storage.failpoints import fail_point
from frontdesk.storage.leader_election import LeaderElection
from frontdesk.storage.outbox.sinks import ERASURES, FileSink, Sink, SinkUnavailable
from frontdesk.storage.sql.outbox import (
    SinkBacklog,
    WaitingEvent,
    delete_delivered,
    due_events,
    list_sink_backlogs,
    postpone,
)

BATCH_DELAY_S = 0.05
"""Delay after a commit, in seconds, so that more events join: a delivery costs the same for one as for many."""
LAG_EVERY_S = 5.0
REFUSAL_BUDGET_S = 0.5
"""Seconds that a sink may spend on refusing one tenant's events in a round before the tenant is suspended."""
CLOSE_TIMEOUT_S = 5.0

_log = logging.getLogger("bentoml.frontdesk")


@dataclass(frozen=True, slots=True)
class DeliveryLimits:
    """Limits of deliveries. `backoff_s`, the first wait after a failure, doubles up to `max_backoff_s`, +/- 20 %."""

    max_events: int
    max_attempts: int
    backoff_s: float
    max_backoff_s: float
    poll_s: float

    def wait_s(self, failures: int) -> float:
        """Return the wait after this number of consecutive failures (at least 1), in seconds."""
        wait = min(self.backoff_s * 2.0 ** min(failures - 1, 32), self.max_backoff_s)
        return wait * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, no secret


@dataclass(slots=True)
class _Outage:
    """Consecutive failures of a sink, and the time (monotonic, seconds) before which it is not called."""

    failures: int = 0
    until: float = 0.0


@dataclass(slots=True)
class _TenantRefusals:
    """Per tenant: seconds spent on refusals of one sink in this round, and the end of its suspension (monotonic)."""

    spent_s: dict[str, float] = field(default_factory=dict)
    until: dict[str, float] = field(default_factory=dict)

    def suspended(self, now: float) -> list[str]:
        self.until = {tenant: until for tenant, until in self.until.items() if until > now}
        return sorted(self.until)

    def add(self, tenant: str, seconds: float) -> None:
        self.spent_s[tenant] = self.spent_s.get(tenant, 0.0) + seconds

    def is_over_budget(self, tenant: str) -> bool:
        return self.spent_s.get(tenant, 0.0) >= REFUSAL_BUDGET_S

    def end_round(self) -> None:
        """Suspend each tenant over budget for as long as it took: the others get at least half of the sink's time."""
        now = time.monotonic()
        self.until |= {tenant: now + spent for tenant, spent in self.spent_s.items() if spent >= REFUSAL_BUDGET_S}
        self.spent_s = {}


@dataclass(slots=True)
class _DeliveryOutcome:
    """Events that a sink accepted, and events that it refused with the names of the errors."""

    accepted: list[WaitingEvent] = field(default_factory=list)
    refused: list[tuple[WaitingEvent, str]] = field(default_factory=list)


class Dispatcher:
    """Delivery thread of a process. Create it after a fork, never before.

    Args:
        engine: from `open_database`; one of its connections is held while this process leads.
        sinks: receivers of the events; the outbox refers to them by name.
        limits: batch size, attempts, waits and poll interval.
        spooled: returns how many answers wait in the host's spool, and how many were ever spooled.
        count_delivered_events: called with a sink's name and the number of events that it accepted.
        observe_lag: called with the lag of each sink at intervals.
    """

    def __init__(
        self,
        engine: Engine,
        sinks: Sequence[Sink],
        limits: DeliveryLimits,
        *,
        spooled: Callable[[], tuple[int, int]],
        count_delivered_events: Callable[[str, int], None],
        observe_lag: Callable[[SinkBacklog], None],
    ) -> None:
        self._engine = engine
        self._sinks = sinks
        self._limits = limits
        self._spooled = spooled
        self._count_delivered_events = count_delivered_events
        self._observe_lag = observe_lag
        self._leadership = LeaderElection(engine)
        self._outages = {sink.name: _Outage() for sink in sinks}
        self._refusals = {sink.name: _TenantRefusals() for sink in sinks}
        self._wal_has_names = False
        self._lag_due = 0.0
        self._wake, self._closed = Signal(), Signal()
        self._thread = Thread(target=self._run, name="frontdesk-outbox", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Poll soon, because events were committed. Thread-safe."""
        self._wake.set()

    def close(self) -> None:
        """Stop after the delivery in progress; waiting events stay in the outbox."""
        self._closed.set()
        self._wake.set()
        self._thread.join(CLOSE_TIMEOUT_S)

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                connection = self._leadership.try_lead()
                busy = connection is not None and self._deliver_round(connection)
            except Exception as error:  # noqa: BLE001 - the thread must live to try again
                _log.warning("The outbox waits: its database failed (%s).", _error_name(error))
                self._leadership.resign()
                connection, busy = None, False
            self._pause(is_leader=connection is not None, busy=busy)
        self._leadership.resign()

    def _pause(self, *, is_leader: bool, busy: bool) -> None:
        """Wait until there may be due events. A process that does not lead waits for a full interval."""
        if not is_leader:
            self._closed.wait(self._limits.poll_s)
        elif busy or self._wake.wait(self._limits.poll_s):
            self._wake.clear()
            self._closed.wait(BATCH_DELAY_S)

    def _deliver_round(self, connection: Connection) -> bool:
        """Deliver the due events to each available sink; return whether there were any."""
        now = time.monotonic()
        available = [sink for sink in self._sinks if self._outages[sink.name].until <= now]
        busy = [self._deliver(connection, sink) for sink in available]
        for sink in available:
            _redact_old_erasure_events(sink)
        if self._wal_has_names:
            self._truncate_wal()
        if self._lag_due <= now:
            self._lag_due = now + LAG_EVERY_S
            self._observe_lags(connection)
        return any(busy)

    def _deliver(self, connection: Connection, sink: Sink) -> bool:
        due = self._read_due_events(connection, sink)
        if not due:
            return False
        fail_point("outbox.before_deliver")
        outcome = self._deliver_events(sink, due)
        fail_point("outbox.after_deliver")
        if outcome.accepted or outcome.refused:
            connection.execution_options(frontdesk_reads_only=False)
            with sqlite_write_turn(self._engine), connection.begin():
                self._record_outcome(connection, sink, outcome)
        fail_point("outbox.after_delete")
        self._wal_has_names |= any(waiting.event.type in ERASURES for waiting in outcome.accepted)
        self._count_delivered_events(sink.name, len(outcome.accepted))
        return True

    def _truncate_wal(self) -> None:
        """Truncate SQLite's write-ahead log after deleting erasure events, which name customers, from the outbox."""
        with self._engine.connect() as connection:
            self._wal_has_names = not truncate_wal(connection)

    def _read_due_events(self, connection: Connection, sink: Sink) -> Sequence[WaitingEvent]:
        """Return the next events of the sink; none while an earlier event of a customer may still be in the spool.

        One worker may still spool while another already writes to the database again. Events in the outbox may then be
        later than events in the spool, so the spool must be empty during the whole read of the outbox.
        """
        waiting, total = self._spooled()
        if waiting:
            return ()
        connection.execution_options(frontdesk_reads_only=True)
        with connection.begin():
            suspended = self._refusals[sink.name].suspended(time.monotonic())
            due = due_events(connection, sink.name, datetime.now(UTC), self._limits.max_events, suspended)
        return due if due and self._spooled() == (0, total) else ()

    def _deliver_events(self, sink: Sink, due: Sequence[WaitingEvent]) -> _DeliveryOutcome:
        """Deliver all events at once. If the sink refuses one of them, deliver each alone."""
        outage = self._outages[sink.name]
        outcome = _DeliveryOutcome()
        try:
            self._deliver_all(sink, due, outcome)
            outage.failures = 0
        except SinkUnavailable as error:
            outage.failures += 1
            outage.until = time.monotonic() + self._limits.wait_s(outage.failures)
            if outage.failures == 1:
                _log.warning("The sink %s is unavailable, its events wait. %s", sink.name, error)
        return outcome

    def _deliver_all(self, sink: Sink, due: Sequence[WaitingEvent], outcome: _DeliveryOutcome) -> None:
        try:
            sink.deliver([waiting.event for waiting in due])
        except SinkUnavailable:
            raise
        except Exception:  # noqa: BLE001 - a sink may raise any exception; the loop below finds the event
            try:
                self._deliver_each(sink, due, outcome)
            finally:
                self._refusals[sink.name].end_round()
        else:
            outcome.accepted.extend(due)

    def _deliver_each(self, sink: Sink, due: Sequence[WaitingEvent], outcome: _DeliveryOutcome) -> None:
        """Deliver one event after the other. After a refused event, later events of its customer are left for later."""
        held_back: set[tuple[str, str]] = set()
        refusals = self._refusals[sink.name]
        for waiting in due:
            tenant = waiting.event.tenant
            owner = (tenant, waiting.event.customer_id or waiting.event.event_id)
            if owner in held_back or refusals.is_over_budget(tenant):
                continue
            started_at = time.monotonic()
            try:
                sink.deliver([waiting.event])
            except SinkUnavailable:
                raise
            except Exception as error:  # noqa: BLE001 - as above
                outcome.refused.append((waiting, _error_name(error)))
                held_back.add(owner)
                refusals.add(tenant, time.monotonic() - started_at)
            else:
                outcome.accepted.append(waiting)

    def _record_outcome(self, connection: Connection, sink: Sink, outcome: _DeliveryOutcome) -> None:
        if outcome.accepted:
            delete_delivered(connection, sink.name, [waiting.event.event_id for waiting in outcome.accepted])
        for waiting, error in outcome.refused:
            event_id, attempts = waiting.event.event_id, waiting.attempts + 1
            give_up = attempts >= self._limits.max_attempts
            until = datetime.now(UTC) + timedelta(seconds=self._limits.wait_s(attempts))
            postpone(connection, sink.name, event_id, attempts=attempts, until=until, give_up=give_up, error=error)
            if give_up:
                _log.error(
                    "The sink %s refused event %s %d times: given up (%s).", sink.name, event_id, attempts, error
                )

    def _observe_lags(self, connection: Connection) -> None:
        connection.execution_options(frontdesk_reads_only=True)
        with connection.begin():
            lags_by_sink = {lag.sink: lag for lag in list_sink_backlogs(connection)}
        for sink in self._sinks:
            self._observe_lag(lags_by_sink.get(sink.name, SinkBacklog(sink.name, 0, 0, None)))


def _redact_old_erasure_events(sink: Sink) -> None:
    """Let the file sink remove the names of customers whose erasure it has published long enough."""
    if isinstance(sink, FileSink):
        with suppress(OSError):
            sink.redact_old_erasure_events()


def _error_name(error: Exception) -> str:
    """Return only the name of the error, because its message may contain a row."""
    origin = getattr(error, "orig", None) or error if isinstance(error, SQLAlchemyError) else error
    return type(origin).__name__
