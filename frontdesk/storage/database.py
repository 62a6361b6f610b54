"""Open the database and migrate its tables.

Supports SQLite, the embedded default, where several processes share one file, and PostgreSQL through psycopg2. The
statements are in `sql/`.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

from frontdesk.errors import ConfigurationError
from frontdesk.private_files import UnsafeFileOwnershipError, explain_unsafe_file

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_TIMEOUT_S = 5.0
TRUNCATE_TIMEOUT_MS = 250
CONNECT_TIMEOUT_S = 2  # the shortest time-out that libpq supports
STATEMENT_TIMEOUT_S = 30
ROWS_PER_ROUND_TRIP = 512
SILENT_AFTER_MS = 5000
"""A connection with a packet that is unacknowledged for this long is closed: the database's host is down."""
_POSTGRESQL = {
    "connect_timeout": CONNECT_TIMEOUT_S,
    "keepalives": 1,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": SILENT_AFTER_MS,
}
COMPANIONS = ("-wal", "-shm", "-journal", ".lock")
"""Suffixes of the files that SQLite and the lock of this product create next to a database file."""
TURN_TIMEOUT_S = 1.0
TURN_POLL_S = 0.0005
MIGRATION_LOCK = 0x46524F4E54  # key of an advisory lock that no other program uses: "FRONT" in ASCII


def open_database(url: str) -> Engine:
    """Return an engine for `url`. Its errors never show the values of a row. Creates no tables: use `migrate`.

    `engine.begin()` is for writing: on SQLite it takes the write lock at once and waits up to `BUSY_TIMEOUT_S`, so that
    processes queue for the lock and cannot deadlock by both upgrading from reader to writer. `begin_reading(engine)` is
    for reading. A missing SQLite file is created, readable only by its owner, and so is its folder.

    Raises:
        ConfigurationError: the URL names a database or a driver that is not supported, or the file cannot be created.
    """
    parsed = _parse_url(url)
    if parsed.get_backend_name() == "postgresql":
        engine = create_engine(
            parsed,
            hide_parameters=True,
            pool_pre_ping=True,
            connect_args=_POSTGRESQL,
            executemany_mode="values_plus_batch",  # one round trip per statement, not one per row
            executemany_batch_page_size=ROWS_PER_ROUND_TRIP,
        )
        event.listen(engine, "connect", _set_statement_timeout)
        return engine
    _prepare_sqlite_file(_database_file(parsed))
    # Without an isolation level the driver never begins a transaction by itself; `_begin_transaction` does.
    connect_args = {"isolation_level": None, "timeout": BUSY_TIMEOUT_S}
    engine = create_engine(parsed, hide_parameters=True, connect_args=connect_args)
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin_transaction)
    return engine


@contextmanager
def begin_reading(engine: Engine) -> Iterator[Connection]:
    """Yield a connection for reads only: on SQLite it neither takes nor waits for the write lock."""
    with engine.connect() as connection:
        yield connection.execution_options(frontdesk_reads_only=True)


def truncate_wal(connection: Connection) -> bool:
    """Truncate SQLite's write-ahead log, which holds old versions of pages; return False if a reader prevents it.

    True on other databases. Call it outside of a transaction. Writers wait meanwhile, hence the short time-out.
    """
    if connection.dialect.name != "sqlite":
        return True
    cursor = connection.connection.cursor()
    try:
        cursor.execute(f"PRAGMA busy_timeout = {TRUNCATE_TIMEOUT_MS}")
        busy, _, _ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        cursor.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")
    finally:
        cursor.close()
    return not busy


@contextmanager
def begin_writing(engine: Engine) -> Iterator[Connection]:
    """Yield the connection of a write transaction, committed at the end. Processes take turns (`sqlite_write_turn`)."""
    with sqlite_write_turn(engine), engine.begin() as connection:
        yield connection


@contextmanager
def try_lock(path: Path) -> Iterator[bool]:
    """Yield whether this process acquired the lock file next to `path`. It holds the lock until the context ends.

    Does not wait if another process holds the lock.
    """
    with _open_lock_file(path) as lock:
        yield _try_flock(lock)


