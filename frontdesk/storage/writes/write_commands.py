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
    connection: Connection, commands: Sequence[WriteCommand], trail: AuditTrail | None = None
) -> list[Outcome]:
    """Write all works and their audit entries to the database; rows of erased subjects are anonymised."""
    commands = _anonymise_commands(connection, commands)
    outcomes = _execute_key_commands(connection, commands, lambda finish: finish.committed)
    rows_to_insert = _accepted_rows(commands, outcomes)
    insert_rows(connection, rows_to_insert)
    if trail is not None:
        trail.append(connection, [entry for rows in rows_to_insert for entry in rows.audited])
    return outcomes


def _anonymise_commands(connection: Connection, commands: Sequence[WriteCommand]) -> Sequence[WriteCommand]:
    new_rows = [command.rows for command in commands if isinstance(command, StoreRows)]
    anonymised_rows = anonymise_erased(connection, new_rows)
    if anonymised_rows is new_rows:
        return commands
    rows = iter(anonymised_rows)
    return [StoreRows(next(rows)) if isinstance(command, StoreRows) else command for command in commands]


def write_spool(connection: Connection, commands: Sequence[WriteCommand]) -> list[Outcome]:
    """Do all works in the spool: rows wait there as JSON, claims are as they would be in the database."""
    outcomes = _execute_key_commands(connection, commands, lambda finish: finish.spooled)
    rows_to_insert = _accepted_rows(commands, outcomes)
    add_to_spool(connection, rows_to_insert, datetime.now(UTC))
    return outcomes


def _execute_key_commands(
    connection: Connection, commands: Sequence[WriteCommand], select_answer: Callable[[FinishedClaim], bytes]
) -> list[Outcome]:
    """Everything about keys, in the order of the keys, so that two processes never wait for each other crosswise."""
    outcomes: list[Outcome] = [None] * len(commands)
    ordered = [(key, index) for index, command in enumerate(commands) if (key := _key_of(command)) is not None]
    for _, index in sorted(ordered):
        command = commands[index]
        if isinstance(command, AcquireKey):
            outcomes[index] = acquire_claim(connection, command.claim)
            fail_point("claim.before_commit")
        elif isinstance(command, ReleaseKey):
            release_claim(connection, command.tenant, command.subject, command.key, command.claim)
            fail_point("free.before_commit")
        elif command.rows.finish and not finish_claim(
            connection, command.rows.finish, select_answer(command.rows.finish)
        ):
            outcomes[index] = KeyInFlight("Another request works under this Idempotency-Key by now.")
    return outcomes


def _key_of(command: WriteCommand) -> tuple[str, str, str] | None:
    owner = (
        command.claim
        if isinstance(command, AcquireKey)
        else command
        if isinstance(command, ReleaseKey)
        else command.rows.finish
    )
    return None if owner is None else (owner.tenant, owner.subject, owner.key)


def _accepted_rows(commands: Sequence[WriteCommand], outcomes: Sequence[Outcome]) -> list[Rows]:
    return [
        command.rows
        for command, outcome in zip(commands, outcomes, strict=True)
        if isinstance(command, StoreRows) and not isinstance(outcome, Exception)
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
        fail_points: str,
        observe: Callable[[float], None],
    ) -> None:
        self._engine = engine
        self._write = write
        self._before, self._after = f"{fail_points}.before_commit", f"{fail_points}.after_commit"
        self._observe = observe
        self._connection: Connection | None = None

    def commit(self, commands: Sequence[WriteCommand]) -> list[Outcome]:
        """An outcome for each. A row that is refused for itself fails alone; a store that is away fails all at once."""
        try:
            return self._commit_with_retry(commands)
        except Exception as error:  # noqa: BLE001 - whatever it is, the thread must live and the callers must be told
            if not is_row_error(error):
                return [StoreUnavailable(error_name(error)) for _ in commands]
            if len(commands) == 1:
                return [row_refused_error(error)]
        return [outcome for command in commands for outcome in self.commit([command])]

    def close(self) -> None:
        """Give the connection back to the pool, which replaces it if it is broken. Held, it saves 50 us a commit."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _commit_with_retry(self, commands: Sequence[WriteCommand]) -> list[Outcome]:
        """Once, or twice where the first time says no more than that the connection was an old one."""
        try:
            return self._commit_once(commands)
        except Exception as error:
            self.close()
            if not is_transient(error):
                raise
        try:
            return self._commit_once(commands)
        except Exception:
            self.close()
            raise

    def _commit_once(self, commands: Sequence[WriteCommand]) -> list[Outcome]:
        started_at = time.perf_counter()
        self._connection = self._connection or self._engine.connect()
        with write_turn(self._engine), self._connection.begin():
            outcomes = self._write(self._connection, commands)
            fail_point(self._before)
        fail_point(self._after)
        self._observe(time.perf_counter() - started_at)
        return outcomes
