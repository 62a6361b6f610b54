"""The dispatcher on both databases: at least once, in order, despite failures."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import Engine

from frontdesk.storage.database import begin_reading, migrate, open_database
from frontdesk.storage.events import Event, answered_event, outbox_rows
from frontdesk.storage.leader_election import LeaderElection
from frontdesk.storage.outbox.dispatcher import DeliveryLimits, Dispatcher
from frontdesk.storage.outbox.sinks import FileSink, Sink, SinkUnavailable
from frontdesk.storage.sql import outbox
from tests.support.postgresql import PostgreSql
from tests.support.records import record

PATIENCE_S = 10.0
LIMITS = DeliveryLimits(max_events=10, max_attempts=3, backoff_s=0.02, max_backoff_s=0.1, poll_s=0.05)


@dataclass
class Told:
    """A sink that remembers, that may be away, and that refuses some events."""

    name: str = "file"
    away: bool = False
    refuses: set[str] = field(default_factory=set)
    events: list[str] = field(default_factory=list)

    def deliver(self, events: Sequence[Event]) -> None:
        if self.away:
            raise SinkUnavailable("It is away.")
        if any(event.event_id in self.refuses for event in events):
            raise ValueError("This event is not wanted.")
        self.events.extend(event.event_id for event in events)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    migrate(database_url)
    engine = open_database(database_url)
    yield engine
    engine.dispose()


def put(engine: Engine, customer: str | None, *ids: str, sinks: tuple[str, ...] = ("file",)) -> None:
    with engine.begin() as connection:
        events = [answered_event(record(query_id=each, customer_id=customer)) for each in ids]
        outbox.insert_outbox(connection, [row for event in events for row in outbox_rows(event, sinks)])


def waiting(engine: Engine) -> int:
    with begin_reading(engine) as connection:
        return sum(lag.waiting for lag in outbox.list_sink_backlogs(connection))


def until(true: Callable[[], bool]) -> None:
    give_up = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < give_up, "it did not come to that"
        time.sleep(0.01)


def nothing_spooled() -> tuple[int, int]:
    return 0, 0


def dispatching(
    engine: Engine,
    *sinks: Sink,
    observed: list[object] | None = None,
    spooled: Callable[[], tuple[int, int]] = nothing_spooled,
) -> closing[Dispatcher]:
    visited = [] if observed is None else observed
    return closing(
        Dispatcher(
            engine,
            sinks,
            LIMITS,
            spooled=spooled,
            count_delivered_events=lambda sink, count: visited.append((sink, count)),
            observe_lag=visited.append,
        )
    )


def test_each_sink_gets_all_events_in_order_and_then_none_waits(engine: Engine) -> None:
    file, features = Told(), Told("features")
    ids = [f"{number:02}" for number in range(25)]
    put(engine, "ada", *ids, sinks=("file", "features"))
    observed: list[object] = []
    with dispatching(engine, file, features, observed=observed):
        until(lambda: waiting(engine) == 0)
    assert file.events == features.events == ids
    assert sum(each[1] for each in observed if isinstance(each, tuple) and each[0] == "file") == 25
    assert any(isinstance(each, outbox.SinkBacklog) and each.sink == "features" for each in observed)


def test_an_unavailable_sink_loses_no_event_and_counts_no_attempt(engine: Engine) -> None:
    sink, other = Told(away=True), Told("features")
    put(engine, "ada", "1", "2", sinks=("file", "features"))
    with dispatching(engine, sink, other):
        until(lambda: other.events == ["1", "2"])
        time.sleep(0.5)  # many more attempts than an event may cost
        assert sink.events == []
        sink.away = False
        until(lambda: waiting(engine) == 0)
    assert sink.events == ["1", "2"]


def test_a_refused_event_holds_back_only_its_customer_and_becomes_a_dead_letter(engine: Engine) -> None:
    sink = Told(refuses={"2"})
    put(engine, "ada", "1", "2", "4")
    put(engine, "bob", "3", "5")
    with dispatching(engine, sink):
        until(lambda: waiting(engine) == 0)
    assert sink.events == ["1", "3", "5", "4"]
    with begin_reading(engine) as connection:
        (letter,) = outbox.dead_letters(connection, "acme", 10)
    assert (letter.event_id, letter.attempts, letter.last_error) == ("2", 3, "ValueError")


def test_a_retried_dead_letter_is_delivered(engine: Engine) -> None:
    sink = Told(refuses={"1"})
    put(engine, "ada", "1")
    with dispatching(engine, sink):
        until(lambda: waiting(engine) == 0)
        sink.refuses.clear()
        with engine.begin() as connection:
            assert outbox.retry_dead_letter(connection, "acme", "file", "1", record().created_at)
        until(lambda: sink.events == ["1"])


def test_a_woken_dispatcher_does_not_wait_for_the_next_poll(engine: Engine) -> None:
    sink = Told()
    slow = DeliveryLimits(10, 3, 0.02, 0.1, poll_s=60.0)
    silent = {"count_delivered_events": lambda *_: None, "observe_lag": lambda _: None}
    message = Dispatcher(engine, [sink], slow, spooled=nothing_spooled, **silent)
    with closing(message):
        time.sleep(0.3)
        put(engine, "ada", "1")
        message.wake()
        until(lambda: sink.events == ["1"])


def test_nothing_leaves_while_earlier_events_may_still_be_in_the_spool(engine: Engine) -> None:
    sink, waiting_there = Told(), [3]
    put(engine, "ada", "2")
    with dispatching(engine, sink, spooled=lambda: (waiting_there[0], 3)):
        time.sleep(0.3)
        assert sink.events == []
        put(engine, "ada", "1")  # out of the spool
        waiting_there[0] = 0
        until(lambda: sink.events == ["1", "2"])


def test_what_went_through_the_spool_while_the_outbox_was_read_comes_first(engine: Engine) -> None:
    """The spool is empty before and after, but an event passed through it in between: the outbox is read again."""
    sink, looks = Told(), itertools.count()

    def spooled() -> tuple[int, int]:
        if (look := next(looks)) == 1:
            put(engine, "ada", "1")
        return 0, min(look, 1)

    put(engine, "ada", "2")
    with dispatching(engine, sink, spooled=spooled):
        until(lambda: len(sink.events) == 2)
    assert sink.events == ["1", "2"]


def test_one_of_several_leads_and_another_takes_over(engine: Engine) -> None:
    first, second = LeaderElection(engine), LeaderElection(engine)
    assert first.try_lead() is not None
    assert first.try_lead() is first.try_lead()
    assert second.try_lead() is None
    first.resign()
    assert second.try_lead() is not None
    second.resign()


def test_events_survive_the_death_of_the_process_that_delivers(database_url: str, tmp_path: Path) -> None:
    """A leading process is killed; another one delivers the remaining events within a few seconds."""
    migrate(database_url)
    engine = open_database(database_url)
    path = tmp_path / "events.jsonl"
    leader = subprocess.Popen([sys.executable, __file__, database_url], stdout=subprocess.PIPE)
    assert leader.stdout is not None
    assert leader.stdout.readline() == b"leads\n"
    with dispatching(engine, FileSink(path)):
        put(engine, "ada", "1", "2")
        time.sleep(0.3)
        assert not path.exists()
        os.kill(leader.pid, signal.SIGKILL)
        leader.wait()
        until(lambda: waiting(engine) == 0)
    assert [json.loads(line)["event_id"] for line in path.read_text().splitlines()] == ["1", "2"]
    engine.dispose()


def test_a_killed_postgresql_is_queried_again_when_it_is_back(postgresql: PostgreSql, postgresql_url: str) -> None:
    migrate(postgresql_url)
    engine = open_database(postgresql_url)
    sink = Told()
    with dispatching(engine, sink):
        put(engine, "ada", "1")
        until(lambda: sink.events == ["1"] and waiting(engine) == 0)  # else it would rightly be delivered again
        postgresql.kill()
        time.sleep(0.2)
        postgresql.start()
        engine.dispose()
        put(engine, "ada", "2")
        until(lambda: waiting(engine) == 0)
    assert sink.events == ["1", "2"]
    engine.dispose()


def lead_until_killed(url: str) -> None:
    leadership = LeaderElection(open_database(url))
    assert leadership.try_lead() is not None
    sys.stdout.write("leads\n")
    sys.stdout.flush()
    time.sleep(60)


if __name__ == "__main__":
    lead_until_killed(sys.argv[1])


@dataclass
class SlowToRefuse(Told):
    """Takes its time to refuse the events of one tenant."""

    tenant: str = "slow"
    takes_s: float = 0.2

    def deliver(self, events: Sequence[Event]) -> None:
        if any(event.tenant == self.tenant for event in events):
            time.sleep(self.takes_s)
            raise ValueError("This event is not wanted.")
        self.events.extend(event.event_id for event in events)


def test_slowly_refused_events_of_a_tenant_do_not_delay_other_tenants(engine: Engine) -> None:
    """A hundred refusals take the sink 20 s, and these events are the oldest."""
    refused = [
        answered_event(record(query_id=f"a{number:03d}", tenant="slow", customer_id=None)) for number in range(100)
    ]
    with engine.begin() as connection:
        outbox.insert_outbox(connection, [row for event in refused for row in outbox_rows(event, ("file",))])
    put(engine, None, *(f"b{number}" for number in range(15)))
    sink = SlowToRefuse()
    began = time.monotonic()
    with dispatching(engine, sink):
        until(lambda: len(sink.events) == 15)
    assert time.monotonic() - began < 5.0
