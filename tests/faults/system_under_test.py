"""The system under test: a running server, clients that write to it, and the data that it stores.

Stored data is read directly: from the tables, the spool file and the lines of the sink.
"""

from __future__ import annotations

import contextlib
import json
import random
import signal
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import psutil
from sqlalchemy import create_engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from frontdesk.storage.tables import customer_history, outbox, queries
from model_store.bundle import Bundle
from tests.faults.history import Event, StoredState, Verdict, check
from tests.faults.load import Load, wait_until
from tests.support.serving import Server, home_with

WORKERS = 2
RESPAWN_TIMEOUT_S = 60.0  # BentoML looks for dead workers every ten seconds, then one has to warm up
QUIET_TIMEOUT_S = 60.0
TOKEN_TTL_S = 4 * 3600
SHORT_LEASES: Mapping[str, object] = {"server__request_timeout_s": 5.0, "storage__idempotency_lease_s": 6.0}
"""For scenarios that leave keys in flight: the leases end after six seconds, not thirty."""


@dataclass(slots=True)
class SystemUnderTest:
    """One server and its clients. `sink` is the file that the outbox writes to."""

    server: Server
    load: Load
    database_url: str
    sink: Path | None
    workers: int = WORKERS
    _random: random.Random = field(default_factory=lambda: random.Random(7))

    def kill_worker(self) -> None:
        """Kill a random API worker with SIGKILL."""
        victim = self._random.choice(sorted(self.server.workers().values()))
        psutil.Process(victim).send_signal(signal.SIGKILL)

    def wait_for_workers(self) -> float:
        """Wait until every worker is running again; return the duration in seconds."""
        return wait_until(self._all_work, RESPAWN_TIMEOUT_S, "dead workers are replaced")

    def wait_until_quiet(self, timeout_s: float = QUIET_TIMEOUT_S) -> float:
        """Wait until spool and outbox are empty; return the duration in seconds."""
        return wait_until(lambda: self.undelivered() == 0, timeout_s, "spool and outbox are empty")

    def wait_until_drained(self) -> float:
        """Wait until the spool is empty; return the duration in seconds."""
        return wait_until(lambda: self.spooled() == 0, QUIET_TIMEOUT_S, "the spool is empty")

    def verdict(self) -> Verdict:
        """Wait until all rows are delivered, replay the answers with a key, and compare responses with stored data."""
        with contextlib.suppress(AssertionError):  # remaining rows are in the verdict
            self.wait_until_quiet()
        self.load.replay()
        with contextlib.suppress(AssertionError):
            self.wait_until_quiet()
        return check(self.load.history(), self.stored_state())

    def stored_state(self) -> StoredState:
        """Return the data that database and sink hold now."""
        engine = create_engine(self.database_url)
        try:
            with engine.connect() as connection:
                rows = {
                    row.id: row.query_text for row in connection.execute(select(queries.c.id, queries.c.query_text))
                }
                history = tuple(connection.scalars(select(customer_history.c.id)))
        finally:
            engine.dispose()
        events = None if self.sink is None else tuple(_events(self.sink))
        return StoredState(rows, history, events, self.undelivered())

    def undelivered(self) -> int:
        """Count the rows in the spool and in the outbox. An unavailable database counts as one."""
        return self.spooled() + self._in_outbox()

    def spooled(self) -> int:
        """Count the requests in the spool of this host, waiting and refused ones."""
        spool = self.server.home / "spool.db"
        with closing(sqlite3.connect(f"file:{spool}?mode=ro", uri=True)) as connection:
            (waiting,) = connection.execute("SELECT count(*) FROM spooled").fetchone()
            (refused,) = connection.execute("SELECT count(*) FROM refused").fetchone()
            return int(waiting + refused)

    def _in_outbox(self) -> int:
        engine = create_engine(self.database_url)
        try:
            with engine.connect() as connection:
                return connection.scalar(select(func.count()).select_from(outbox)) or 0
        except SQLAlchemyError:
            return 1
        finally:
            engine.dispose()

    def _all_work(self) -> bool:
        alive = {process.pid for process in self.server.processes()}
        try:
            workers = set(self.server.workers().values())
        except (FileNotFoundError, ValueError):  # a worker is just registering
            return False
        return len(workers) == self.workers and workers <= alive


@contextmanager
def run_system(
    bundle: Bundle,
    home: Path,
    *,
    database_url: str | None = None,
    with_sink: bool = True,
    workers: int = WORKERS,
    clients: int = 8,
    variables: Mapping[str, str] = MappingProxyType({}),
    **settings: object,
) -> Iterator[SystemUnderTest]:
    """Run a server on `home`, an empty folder, with SQLite in it unless another database is named."""
    home_with(bundle, home)
    sink = home / "events.jsonl" if with_sink else None
    ours: dict[str, object] = {}
    if with_sink:
        ours |= {"outbox__sinks": "[file]", "outbox__file": sink}
    if database_url is not None:
        ours["storage__url"] = database_url
    url = database_url or f"sqlite:///{home / 'frontdesk.db'}"
    with Server(home, workers=workers, variables=variables, **{**ours, **settings}) as server:
        token = server.token(ttl_s=TOKEN_TTL_S)
        with Load(server.port, token, clients=clients) as load:
            yield SystemUnderTest(server, load, url, sink, workers)


def _events(sink: Path) -> Iterator[Event]:
    """Return every complete line. A killed process may tear a line, whose event is then delivered again."""
    if not sink.is_file():
        return
    for line in sink.read_text(encoding="utf-8").splitlines():
        try:
            event = json.loads(line)
        except json.JSONDecodeError:
            continue
        yield Event(event["event_id"], event["payload"]["query_id"])
