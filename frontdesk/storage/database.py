"""Opening the database, and bringing its tables up to date.

Two databases are spoken to: SQLite, the embedded default, where several processes share one file, and PostgreSQL
through psycopg2. Knows nothing of the rows; the statements are in `sql/`.
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
from frontdesk.private_files import UntrustedFileError, file_problem

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_TIMEOUT_S = 5.0
TRUNCATE_TIMEOUT_MS = 250
CONNECT_TIMEOUT_S = 2  # libpq waits for no shorter time
STATEMENT_TIMEOUT_S = 30
ROWS_PER_ROUND_TRIP = 512
SILENT_AFTER_MS = 5000
"""An unanswered packet for that long means that the database's machine is gone."""
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
MIGRATION_LOCK = 0x46524F4E54  # any number that no other program locks: "FRONT" in ASCII


def open_database(url: str) -> Engine:
    """An engine for `url`, whose errors never show the values of a row. No table is made: that is `migrate`.

    `engine.begin()` is for writing: on SQLite it takes the write lock at once, waiting up to `BUSY_TIMEOUT_S`, so that
    two processes queue up and never deadlock by both turning from reader to writer. `begin_reading(engine)` is for reading.
    A SQLite file that is not there yet is made, readable by its owner alone, and so is its folder.

    Raises:
        ConfigurationError: the URL names a database or a driver that is not supported, or the file cannot be made.
    """
    parsed = _parse_url(url)
    if parsed.get_backend_name() == "postgresql":
        engine = create_engine(
            parsed,
            hide_parameters=True,
            pool_pre_ping=True,
            connect_args=_POSTGRESQL,
            executemany_mode="values_plus_batch",  # rows of one statement in one round trip, not in one each
            executemany_batch_page_size=ROWS_PER_ROUND_TRIP,
        )
        event.listen(engine, "connect", _set_statement_timeout)
        return engine
    _prepare_file(_database_file(parsed))
    # Without an isolation level the driver never begins a transaction by itself; `_begin` does.
    connect_args = {"isolation_level": None, "timeout": BUSY_TIMEOUT_S}
    engine = create_engine(parsed, hide_parameters=True, connect_args=connect_args)
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin_transaction)
    return engine


@contextmanager
def begin_reading(engine: Engine) -> Iterator[Connection]:
    """A connection for statements that only read: on SQLite it neither takes nor waits for the write lock."""
    with engine.connect() as connection:
        yield connection.execution_options(frontdesk_reads_only=True)


def truncate_wal(connection: Connection) -> bool:
    """Truncate SQLite's write-ahead log, which holds old versions of pages; False if a reader prevents that.

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
    """A transaction that writes, in turn with the other processes; committed at the end."""
    with write_turn(engine), engine.begin() as connection:
        yield connection


@contextmanager
def try_lock(path: Path) -> Iterator[bool]:
    """True where this process has the lock beside `path`, until the end; False at once where another has it."""
    with _open_lock_file(path) as lock:
        yield _try_flock(lock)


@contextmanager
def write_turn(engine: Engine) -> Iterator[None]:
    """On SQLite, let processes that write all the time take turns, which SQLite alone does not see to.

    Its busy handler sleeps for up to 100 ms between two looks, so of two such processes one starves: on two cores it
    waited up to 250 ms for a commit, and up to 30 ms with turns. This is a courtesy: SQLite's own lock decides, and
    who gets no turn within `TURN_TIMEOUT_S` goes on without it.
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
    """Bring the tables up to date, in one transaction. Safe when several processes start at once: one does it.

    Raises:
        ConfigurationError: as `open_database`.
        sqlalchemy.exc.SQLAlchemyError: the database is away, or a migration failed; then nothing has changed.
    """
    from alembic import command  # imported here: it takes 0.2 s, which commands without a migration save

    engine = open_database(url)
    try:
        with _migration_lock(engine.url), engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SET LOCAL statement_timeout = 0")  # an index may take minutes to build
                connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))  # freed by the commit
            command.upgrade(alembic_config(connection), "head")
    finally:
        engine.dispose()


def alembic_config(connection: Connection) -> Config:
    """What alembic's commands need in order to work on `connection`, inside its transaction, without an alembic.ini."""
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


def _prepare_file(path: Path) -> None:
    """Make the folder (0700) and the file (0600; SQLite gives its companions the same mode), and turn on the WAL.

    The WAL is turned on here, under a lock, because turning it on is the one step that SQLite's own time-out does not
    wait for; the file remembers it.
    """
    try:
        for file in (path, *(Path(f"{path}{suffix}") for suffix in COMPANIONS)):
            if (problem := file_problem(file)) is not None:
                raise UntrustedFileError(
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
    """Hold the lock beside `path`, however long it takes to get it."""
    with _open_lock_file(path) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _open_lock_file(path: Path) -> Iterator[int]:
    """The open lock file beside `path`. Closing it frees the lock, as does the end of the process."""
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
    """By a statement, because poolers such as PgBouncer refuse it among the options of a connection."""
    cursor = connection.cursor()
    cursor.execute(f"SET statement_timeout = {STATEMENT_TIMEOUT_S * 1000}")
    cursor.close()
    connection.commit()


def _set_pragmas(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous = FULL")  # each commit is on the disk before it returns
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA secure_delete = ON")  # what is erased is overwritten, not just unlinked
    cursor.close()


def _begin_transaction(connection: Connection) -> None:
    reads_only = connection.get_execution_options().get("frontdesk_reads_only", False)
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")
