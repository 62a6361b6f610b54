"""Leader election: the process that holds the lock does the work, and another takes over when it ends.

On SQLite the lock is a file lock next to the database file, which is on one host: one leader per host. On PostgreSQL it
is an advisory lock of the session that the work itself uses: one leader per database, and a leader that loses its
connection loses the lock with it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable

from sqlalchemy import Connection, Engine, func, select

OUTBOX_LOCK = 0x46524F4E55  # keys of advisory locks that no other program uses
RETENTION_LOCK = 0x46524F4E57


class LeaderElection:
    """Election for one task, used by one thread. Call `try_lead` regularly, and `resign` at the end or after an error.

    `number` is the advisory lock on PostgreSQL, `name` the suffix of the lock file on SQLite: one pair for each task.
    """

    def __init__(self, engine: Engine, number: int = OUTBOX_LOCK, name: str = "outbox") -> None:
        self._engine = engine
        self._number = number
        self._name = name
        self._connection: Connection | None = None
        self._lock_file: int | None = None
        on_sqlite = engine.dialect.name == "sqlite"
        self._try_lock: Callable[[Connection], bool] = self._try_file_lock if on_sqlite else self._try_session_lock

    def try_lead(self) -> Connection | None:
        """Return the leader's connection, always the same one; None if another process leads.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database is unavailable.
            OSError: the lock file cannot be opened.
        """
        if self._connection is not None:
            return self._connection
        connection = self._engine.connect()
        try:
            is_leader = self._try_lock(connection)
        except BaseException:
            connection.close()
            raise
        if not is_leader:
            connection.close()
            return None
        self._connection = connection
        return connection

    def resign(self) -> None:
        """Give up leadership. Ends the session, because the pool would keep its lock."""
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None

    def _try_file_lock(self, _: Connection) -> bool:
        lock = os.open(f"{self._engine.url.database}.{self._name}-lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return False
        self._lock_file = lock
        return True

    def _try_session_lock(self, connection: Connection) -> bool:
        with connection.begin():
            return bool(connection.scalar(select(func.pg_try_advisory_lock(self._number))))
