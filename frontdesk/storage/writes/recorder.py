"""The recorder: what is acknowledged is kept, in the database or, while that is away or slow, in the host's spool.

    rows -> database, within its budget ------------------------> "committed"
               `-> away or too slow -> spool, until it is back -> "spooled"

Each store has a thread that commits in groups. A request whose commit takes longer than the budget writes its rows to
the spool as well, and does not care what becomes of the first attempt: rows have primary keys of their own, so what is
written twice is there once. Once the database is known to be away, nobody waits for it; the drain finds it again.

Knows nothing of statements, and never shows what a record holds.
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
from frontdesk.storage.record_rows import COMMITTED, SPOOLED, RowBuilder, Rows
from frontdesk.storage.spool.spool_file import Spool
from frontdesk.storage.sql.audit_trail import AuditTrail
from frontdesk.storage.writes.drain import Drain
from frontdesk.storage.writes.group_commit import GroupCommit
from frontdesk.storage.writes.write_commands import (
    ReleaseKey,
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
    """How long requests wait, in seconds: `budget_s` for the database before the spool is used, `timeout_s` in all."""

    budget_s: float = 1.0
    timeout_s: float = 5.0


class SpoolingRecorder:
    """Make it after a fork, never before. The threads begin at once; what an earlier run left in the spool is drained.

    Args:
        engine: of `open_database`.
        spool: this host's.
        maker: turns records into rows.
        metrics: told of commits and of the spool.
        patience: how long requests wait.
        max_rows_per_commit: how many requests one transaction takes.
        key_ttl_s: for how long Idempotency-Keys are kept, in seconds.
        fingerprint: the keyed hash under which erased customers are known.
        trail: where the rows' audit entries go, in their transaction.
        on_commit: called in a thread of ours after each commit to the database; quick.
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
        self._drain = Drain(
            engine, spool, self._database_unavailable, metrics, max_rows_per_commit, key_ttl_s, fingerprint, trail
        )

    @property
    def is_spooling(self) -> bool:
        """Is the database away, as far as this process knows?"""
        return self._database_unavailable.is_set()

    async def store(self, record: Record) -> str:
        """Write the record and return "committed" or "spooled" once it is on the disk.

        Raises:
            StorageUnavailable: the database refused the record, or neither it nor the spool took it in time.
            KeyInFlight: the record's claim has become another's; nothing of it is kept.
        """
        try:
            rows = self._row_builder.rows(record)
        except ValueError as error:  # a text that has no UTF-8
            raise row_refused_error(error) from None
        fail_point("rows.built")
        stored = await self.write(rows)
        claim = record.claim
        if claim is not None and (claim.claimed_in, stored) == (SPOOLED, COMMITTED):
            self._spool.put_without_waiting(
                _release_command(claim, record.caller)
            )  # the database has the answer, the spool does not
        fail_point("acknowledge.before")
        return stored

    async def write(self, rows: Rows) -> str:
        """The same for rows that are made already."""
        _, stored = await self.execute(StoreRows(rows))
        if stored == SPOOLED:
            self._metrics.count_spooled()
        return stored

    async def execute(self, command: WriteCommand, *, may_spool: bool = True) -> tuple[object, str]:
        """The outcome of any work, and which store did it.

        Raises:
            StorageUnavailable: no store did it in time, or only the spool would, and it may not.
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
                "While the database is away, no other host can know of this Idempotency-Key.",
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
        """Give a key up, wherever it may have been taken; nobody waits for that, and its lease ends it otherwise."""
        command = _release_command(claim, caller)
        if claim.claimed_in == SPOOLED:
            self._spool.put_without_waiting(command)
        self._database.put_without_waiting(command)

    def close(self) -> None:
        """Write what waits, then stop. What the spool holds stays there for the next start."""
        self._drain.close(CLOSING_S)
        for group_commit, store_writer in zip((self._database, self._spool), self._store_writers, strict=True):
            if group_commit.close(CLOSING_S):
                store_writer.close()


def _release_command(claim: Claim, caller: Caller) -> ReleaseKey:
    return ReleaseKey(caller.tenant, caller.subject, claim.key, claim.id)
