"""The recorder stores records in the database or, while it is unavailable or slow, in the host's spool.

    rows -> database, within its budget --------------------------------> "committed"
         `-> unavailable or slow -> spool, until the database is back --> "spooled"

Each store has a thread that commits in groups. If a commit takes longer than the budget, the request also writes its
rows to the spool. The first attempt is abandoned: inserts are idempotent by primary key, so a duplicate is a no-op.
While the database is known to be unavailable, no request waits for it; the drain detects when it is available again.

Errors and logs never show the content of a record.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from threading import Event

from sqlalchemy import Engine

from frontdesk.errors import StorageUnavailable
from frontdesk.observability.metrics import Metrics
from frontdesk.storage.db_errors import StoreUnavailable, row_refused_error
from frontdesk.storage.failpoints import fail_point
from frontdesk.storage.record_rows import COMMITTED, SPOOLED, RecordRows, RowBuilder
from frontdesk.storage.spool.spool_file import Spool
from frontdesk.storage.sql.audit_trail import AuditTrail
from frontdesk.storage.writes.drain import SpoolDrain
from frontdesk.storage.writes.group_commit import GroupCommit
from frontdesk.storage.writes.write_commands import (
    ReleaseIdempotencyKey,
    StoreRows,
    StoreWriter,
    WriteCommand,
    write_database,
    write_spool,
)
from frontdesk.types import Caller, Claim, Record

CLOSING_S = 10.0


@dataclass(frozen=True, slots=True)
class RecorderTimeouts:
    """Time limits of requests, in seconds: `budget_s` for the database, then `timeout_s` for the spool."""

    budget_s: float = 1.0
    timeout_s: float = 5.0


class SpoolingRecorder:
    """Writes records. Create it after a fork, never before: its threads start at once and drain rows of an earlier run.

    Args:
        engine: from `open_database`.
        spool: of this host.
        row_builder: builds rows from records.
        metrics: receives the durations of commits and the size of the spool.
        timeouts: time limits of requests.
        max_rows_per_commit: maximum number of requests in one transaction.
        key_ttl_s: how long Idempotency-Keys are stored, in seconds.
        fingerprint: computes the keyed hashes under which erasures are recorded.
        trail: receives the audit entries of the rows, in their transaction.
        on_commit: called in the writer thread after each commit to the database; must be fast.
    """

    def __init__(
        self,
        engine: Engine,
        spool: Spool,
        row_builder: RowBuilder,
        metrics: Metrics,
        *,
        timeouts: RecorderTimeouts,
        max_rows_per_commit: int,
        key_ttl_s: float,
        fingerprint: Callable[[bytes], str],
        on_commit: Callable[[], None] = lambda: None,
        trail: AuditTrail | None = None,
    ) -> None:
        def observe_commit(seconds: float) -> None:
            metrics.observe_commit("database", seconds)
            on_commit()

        self._row_builder = row_builder
        self._metrics = metrics
        self._timeouts = timeouts
        self._database_unavailable = Event()
        self._store_writers = (
            StoreWriter(engine, partial(write_database, trail=trail), "commit", observe_commit),
            StoreWriter(spool.engine, write_spool, "spool", lambda seconds: metrics.observe_commit("spool", seconds)),
        )
        self._database, self._spool = (
            GroupCommit[WriteCommand](f"frontdesk-{name}", store_writer.commit, max_rows_per_commit)
            for name, store_writer in zip(("recorder", "spool"), self._store_writers, strict=True)
        )
        self._drain = SpoolDrain(
            engine, spool, self._database_unavailable, metrics, max_rows_per_commit, key_ttl_s, fingerprint, trail
        )

    @property
    def is_spooling(self) -> bool:
        """Whether this process considers the database unavailable."""
        return self._database_unavailable.is_set()

    async def store(self, record: Record) -> str:
        """Write the record and return "committed" or "spooled" once it is on the disk.

        Raises:
            StorageUnavailable: the database rejected the record, or neither it nor the spool stored it in time.
            IdempotencyKeyInFlight: another request has taken over the record's claim; nothing was stored.
        """
        try:
            rows = self._row_builder.rows(record)
        except ValueError as error:  # a text cannot be encoded in UTF-8
            raise row_refused_error(error) from None
        fail_point("rows.built")
        stored = await self.write(rows)
        claim = record.claim
        if claim is not None and (claim.claimed_in, stored) == (SPOOLED, COMMITTED):
            self._spool.put_without_waiting(_release_command(claim, record.caller))  # the spool still holds the claim
        fail_point("acknowledge.before")
        return stored

    async def write(self, rows: RecordRows) -> str:
        """Write rows that are built already, like `store`."""
        _, stored = await self.execute(StoreRows(rows))
        if stored == SPOOLED:
            self._metrics.count_spooled_answer()
        return stored

    async def execute(self, command: WriteCommand, *, may_spool: bool = True) -> tuple[object, str]:
        """Execute a command; return its outcome and the store that executed it.

        Raises:
            StorageUnavailable: no store executed it in time, or only the spool could and `may_spool` is false.
        """
        if not self._database_unavailable.is_set():
            try:
                async with asyncio.timeout(self._timeouts.budget_s):
                    return await self._database.put(command), COMMITTED
            except (TimeoutError, StoreUnavailable):
                self._database_unavailable.set()
                self._drain.wake()
        if not may_spool:
            raise StorageUnavailable(
                "While the database is unavailable, hosts cannot share Idempotency-Keys.",
                hint="Try again later, or send the request without a key.",
            )
        return await self._write_to_spool(command), SPOOLED

    async def _write_to_spool(self, command: WriteCommand) -> object:
        try:
            async with asyncio.timeout(self._timeouts.timeout_s):
                return await self._spool.put(command)
        except (TimeoutError, StoreUnavailable) as error:
            reason = f" ({error})" if isinstance(error, StoreUnavailable) else ""
            raise StorageUnavailable(
                f"Neither the database nor the spool took the record{reason}.", hint="Try again later."
            ) from None

    def release(self, claim: Claim, caller: Caller) -> None:
        """Release a claim in every store that may hold it, without waiting. If that fails, the lease ends the claim."""
        command = _release_command(claim, caller)
        if claim.claimed_in == SPOOLED:
            self._spool.put_without_waiting(command)
        self._database.put_without_waiting(command)

    def close(self) -> None:
        """Write the queued rows, then stop. Rows in the spool stay there for the next start."""
        self._drain.close(CLOSING_S)
        for group_commit, store_writer in zip((self._database, self._spool), self._store_writers, strict=True):
            if group_commit.close(CLOSING_S):
                store_writer.close()


def _release_command(claim: Claim, caller: Caller) -> ReleaseIdempotencyKey:
    return ReleaseIdempotencyKey(caller.tenant, caller.subject, claim.key, claim.id)