@contextmanager
def sqlite_write_turn(engine: Engine) -> Iterator[None]:
    """Make processes that write continuously to SQLite take turns; the lock of SQLite is not fair.

    SQLite's busy handler sleeps for up to 100 ms between two attempts, so that one of two such processes starves: on
    two cores it waited up to 250 ms for a commit, and up to 30 ms with turns. Turns are advisory: SQLite's own lock
    decides, and a process that gets no turn within `TURN_TIMEOUT_S` continues without it.
    """
    if engine.dialect.name != "sqlite":
        yield
        return
    with _open_lock_file(_database_file(engine.url)) as lock:
        deadline = time.monotonic() + TURN_TIMEOUT_S
        while not _try_flock(lock) and time.monotonic() < deadline:
            time.sleep(TURN_POLL_S)
        yield


def migrate(url: str) -> None:
    """Bring the tables up to date, in one transaction. If several processes start at once, one of them migrates.

    Raises:
        ConfigurationError: as `open_database`.
        sqlalchemy.exc.SQLAlchemyError: the database is unavailable, or a migration failed; then nothing has changed.
    """
    from alembic import command  # imported here: it takes 0.2 s, and most commands do not migrate

    engine = open_database(url)
    try:
        with _migration_lock(engine.url), engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SET LOCAL statement_timeout = 0")  # an index may take minutes to build
                connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))  # released by the commit
            command.upgrade(alembic_config(connection), "head")
    finally:
        engine.dispose()


def alembic_config(connection: Connection) -> Config:
    """Return alembic's configuration for commands on `connection`, inside its transaction, without an alembic.ini."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _parse_url(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # the message may repeat parts of the URL, which holds the password
        raise ConfigurationError("storage.url is not a database URL.", hint=_HINT) from None
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg2"):
        raise ConfigurationError(f"storage.url begins with {parsed.drivername}://, which is not supported.", hint=_HINT)
    if parsed.get_backend_name() == "sqlite" and (parsed.database or ":memory:").startswith((":memory:", "file:")):
        raise ConfigurationError("storage.url names no SQLite file.", hint=_HINT)
    return parsed


_HINT = "Write sqlite:////path/to/a.db or postgresql+psycopg2://user:password@host/database."


def _database_file(url: URL) -> Path:
    return Path(str(url.database))


def _prepare_sqlite_file(path: Path) -> None:
    """Create the folder (0700) and the file (0600; SQLite gives its companion files the same mode), and enable the WAL.

    The WAL is enabled here, under a lock, because SQLite's own time-out does not apply to this step. The file stores
    the setting.
    """
    try:
        for file in (path, *(Path(f"{path}{suffix}") for suffix in COMPANIONS)):
            if (problem := explain_unsafe_file(file)) is not None:
                raise UnsafeFileOwnershipError(
                    f"The database {path} is not used: {problem}.", hint="Move it away, or run chmod go-w or chown."
                )
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        with _hold_lock(path), closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT_S)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
    except (OSError, sqlite3.Error) as error:
        raise ConfigurationError(f"The database {path} cannot be opened: {error}.") from None


@contextmanager
def _migration_lock(url: URL) -> Iterator[None]:
    if url.get_backend_name() == "postgresql":
        yield
        return
    with _hold_lock(_database_file(url)):
        yield


@contextmanager
def _hold_lock(path: Path) -> Iterator[None]:
    """Hold the lock file next to `path`; wait for it without a time limit."""
    with _open_lock_file(path) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _open_lock_file(path: Path) -> Iterator[int]:
    """Yield the descriptor of the lock file next to `path`. Closing it or ending the process releases the lock."""
    lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield lock
    finally:
        os.close(lock)


def _try_flock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _set_statement_timeout(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    """Set the time-out by a statement, because poolers such as PgBouncer reject it as an option of the connection."""
    cursor = connection.cursor()
    cursor.execute(f"SET statement_timeout = {STATEMENT_TIMEOUT_S * 1000}")
    cursor.close()
    connection.commit()


def _set_pragmas(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous = FULL")  # each commit is on the disk before it returns
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA secure_delete = ON")  # deleted data is overwritten, not only unlinked
    cursor.close()


def _begin_transaction(connection: Connection) -> None:
    reads_only = connection.get_execution_options().get("frontdesk_reads_only", False)
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")
