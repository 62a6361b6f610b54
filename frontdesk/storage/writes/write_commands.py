"""Commands for a writer thread, and their execution: one transaction for a batch of commands.

A store is the database or the host's spool: both hold rows and the claims of Idempotency-Keys.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine

from frontdesk.errors import IdempotencyKeyInFlight
from frontdesk.storage.database import sqlite_write_turn
from frontdesk.storage.db_errors import StoreUnavailable, error_name, is_row_error, is_transient, row_refused_error
from frontdesk.storage.failpoints import fail_point
from frontdesk.storage.record_rows import FinishedClaim, RecordRows
from frontdesk.storage.spool.replay import anonymise_erased
from frontdesk.storage.sql.audit_trail import AuditTrail
from frontdesk.storage.sql.idempotency import ClaimRow, acquire_claim, finish_claim, release_claim
from frontdesk.storage.sql.records import insert_rows
from frontdesk.storage.sql.spool import add_to_spool
from frontdesk.storage.writes.group_commit import Outcome


@dataclass(frozen=True, slots=True)
class StoreRows:
    """Write these rows. Outcome: None, or the error if another request has taken over their claim."""

    rows: RecordRows


@dataclass(frozen=True, slots=True)
class AcquireIdempotencyKey:
    """Claim an Idempotency-Key. Outcome: None, or the `HoldingClaim` that already has it."""

    claim: ClaimRow


@dataclass(frozen=True, slots=True)
class ReleaseIdempotencyKey:
    """Release an unfinished key. Outcome: None."""

    tenant: str
    subject: str
    key: str
    claim: str


WriteCommand = StoreRows | AcquireIdempotencyKey | ReleaseIdempotencyKey


def write_database(
    connection: Connection, commands: Sequence[WriteCommand], trail: AuditTrail | None = None
) -> list[Outcome]:
    """Execute the commands in the database and append audit entries; rows of erased subjects are anonymised."""
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
    """Execute the commands in the spool: rows are stored as JSON, claims as in the database."""
    outcomes = _execute_key_commands(connection, commands, lambda finish: finish.spooled)
    rows_to_insert = _accepted_rows(commands, outcomes)
    add_to_spool(connection, rows_to_insert, datetime.now(UTC))
    return outcomes


def _execute_key_commands(
    connection: Connection, commands: Sequence[WriteCommand], select_answer: Callable[[FinishedClaim], bytes]
) -> list[Outcome]:
    """Execute the parts that concern keys, ordered by key, so that two processes cannot deadlock."""
    outcomes: list[Outcome] = [None] * len(commands)
    ordered = [(key, index) for index, command in enumerate(commands) if (key := _key_of(command)) is not None]
    for _, index in sorted(ordered):
        command = commands[index]
        if isinstance(command, AcquireIdempotencyKey):
            outcomes[index] = acquire_claim(connection, command.claim)
            fail_point("claim.before_commit")
        elif isinstance(command, ReleaseIdempotencyKey):
            release_claim(connection, command.tenant, command.subject, command.key, command.claim)
            fail_point("free.before_commit")
        elif command.rows.finish and not finish_claim(
            connection, command.rows.finish, select_answer(command.rows.finish)
        ):
            outcomes[index] = IdempotencyKeyInFlight("Another request has taken over this Idempotency-Key.")
    return outcomes


def _key_of(command: WriteCommand) -> tuple[str, str, str] | None:
    owner = (
        command.claim
        if isinstance(command, AcquireIdempotencyKey)
        else command
        if isinstance(command, ReleaseIdempotencyKey)
        else command.rows.finish
    )
    return None if owner is None else (owner.tenant, owner.subject, owner.key)


def _accepted_rows(commands: Sequence[WriteCommand], outcomes: Sequence[Outcome]) -> list[RecordRows]:
    return [
        command.rows
        for command, outcome in zip(commands, outcomes, strict=True)
        if isinstance(command, StoreRows) and not isinstance(outcome, Exception)
    ]


class StoreWriter:
    """Writes to `engine` for one thread, on one connection that stays open and is replaced when it breaks.

    Args:
        engine: of the database or the spool.
        write: executes a batch in a transaction.
        fail_points: prefix of the names of its fail points.
        observe: called with the duration of each transaction, in seconds.
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
        """Return an outcome for each command. A rejected row fails alone; an unavailable store fails all commands."""
        try:
            return self._commit_with_retry(commands)
        except Exception as error:  # noqa: BLE001 - the thread must live, and the callers must get an outcome
            if not is_row_error(error):
                return [StoreUnavailable(error_name(error)) for _ in commands]
            if len(commands) == 1:
                return [row_refused_error(error)]
        return [outcome for command in commands for outcome in self.commit([command])]

    def close(self) -> None:
        """Return the connection to the pool, which replaces a broken one. Keeping it open saves 50 us per commit."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _commit_with_retry(self, commands: Sequence[WriteCommand]) -> list[Outcome]:
        """Commit, and retry once after a transient error, such as a stale connection."""
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
        with sqlite_write_turn(self._engine), self._connection.begin():
            outcomes = self._write(self._connection, commands)
            fail_point(self._before)
        fail_point(self._after)
        self._observe(time.perf_counter() - started_at)
        return outcomes
