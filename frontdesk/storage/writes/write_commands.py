"""What a writer thread is given to do, and how a store does a whole batch of it in one transaction.

A store is the database, or the spool beside it: both keep rows, and both know who works under which Idempotency-Key.
Knows nothing of threads or of what to do when a store is away.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine

from frontdesk.errors import KeyInFlight
from frontdesk.storage.database import write_turn
from frontdesk.storage.db_errors import StoreUnavailable, error_name, is_row_error, is_transient, row_refused_error
from frontdesk.storage.failpoints import fail_point
from frontdesk.storage.record_rows import FinishedClaim, Rows
from frontdesk.storage.spool.replay import anonymise_erased
from frontdesk.storage.sql.audit_trail import AuditTrail
from frontdesk.storage.sql.idempotency import ClaimRow, acquire_claim, finish_claim, release_claim
from frontdesk.storage.sql.records import insert_rows
from frontdesk.storage.sql.spool import add_to_spool
from frontdesk.storage.writes.group_commit import Outcome


@dataclass(frozen=True, slots=True)
class StoreRows:
    """Write these rows. Outcome: None, or the error of one whose claim has become another's."""

    rows: Rows


@dataclass(frozen=True, slots=True)
class AcquireKey:
    """Take an Idempotency-Key. Outcome: None, or the `ClaimHolder` whose it is."""

    claim: ClaimRow


@dataclass(frozen=True, slots=True)
class ReleaseKey:
    """Give an unfinished key up. Outcome: None."""

    tenant: str
    subject: str
    key: str
    claim: str


WriteCommand = StoreRows | AcquireKey | ReleaseKey


def write_database(
    connection: Connection, works: Sequence[WriteCommand], trail: AuditTrail | None = None
) -> list[Outcome]:
    """Write all works and their audit entries to the database; rows of erased subjects are anonymised."""
    works = _without_erased(connection, works)
    outcomes = _keys_first(connection, works, lambda finish: finish.committed)
    accepted = _accepted(works, outcomes)
    insert_rows(connection, accepted)
    if trail is not None:
        trail.append(connection, [entry for rows in accepted for entry in rows.audited])
    return outcomes


def _without_erased(connection: Connection, works: Sequence[WriteCommand]) -> Sequence[WriteCommand]:
    kept = [work.rows for work in works if isinstance(work, StoreRows)]
    settled = anonymise_erased(connection, kept)
    if settled is kept:
        return works
    rows = iter(settled)
    return [StoreRows(next(rows)) if isinstance(work, StoreRows) else work for work in works]


def write_spool(connection: Connection, works: Sequence[WriteCommand]) -> list[Outcome]:
    """Do all works in the spool: rows wait there as JSON, claims are as they would be in the database."""
    outcomes = _keys_first(connection, works, lambda finish: finish.spooled)
    accepted = _accepted(works, outcomes)
    add_to_spool(connection, accepted, datetime.now(UTC))
    return outcomes


def _keys_first(
    connection: Connection, works: Sequence[WriteCommand], answer: Callable[[FinishedClaim], bytes]
) -> list[Outcome]:
    """Everything about keys, in the order of the keys, so that two processes never wait for each other crosswise."""
    outcomes: list[Outcome] = [None] * len(works)
    keyed = [(place, index) for index, work in enumerate(works) if (place := _place(work)) is not None]
    for _, index in sorted(keyed):
        work = works[index]
        if isinstance(work, AcquireKey):
            outcomes[index] = acquire_claim(connection, work.claim)
            fail_point("claim.before_commit")
        elif isinstance(work, ReleaseKey):
            release_claim(connection, work.tenant, work.subject, work.key, work.claim)
            fail_point("free.before_commit")
        elif work.rows.finish and not finish_claim(connection, work.rows.finish, answer(work.rows.finish)):
            outcomes[index] = KeyInFlight("Another request works under this Idempotency-Key by now.")
    return outcomes


def _place(work: WriteCommand) -> tuple[str, str, str] | None:
    owner = work.claim if isinstance(work, AcquireKey) else work if isinstance(work, ReleaseKey) else work.rows.finish
    return None if owner is None else (owner.tenant, owner.subject, owner.key)


def _accepted(works: Sequence[WriteCommand], outcomes: Sequence[Outcome]) -> list[Rows]:
    return [
        work.rows
        for work, outcome in zip(works, outcomes, strict=True)
        if isinstance(work, StoreRows) and not isinstance(outcome, Exception)
    ]


class StoreWriter:
    """One thread's way to write to `engine`, on one connection that it holds. Closed and made anew when it broke.

    Args:
        engine: of the database or the spool.
        write: what a transaction does with a batch.
        points: the name of its crash points.
        observe: told how long each transaction took, in seconds.
    """

    def __init__(
        self,
        engine: Engine,
        write: Callable[[Connection, Sequence[WriteCommand]], list[Outcome]],
        points: str,
        observe: Callable[[float], None],
    ) -> None:
        self._engine = engine
        self._write = write
        self._before, self._after = f"{points}.before_commit", f"{points}.after_commit"
        self._observe = observe
        self._connection: Connection | None = None

    def commit(self, works: Sequence[WriteCommand]) -> list[Outcome]:
        """An outcome for each. A row that is refused for itself fails alone; a store that is away fails all at once."""
        try:
            return self._attempt(works)
        except Exception as error:  # noqa: BLE001 - whatever it is, the thread must live and the callers must be told
            if not is_row_error(error):
                return [StoreUnavailable(error_name(error)) for _ in works]
            if len(works) == 1:
                return [row_refused_error(error)]
        return [outcome for work in works for outcome in self.commit([work])]

    def close(self) -> None:
        """Give the connection back to the pool, which replaces it if it is broken. Held, it saves 50 us a commit."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _attempt(self, works: Sequence[WriteCommand]) -> list[Outcome]:
        """Once, or twice where the first time says no more than that the connection was an old one."""
        try:
            return self._transaction(works)
        except Exception as error:
            self.close()
            if not is_transient(error):
                raise
        try:
            return self._transaction(works)
        except Exception:
            self.close()
            raise

    def _transaction(self, works: Sequence[WriteCommand]) -> list[Outcome]:
        began = time.perf_counter()
        self._connection = self._connection or self._engine.connect()
        with write_turn(self._engine), self._connection.begin():
            outcomes = self._write(self._connection, works)
            fail_point(self._before)
        fail_point(self._after)
        self._observe(time.perf_counter() - began)
        return outcomes
