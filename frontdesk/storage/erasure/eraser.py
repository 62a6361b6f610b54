"""Erase a customer, a session or a query, and return a receipt of what was removed and what is still pending.

    database, one transaction: tables -> erasure recorded -> event for the sinks
    -> this host's spool -> reply caches -> write-ahead logs truncated -> receipt

Requests in flight at that time are anonymised by their own commit (`spool/replay.py`). Other workers and hosts follow
within seconds (`follower.py`), which also repeats steps that failed after the transaction.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from frontdesk.deadline import Deadline
from frontdesk.errors import DeadlineExceeded, StorageUnavailable
from frontdesk.identifiers import uuid7
from frontdesk.storage.database import truncate_wal
from frontdesk.storage.erasure_subjects import ErasureSubject, Fingerprint, SubjectKind, customer_hash
from frontdesk.storage.events import ErasedQuery, Event, erased_event, outbox_rows, queries_erased_event
from frontdesk.storage.outbox.event_file import list_event_files, unrewritable_files
from frontdesk.storage.outbox.sinks import FileSink
from frontdesk.storage.spool.spool_file import Spool
from frontdesk.storage.sql.erasure import database_now, list_queries, lock_for_erasing, record_erasure
from frontdesk.storage.sql.outbox import count_undelivered_by_sink, insert_outbox
from frontdesk.storage.sql.personal_data import erase_from_tables
from frontdesk.storage.sql.spool_reports import possibly_nonempty_spools
from frontdesk.storage.transactions import read, write

DeleteReplies = Callable[[str], Awaitable[int | None]]
"""Deletes all cached replies of a tenant and returns their number, or None if a cache is unavailable."""

QUERIES_PER_EVENT = 200
TRUNCATE_ATTEMPTS = 4
ERASING = "the erasure was written"


@dataclass(frozen=True, slots=True)
class PendingData:
    """A place that may still hold data: `outbox`, `spool`, `replies`, `write-ahead log` or `events file`.

    `name` is the sink, host or file. `rows` is the maximum number of rows; for a spool it includes other customers'.
    `seen_at` is when a host last reported its spool. An `events file` stays as it is, because it is compressed, belongs
    to another user or to a disabled sink.
    """

    place: str
    name: str
    rows: int
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ErasureReceipt:
    """Result of an erasure: rows removed by table, and places still pending. `erased_at` is by the database's clock.

    `customers` are the keyed hashes of the customers whose queries were erased, for the audit log.
    """

    erased_at: datetime
    removed: Mapping[str, int]
    waiting: tuple[PendingData, ...]
    customers: tuple[str, ...] = ()

    @property
    def queries(self) -> int:
        return self.removed["queries"]

    @property
    def interactions(self) -> int:
        return self.removed["customer_history"]

    @property
    def feedback(self) -> int:
        return self.removed["feedback"]


@dataclass(frozen=True, slots=True)
class _CommittedErasure:
    """Result of the transaction; `waiting` includes the spools of other hosts."""

    at: datetime
    removed: dict[str, int]
    waiting: list[PendingData]
    customer_ids: frozenset[str]


def _skip_truncation() -> None:
    """Do nothing: no follower runs that could retry."""


@dataclass(frozen=True, slots=True)
class Eraser:
    """Erases subjects. `spool` is that of this host, `replies` deletes cached replies; the command line has neither.

    `truncate_wal_later` is called if a write-ahead log could not be truncated. `events` is the events file of the sink
    `file`.
    """

    engine: Engine
    sinks: Sequence[str]
    fingerprint: Fingerprint
    spool: Spool | None = None
    replies: DeleteReplies | None = None
    truncate_wal_later: Callable[[], None] = _skip_truncation
    events: Path | None = None

    async def erase(self, subject: ErasureSubject, deadline: Deadline) -> ErasureReceipt:
        """Erase a subject, even one without rows, because its rows may be written later.

        Raises:
            StorageUnavailable, DeadlineExceeded: the database did not commit in time. The erasure may still happen.
        """
        key = subject.key(self.fingerprint)
        committed = await write(
            self.engine, lambda connection: self._erase(connection, subject, key), deadline, ERASING
        )
        waiting = committed.waiting
        removed = committed.removed
        if self.spool is not None:
            try:
                removed |= await deadline.wait_for(
                    asyncio.to_thread(self._erase_spool, self.spool, subject, key), ERASING
                )
            except (SQLAlchemyError, DeadlineExceeded):
                waiting.append(PendingData("spool", socket.gethostname(), 0))
        if self.replies is not None:
            deleted = await self.replies(subject.tenant)
            removed["replies"] = deleted or 0
            if deleted is None:
                waiting.append(PendingData("replies", "redis", 0))
        if not await self._truncate_wal(deadline):
            self.truncate_wal_later()
            waiting.append(PendingData("write-ahead log", "database", 0))
        waiting += await asyncio.to_thread(self._pending_event_files)
        hashes = {
            customer_hash(self.fingerprint, subject.tenant, customer_id) for customer_id in committed.customer_ids
        }
        return ErasureReceipt(committed.at, removed, tuple(waiting), tuple(sorted(hashes)))

    def _erase(self, connection: Connection, subject: ErasureSubject, key: str) -> _CommittedErasure:
        lock_for_erasing(connection)
        queries = list_queries(connection, subject) if subject.kind is not SubjectKind.CUSTOMER else []
        removed = erase_from_tables(connection, subject, key)
        at = database_now(connection)
        record_erasure(connection, subject.tenant, key, at)
        events = _events(subject, queries, at)
        for event in events:
            insert_outbox(connection, outbox_rows(event, self.sinks))
        undelivered = count_undelivered_by_sink(connection, subject.tenant, [event.event_id for event in events])
        waiting = [PendingData("outbox", sink, count) for sink, count in undelivered.items()]
        own_spool_id = self.spool.id if self.spool is not None else ""
        waiting += [
            PendingData("spool", report.host, report.waiting + report.refused, report.seen_at)
            for report in possibly_nonempty_spools(connection, own_spool_id)
        ]
        customer_ids = frozenset(query.customer_id for query in queries if query.customer_id is not None)
        if subject.kind is SubjectKind.CUSTOMER:
            customer_ids = frozenset((subject.id,))
        return _CommittedErasure(at, removed, waiting, customer_ids)

    def _erase_spool(self, spool: Spool, subject: ErasureSubject, key: str) -> dict[str, int]:
        """Erase the subject's rows in the spool: all of them were received before the erasure ended."""
        removed = spool.erase({(subject.tenant, key): datetime.now(UTC)}, self.fingerprint)
        if not any(spool.truncate_log() for _ in range(TRUNCATE_ATTEMPTS)):
            self.truncate_wal_later()
        return removed

    def _pending_event_files(self) -> list[PendingData]:
        """Return the events files that the sink will not rewrite; if the sink is disabled, all of them."""
        if self.events is None:
            return []
        is_sink_on = FileSink.name in self.sinks
        files = unrewritable_files(self.events) if is_sink_on else list_event_files(self.events)
        return [PendingData("events file", file.name, 0) for file in files]

    async def _truncate_wal(self, deadline: Deadline) -> bool:
        """Truncate the database's write-ahead log; False if a long reader prevents it."""
        try:
            for _ in range(TRUNCATE_ATTEMPTS):
                if await read(self.engine, truncate_wal, deadline, ERASING):
                    return True
        except (StorageUnavailable, DeadlineExceeded):
            pass
        return False


def _events(subject: ErasureSubject, queries: Sequence[ErasedQuery], at: datetime) -> list[Event]:
    """Return the events for other systems: they name the customer, or the ids of the queries, never a session."""
    if subject.kind is SubjectKind.CUSTOMER:
        return [erased_event(uuid7(), subject.tenant, subject.id, at)]
    by_customer: dict[str | None, list[ErasedQuery]] = {}
    for query in queries:
        by_customer.setdefault(query.customer_id, []).append(query)
    return [
        queries_erased_event(uuid7(), subject.tenant, customer_id, chunk, at)
        for customer_id, erased in by_customer.items()
        for chunk in _chunks(erased)
    ]


def _chunks(queries: Sequence[ErasedQuery]) -> list[Sequence[ErasedQuery]]:
    return [queries[start : start + QUERIES_PER_EVENT] for start in range(0, len(queries), QUERIES_PER_EVENT)]
