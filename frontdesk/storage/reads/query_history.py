"""Reads of stored queries, and their two later changes: feedback and erasure.

Each call is one transaction, limited by the deadline of its request, and reads the rows of one tenant only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Engine, RowMapping

from frontdesk.deadline import Deadline
from frontdesk.errors import IdempotencyKeyInFlight
from frontdesk.storage.erasure.eraser import DeleteReplies, Eraser, ErasureReceipt
from frontdesk.storage.erasure_subjects import ErasureSubject, SubjectKind
from frontdesk.storage.events import feedback_event, outbox_rows
from frontdesk.storage.record_rows import FinishedClaim
from frontdesk.storage.spool.spool_file import Spool
from frontdesk.storage.sql.analytics import TimeWindow
from frontdesk.storage.sql.daily_rollups import DayCounts, count_day, days_to_count, store_day_counts
from frontdesk.storage.sql.erasure import lock_for_writing
from frontdesk.storage.sql.feedback import NewFeedback, insert_feedback
from frontdesk.storage.sql.idempotency import finish_claim
from frontdesk.storage.sql.outbox import insert_outbox
from frontdesk.storage.sql.pagination import (
    LISTED,
    Feedback,
    Interaction,
    PagePosition,
    QueryFilters,
    page_of_interactions,
    page_of_queries,
)
from frontdesk.storage.transactions import read, write
from frontdesk.types import Caller

T = TypeVar("T")

DAYS_PER_TRANSACTION = 8
COUNTING = "days were counted"


@dataclass(frozen=True, slots=True)
class QueryHistory:
    """Stored queries: reads, feedback and erasures.

    `sinks` receive events; `fingerprint` computes the keyed hashes under which erasures are recorded. An erasure also
    covers `spool`, the spool of this host, and `replies`, the reply caches of this worker and Redis, if they are set.
    `truncate_wal_later` is called if a write-ahead log could not be truncated. `events` is the events file of the sink
    `file`.
    """

    engine: Engine
    sinks: Sequence[str]
    fingerprint: Callable[[bytes], str]
    spool: Spool | None = None
    replies: DeleteReplies | None = None
    truncate_wal_later: Callable[[], None] = lambda: None
    events: Path | None = None

    async def read_analytics(self, window: TimeWindow, statement: Callable[[Connection], T], deadline: Deadline) -> T:
        """Return the result of `statement`, after past days of the window have been counted as far as time allows."""
        await self._count_days(window, deadline)
        return await read(self.engine, statement, deadline, "the figures were made")

    async def _count_days(self, window: TimeWindow, deadline: Deadline) -> None:
        """Count days without a lock, and store a few per transaction, so that no writer waits long on SQLite."""
        min_remaining_s = deadline.remaining_s() / 2
        now, tenant = datetime.now(UTC), window.tenant
        remaining = await read(
            self.engine, lambda connection: days_to_count(connection, window, now), deadline, COUNTING
        )
        while remaining and deadline.remaining_s() > min_remaining_s:
            batch, remaining = remaining[:DAYS_PER_TRANSACTION], remaining[DAYS_PER_TRANSACTION:]
            counted = await read(self.engine, partial(_count_each_day, tenant=tenant, days=batch), deadline, COUNTING)
            await write(self.engine, partial(store_day_counts, days=counted), deadline, COUNTING)

    async def queries(
        self,
        tenant: str,
        filters: QueryFilters,
        after: PagePosition | None,
        limit: int,
        deadline: Deadline,
        columns: Sequence[ColumnElement[Any]] = LISTED,
    ) -> Sequence[RowMapping]:
        """Return the page of queries after a position, newest first."""

        def page(connection: Connection) -> Sequence[RowMapping]:
            return page_of_queries(connection, tenant, filters, after=after, limit=limit, columns=columns)

        return await read(self.engine, page, deadline, "the queries were read")

    async def interactions(
        self, tenant: str, customer_id: str, after: PagePosition | None, limit: int, deadline: Deadline
    ) -> list[Interaction]:
        """Return the page of a customer's interactions after a position, newest first."""

        def page(connection: Connection) -> list[Interaction]:
            return page_of_interactions(connection, tenant, customer_id, after=after, limit=limit)

        return await read(self.engine, page, deadline, "the history was read")

    async def store_feedback(
        self,
        caller: Caller,
        query_id: str,
        opinion: NewFeedback,
        deadline: Deadline,
        finished_claim: Callable[[Feedback], FinishedClaim] | None = None,
    ) -> Feedback | None:
        """Store feedback and its event in one transaction; return None if there is no such query.

        `finished_claim` returns the answer to store under the request's Idempotency-Key.

        Raises:
            IdempotencyKeyInFlight: another request has taken over the key; nothing is stored.
        """
        at = datetime.now(UTC)

        def store(connection: Connection) -> Feedback | None:
            lock_for_writing(connection)
            stored = insert_feedback(connection, caller.tenant, caller.subject, query_id, opinion, at)
            if stored is None:
                return None
            row, owner = stored.feedback, {"tenant": caller.tenant, "customer_id": stored.customer_id}
            event = feedback_event({**asdict(row), **owner}, [asdict(earlier) for earlier in stored.replaced])
            insert_outbox(connection, outbox_rows(event, self.sinks))
            if finished_claim is not None and not finish_claim(
                connection, finish := finished_claim(row), finish.committed
            ):
                raise IdempotencyKeyInFlight("Another request has taken over this Idempotency-Key.")
            return row

        return await write(self.engine, store, deadline, "the feedback was stored")

    async def erase(self, tenant: str, customer_id: str, deadline: Deadline) -> ErasureReceipt:
        """Erase a customer, including rows that are still to be written, and notify the sinks."""
        return await self.eraser.erase(ErasureSubject(SubjectKind.CUSTOMER, tenant, customer_id), deadline)

    @property
    def eraser(self) -> Eraser:
        return Eraser(
            self.engine, self.sinks, self.fingerprint, self.spool, self.replies, self.truncate_wal_later, self.events
        )


def _count_each_day(connection: Connection, tenant: str, days: Sequence[int]) -> list[DayCounts]:
    return [count_day(connection, tenant, day) for day in days]
