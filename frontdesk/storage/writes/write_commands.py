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
from frontdesk.storage.db_errors import StoreAway, is_of_the_row, is_passing, name_of, refusal
from frontdesk.storage.failpoints import reached
from frontdesk.storage.record_rows import Finish, Rows
from frontdesk.storage.spool.replay import without_erased
from frontdesk.storage.sql.audit_trail import AuditTrail
from frontdesk.storage.sql.idempotency import ClaimRow, finish_claim, free_claim, take_claim
from frontdesk.storage.sql.records import insert_rows
from frontdesk.storage.sql.spool import add_to_spool
from frontdesk.storage.writes.group_commit import Outcome


@dataclass(frozen=True, slots=True)
class Keep:
    """Write these rows. Outcome: None, or the error of one whose claim has become another's."""

    rows: Rows


@dataclass(frozen=True, slots=True)
class TakeKey:
    """Take an Idempotency-Key. Outcome: None, or the `Holder` whose it is."""

    claim: ClaimRow


@dataclass(frozen=True, slots=True)
class FreeKey:
    """Give an unfinished key up. Outcome: None."""

    tenant: str
    subject: str
    key: str
    claim: str


Work = Keep | TakeKey | FreeKey


def write_database(connection: Connection, works: Sequence[Work], trail: AuditTrail | None = None) -> list[Outcome]:
    """Write all works and their audit entries to the database; rows of erased subjects are anonymised."""
    works = _without_erased(connection, works)
    outcomes = _keys_first(connection, works, lambda finish: finish.committed)
    accepted = _accepted(works, outcomes)
    insert_rows(connection, accepted)
    if trail is not None:
        trail.append(connection, [entry for rows in accepted for entry in rows.audited])
    return outcomes


def _without_erased(connection: Connection, works: Sequence[Work]) -> Sequence[Work]:
    kept = [work.rows for work in works if isinstance(work, Keep)]
    settled = without_erased(connection, kept)
    if settled is kept:
        return works
    rows = iter(settled)
    return [Keep(next(rows)) if isinstance(work, Keep) else work for work in works]


def write_spool(connection: Connection, works: Sequence[Work]) -> list[Outcome]:
    """Do all works in the spool: rows wait there as JSON, claims are as they would be in the database."""
    outcomes = _keys_first(connection, works, lambda finish: finish.spooled)
    accepted = _accepted(works, outcomes)
    add_to_spool(connection, accepted, datetime.now(UTC))
    return outcomes


def _keys_first(connection: Connection, works: Sequence[Work], answer: Callable[[Finish], bytes]) -> list[Outcome]:
    """Everything about keys, in the order of the keys, so that two processes never wait for each other crosswise."""
    outcomes: list[Outcome] = [None] * len(works)
    keyed = [(place, index) for index, work in enumerate(works) if (place := _place(work)) is not None]
    for _, index in sorted(keyed):
        work = works[index]
        if isinstance(work, TakeKey):
            outcomes[index] = take_claim(connection, work.claim)
            reached("claim.before_commit")
        elif isinstance(work, FreeKey):
            free_claim(connection, work.tenant, work.subject, work.key, work.claim)
            reached("free.before_commit")
        elif work.rows.finish and not finish_claim(connection, work.rows.finish, answer(work.rows.finish)):
            outcomes[index] = KeyInFlight("Another request works under this Idempotency-Key by now.")
    return outcomes


def _place(work: Work) -> tuple[str, str, str] | None:
    owner = work.claim if isinstance(work, TakeKey) else work if isinstance(work, FreeKey) else work.rows.finish
    return None if owner is None else (owner.tenant, owner.subject, owner.key)


def _accepted(works: Sequence[Work], outcomes: Sequence[Outcome]) -> list[Rows]:
    return [
        work.rows
        for work, outcome in zip(works, outcomes, strict=True)
        if isinstance(work, Keep) and not isinstance(outcome, Exception)
    ]


class Store:
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
        write: Callable[[Connection, Sequence[Work]], list[Outcome]],
        points: str,
        observe: Callable[[float], None],
    ) -> None:
        self._engine = engine
        self._write = write
        self._before, self._after = f"{points}.before_commit", f"{points}.after_commit"
        self._observe = observe
        self._connection: Connection | None = None

    def commit(self, works: Sequence[Work]) -> list[Outcome]:
        """An outcome for each. A row that is refused for itself fails alone; a store that is away fails all at once."""
        try:
            return self._attempt(works)
        except Exception as error:  # noqa: BLE001 - whatever it is, the thread must live and the callers must be told
            if not is_of_the_row(error):
                return [StoreAway(name_of(error)) for _ in works]
            if len(works) == 1:
                return [refusal(error)]
        return [outcome for work in works for outcome in self.commit([work])]

    def close(self) -> None:
        """Give the connection back to the pool, which replaces it if it is broken. Held, it saves 50 us a commit."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _attempt(self, works: Sequence[Work]) -> list[Outcome]:
        """Once, or twice where the first time says no more than that the connection was an old one."""
        try:
            return self._transaction(works)
        except Exception as error:
            self.close()
            if not is_passing(error):
                raise
        try:
            return self._transaction(works)
        except Exception:
            self.close()
            raise

    def _transaction(self, works: Sequence[Work]) -> list[Outcome]:
        began = time.perf_counter()
        self._connection = self._connection or self._engine.connect()
        with write_turn(self._engine), self._connection.begin():
            outcomes = self._write(self._connection, works)
            reached(self._before)
        reached(self._after)
        self._observe(time.perf_counter() - began)
        return outcomes
