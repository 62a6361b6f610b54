"""Erase a customer, a session or a query, and say in a receipt what was removed and what still waits somewhere.

    database, one transaction: tables -> key remembered -> event for the sinks
    -> this host's spool -> reply caches -> write-ahead logs emptied -> receipt

What is still under way when this begins is made anonymous by its own commit (`late.py`); other workers and hosts follow
within seconds (`erasure_follower.py`). A step behind the transaction that fails is done there as well.
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
from frontdesk.storage.access import read, write
from frontdesk.storage.database import truncate_wal
from frontdesk.storage.event_file import files_of_events, not_emptied
from frontdesk.storage.events import ErasedQuery, Event, erased_event, outbox_rows, queries_erased_event
from frontdesk.storage.sinks import FileSink
from frontdesk.storage.spool import Spool
from frontdesk.storage.sql.erasure import database_now, list_queries, lock_for_erasing, remember_erasure
from frontdesk.storage.sql.outbox import insert_outbox, waiting_events
from frontdesk.storage.sql.registry import erase_everywhere
from frontdesk.storage.sql.spools import uncertain_spools
from frontdesk.storage.subjects import Fingerprint, Subject, SubjectKind, customer_hash

ForgetReplies = Callable[[str], Awaitable[int | None]]
"""Drops all cached replies of a tenant: how many, or None where a cache cannot be reached now."""

QUERIES_AN_EVENT = 200
TRUNCATE_TRIES = 4
ERASING = "the erasure was written"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Where something may still be: `place` is `outbox`, `spool`, `replies`, `write-ahead log` or `events file`.

    `name` says which sink, host or file; `rows` how many at most, of anybody in a spool. `seen_at` is when a host last
    told of its spool. Nobody empties an `events file`: it is compressed, of another user or of a sink that is off.
    """

    place: str
    name: str
    rows: int
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an erasure removed, by table, and what still waits. `erased_at` is by the database's clock.

    `customers` are the keyed hashes of those whose queries went, for the audit log.
    """

    erased_at: datetime
    removed: Mapping[str, int]
    waiting: tuple[Waiting, ...]
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
class _Committed:
    """What the database's own transaction did; `spools` are those of other hosts."""

    at: datetime
    removed: dict[str, int]
    waiting: list[Waiting]
    customer_ids: frozenset[str]


def _not_at_all() -> None:
    """Where there is nobody to try again."""


@dataclass(frozen=True, slots=True)
class Erasing:
    """`spool` is this host's, `replies` drops cached replies; both may be missing, as at the command line.

    `truncate_soon` is called where a write-ahead log could not be emptied. `events` is the file of the sink `file`.
    """

    engine: Engine
    sinks: Sequence[str]
    fingerprint: Fingerprint
    spool: Spool | None = None
    replies: ForgetReplies | None = None
    truncate_soon: Callable[[], None] = _not_at_all
    events: Path | None = None

    async def erase(self, subject: Subject, deadline: Deadline) -> Receipt:
        """Erase a subject; one that is not known yet too, because its rows may still be on the way.

        Raises:
            StorageUnavailable, DeadlineExceeded: the database did not take it in time. It may still be done.
        """
        key = subject.key(self.fingerprint)
        committed = await write(
            self.engine, lambda connection: self._erase(connection, subject, key), deadline, ERASING
        )
        waiting = committed.waiting
        removed = committed.removed
        if self.spool is not None:
            try:
                removed |= await deadline.bound(asyncio.to_thread(self._erase_spool, self.spool, subject, key), ERASING)
            except (SQLAlchemyError, DeadlineExceeded):
                waiting.append(Waiting("spool", socket.gethostname(), 0))
        if self.replies is not None:
            dropped = await self.replies(subject.tenant)
            removed["replies"] = dropped or 0
            if dropped is None:
                waiting.append(Waiting("replies", "redis", 0))
        if not await self._truncate(deadline):
            self.truncate_soon()
            waiting.append(Waiting("write-ahead log", "database", 0))
        waiting += await asyncio.to_thread(self._files_left)
        hashes = {customer_hash(self.fingerprint, subject.tenant, each) for each in committed.customer_ids}
        return Receipt(committed.at, removed, tuple(waiting), tuple(sorted(hashes)))

    def _erase(self, connection: Connection, subject: Subject, key: str) -> _Committed:
        lock_for_erasing(connection)
        queries = list_queries(connection, subject) if subject.kind is not SubjectKind.CUSTOMER else []
        removed = erase_everywhere(connection, subject, key)
        at = database_now(connection)
        remember_erasure(connection, subject.tenant, key, at)
        events = _events(subject, queries, at)
        for event in events:
            insert_outbox(connection, outbox_rows(event, self.sinks))
        told = waiting_events(connection, subject.tenant, [event.event_id for event in events])
        waiting = [Waiting("outbox", sink, count) for sink, count in told.items()]
        own = self.spool.id if self.spool is not None else ""
        waiting += [
            Waiting("spool", report.host, report.waiting + report.refused, report.seen_at)
            for report in uncertain_spools(connection, own)
        ]
        named = frozenset(query.customer_id for query in queries if query.customer_id is not None)
        if subject.kind is SubjectKind.CUSTOMER:
            named = frozenset((subject.id,))
        return _Committed(at, removed, waiting, named)

    def _erase_spool(self, spool: Spool, subject: Subject, key: str) -> dict[str, int]:
        """Everything that is in the spool by now was received before the erasure ended."""
        removed = spool.erase({(subject.tenant, key): datetime.now(UTC)}, self.fingerprint)
        if not any(spool.forget() for _ in range(TRUNCATE_TRIES)):
            self.truncate_soon()
        return removed

    def _files_left(self) -> list[Waiting]:
        """Files of events that the sink will not empty; without the sink also the file itself."""
        if self.events is None:
            return []
        left = not_emptied(self.events)
        if FileSink.name not in self.sinks:
            left = files_of_events(self.events)
        return [Waiting("events file", file.name, 0) for file in left]

    async def _truncate(self, deadline: Deadline) -> bool:
        """Empty the database's write-ahead log, which a long reader can hold."""
        try:
            for _ in range(TRUNCATE_TRIES):
                if await read(self.engine, truncate_wal, deadline, ERASING):
                    return True
        except (StorageUnavailable, DeadlineExceeded):
            pass
        return False


def _events(subject: Subject, queries: Sequence[ErasedQuery], at: datetime) -> list[Event]:
    """What other systems are told: the customer, or the ids of the queries; no session's name."""
    if subject.kind is SubjectKind.CUSTOMER:
        return [erased_event(uuid7(), subject.tenant, subject.id, at)]
    by_customer: dict[str | None, list[ErasedQuery]] = {}
    for query in queries:
        by_customer.setdefault(query.customer_id, []).append(query)
    return [
        queries_erased_event(uuid7(), subject.tenant, customer_id, some, at)
        for customer_id, theirs in by_customer.items()
        for some in _parts(theirs)
    ]


def _parts(queries: Sequence[ErasedQuery]) -> list[Sequence[ErasedQuery]]:
    return [queries[start : start + QUERIES_AN_EVENT] for start in range(0, len(queries), QUERIES_AN_EVENT)]
