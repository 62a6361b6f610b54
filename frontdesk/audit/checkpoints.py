"""Periodic checkpoints of the audit log: one process per host signs the heads of all chains that have grown.

    every interval -> has a chain grown? -> sign its head -> store it in the database, then in a file of this host

The checkpoints in the database show that a chain was cut off. The file, <home>/audit-checkpoints.jsonl, shows it to
`frontdesk audit verify` even if an attacker with access to the database removed its checkpoints, too. A checkpoint
contains the heads of chains that have grown since the previous one. At the end of a process it contains only the
process's own chain.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from uuid import UUID

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from frontdesk.audit.chain import BEGINNING, AuditKey, Checkpoint
from frontdesk.identifiers import uuid7
from frontdesk.storage.database import begin_reading, begin_writing, try_lock
from frontdesk.storage.sql.audit_log import (
    chain_heads,
    insert_audit_checkpoint,
    last_audit_checkpoint,
    lock_audit_checkpoints,
)

FILE_NAME = "audit-checkpoints.jsonl"
CLOSING_S = 5.0
WRITING_S = 10.0
"""Age below which a checkpoint may not be in the file yet."""

Heads = Mapping[str, tuple[int, str]]

_log = logging.getLogger("bentoml.frontdesk")  # below BentoML's own, so that a worker prints it


class CheckpointWriter:
    """Thread of each worker. One of them is elected and signs; another takes over within an interval when it ends.

    Args:
        engine: of the database.
        key: signs the checkpoints.
        home: folder of the file, and of the lock for the election.
        chain: the chain of this process, signed once more at its end.
        interval_s: maximum time that an entry waits for a checkpoint while the database is available, in seconds.
    """

    def __init__(self, engine: Engine, key: AuditKey, home: Path, chain: str, interval_s: float) -> None:
        self._engine = engine
        self._key = key
        self._file = home / FILE_NAME
        self._chain = chain
        self._interval_s = interval_s
        self._signed: Heads = {}
        self._closed = Event()
        self._thread = Thread(target=self._run, name="frontdesk-checkpoints", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Sign the last entries of this process, and stop."""
        self._closed.set()
        self._thread.join(CLOSING_S)

    def _run(self) -> None:
        while not self._closed.is_set():
            with try_lock(self._file) as has_lock:
                while has_lock and not self._closed.is_set():
                    self._sign_new_heads(None)
                    self._closed.wait(self._interval_s)
            self._closed.wait(self._interval_s)
        self._sign_new_heads(self._chain)

    def _sign_new_heads(self, chain: str | None) -> None:
        """Sign the heads that have changed, of one chain or of all."""
        try:
            with begin_reading(self._engine) as connection:
                heads = chain_heads(connection, chain)
            grown = {name: head for name, head in heads.items() if self._signed.get(name) != head}
            if grown:
                store_checkpoint(self._engine, self._key, self._file, grown)
            self._signed = {**self._signed, **heads}
        except (SQLAlchemyError, OSError) as error:
            _log.warning("The audit log was not signed this time (%s).", type(error).__name__)


def store_checkpoint(engine: Engine, key: AuditKey, file: Path, heads: Heads | None = None) -> Checkpoint:
    """Sign these heads, or those of all chains; store the checkpoint in the database, then at the end of `file`.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database is unavailable.
        OSError: the file cannot be written; the database has the checkpoint then.
    """
    with begin_writing(engine) as connection:
        checkpoint = _create_checkpoint(connection, key, chain_heads(connection) if heads is None else heads)
    append_line(file, checkpoint)
    return checkpoint


def append_line(file: Path, checkpoint: Checkpoint) -> None:
    """Append the checkpoint as a line and sync the file to disk.

    Raises:
        OSError: the file cannot be written.
    """
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, b"\n" + checkpoint.to_json().encode())  # the line break ends a line torn by a crash
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def missing_from_file(stored: Sequence[Checkpoint], file: Path) -> list[Checkpoint]:
    """Return the database's checkpoints that this host's file lacks, oldest first.

    Checkpoints younger than `WRITING_S` are skipped.
    """
    digests_in_file = {checkpoint.digest() for checkpoint in read_checkpoint_file(file)[0]}
    cutoff = (datetime.now(UTC) - timedelta(seconds=WRITING_S)).isoformat(timespec="microseconds")
    settled = [checkpoint for checkpoint in stored if checkpoint.created_at < cutoff]
    return [checkpoint for checkpoint in settled if checkpoint.digest() not in digests_in_file]


def expected_in_file(stored: Sequence[Checkpoint], hosts: int, host: str) -> list[Checkpoint]:
    """Return the checkpoints that this host's file should hold: all if it is the only host.

    A checkpoint does not name the host that signed it. If several hosts share the database, the result is therefore the
    checkpoints over this host's own chains, by which an empty file is detected.
    """
    if hosts == 1:
        return list(stored)
    return [checkpoint for checkpoint in stored if any(chain.startswith(f"{host}-") for chain in checkpoint.heads)]


def read_checkpoint_file(file: Path) -> tuple[list[Checkpoint], int]:
    """Return the checkpoints in a file, one per line, and the number of malformed lines. A missing file has none."""
    if not file.exists():
        return [], 0
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return parse_checkpoints([line for line in lines if line.strip()])


def parse_checkpoints(texts: Sequence[str]) -> tuple[list[Checkpoint], int]:
    """Return the checkpoints in these JSON texts, and the number of malformed texts."""
    checkpoints = []
    for content in texts:
        try:
            checkpoints.append(Checkpoint.from_json(content))
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
    return checkpoints, len(texts) - len(checkpoints)


def _create_checkpoint(connection: Connection, key: AuditKey, heads: Heads) -> Checkpoint:
    """Insert a checkpoint after the last one, by its id, regardless of the clocks of other hosts."""
    lock_audit_checkpoints(connection)
    now, (next_id, previous) = datetime.now(UTC), _next_id_and_previous(last_audit_checkpoint(connection))
    checkpoint = key.sign_checkpoint(max(uuid7(), next_id), now, heads, previous)
    insert_audit_checkpoint(connection, checkpoint.id, checkpoint.to_json(), now)
    return checkpoint


def _next_id_and_previous(last: tuple[str, str] | None) -> tuple[str, str]:
    """Return the next id, and the digest of the last checkpoint. A damaged one is skipped: `verify` reports it."""
    try:
        if last is not None:
            return str(UUID(int=UUID(last[0]).int + 1)), Checkpoint.from_json(last[1]).digest()
    except (ValueError, TypeError, KeyError, AttributeError):
        pass
    return "", BEGINNING
