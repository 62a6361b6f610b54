"""One process among many: whoever holds the lock works, and the next takes over when that process ends.

On SQLite the lock is one of the operating system beside the database's file, so there is one leader a host, and the
file is on one host. On PostgreSQL it is an advisory lock of the session that the work itself is done on: one leader a
database, and a leader that loses its connection has lost both at once. Knows nothing of what the leader does.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable

from sqlalchemy import Connection, Engine, func, select

OUTBOX_LOCK = 0x46524F4E55  # any number that no other program locks
RETENTION_LOCK = 0x46524F4E57


class LeaderElection:
    """Used by one thread. `try_lead` every now and then; `resign` when done, or when the connection has failed.

    `number` is the advisory lock on PostgreSQL, `name` the suffix of the lock file of SQLite: one pair for each task.
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
        """The leader's connection, always the same one; None where another process leads.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database is away.
            OSError: the lock's file cannot be opened.
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
        """Let another process lead. The session itself is ended, because the pool would keep its lock."""
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
