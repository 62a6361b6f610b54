"""The database of an upgrade test (SQLite or PostgreSQL), and locks that keep rows in the spool and in the outbox."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine, text

OUTBOX_LOCK = 0x46524F4E55
"""Advisory lock of the process that delivers the outbox on PostgreSQL. On SQLite it locks a file."""


@dataclass(frozen=True, slots=True)
class Database:
    """`url` is None for the SQLite file of the home."""

    home: Path
    url: str | None = None

    @property
    def settings(self) -> dict[str, object]:
        return {} if self.url is None else {"storage__url": self.url}

    @contextmanager
    def block_outbox(self) -> Iterator[None]:
        """No process delivers events."""
        if self.url is None:
            with _locked_file(self.home / "frontdesk.db.outbox-lock"):
                yield
        else:
            with self._transaction(f"SELECT pg_advisory_lock({OUTBOX_LOCK})"):
                yield

    @contextmanager
    def block_writes(self) -> Iterator[None]:
        """Nothing can be written to the database, and the spool is not drained."""
        with ExitStack() as stack:
            stack.enter_context(_locked_file(self.home / "spool.drain.lock"))
            block = (
                "BEGIN IMMEDIATE" if self.url is None else "LOCK TABLE queries, idempotency IN ACCESS EXCLUSIVE MODE"
            )
            stack.enter_context(self._transaction(block))
            yield

    def column(self, statement: str) -> list[object]:
        """The first column of the rows of a statement, read directly from the database."""
        engine = create_engine(self._address)
        try:
            with engine.connect() as connection:
                return list(connection.execute(text(statement)).scalars())
        finally:
            engine.dispose()

    @property
    def _address(self) -> str:
        return self.url or f"sqlite:///{self.home / 'frontdesk.db'}"

    @contextmanager
    def _transaction(self, statement: str) -> Iterator[None]:
        """A session of its own that runs a statement, and keeps its locks until the context ends."""
        engine = create_engine(self._address, connect_args={"isolation_level": None} if self.url is None else {})
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql(statement)
                yield
                connection.rollback()
        finally:
            engine.dispose()


@contextmanager
def _locked_file(path: Path) -> Iterator[None]:
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
