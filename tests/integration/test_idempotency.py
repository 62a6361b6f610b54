"""The same key and request get the same answer, once: on both databases, and while they are unavailable."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, func, insert, select

from frontdesk.errors import IdempotencyKeyInFlight, IdempotencyKeyReused, StorageUnavailable
from frontdesk.storage.database import begin_reading, begin_writing, migrate, open_database
from frontdesk.storage.record_rows import answer_json
from frontdesk.storage.spool.spool_file import Spool, delete_expired_idempotency_keys
from frontdesk.storage.sql.idempotency import ClaimRow, HoldingClaim
from frontdesk.storage.tables import idempotency, queries
from frontdesk.types import Answer, Caller, Claim, EarlierAnswer, Query
from tests.support.records import record
from tests.support.worker_storage import WorkerStorage, open_worker_storage

CALLER = Caller("acme", "shop-frontend", frozenset({"answer"}))
QUERY = Query("Where is my order 4711-0815?", customer_id="customer-7")
KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"


@pytest.fixture
def url(database_url: str) -> str:
    migrate(database_url)
    return database_url


@pytest.fixture
def worker(url: str, tmp_path: Path) -> Iterator[WorkerStorage]:
    with open_worker_storage(url, tmp_path / "host", budget_s=1.0) as worker:
        yield worker


class Switch:
    """A database that begins no transaction while it is off."""

    def __init__(self, engine: Engine | None) -> None:
        assert engine is not None
        self.is_off = False
        event.listen(engine, "begin", self._refuse)

    def _refuse(self, _: object) -> None:
        if self.is_off:
            raise ConnectionRefusedError


async def acquire(worker: WorkerStorage, key: str = KEY, query: Query = QUERY, caller: Caller = CALLER) -> object:
    return await worker.keys.acquire(key, "answer", query, caller)


async def finish(worker: WorkerStorage, claim: object, query: Query = QUERY) -> Answer:
    """Store the answer under the claim, as the pipeline does; return what the caller got."""
    assert isinstance(claim, Claim)
    created = replace(record(created_at=datetime.now(UTC)), claim=claim, query=query, caller=CALLER)
    stored = await worker.recorder.store(created)
    return created.answer_for_caller(stored if query.store else "no")


async def once(worker: WorkerStorage, key: str = KEY) -> Answer:
    return await finish(worker, await acquire(worker, key))


async def until(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    give_up = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < give_up, "it did not happen in time"
        await asyncio.sleep(0.01)


def count(worker: WorkerStorage, table: object = queries) -> int:
    assert worker.engine is not None
    with begin_reading(worker.engine) as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def is_replay(answer: object, of: Answer) -> bool:
    return isinstance(answer, EarlierAnswer) and answer_json(answer) == answer_json(of)


async def test_a_repeated_request_gets_the_same_bytes_and_does_not_run_again(worker: WorkerStorage) -> None:
    first = await once(worker)
    for _ in range(3):
        assert is_replay(await acquire(worker), first)
    assert count(worker) == 1
    assert worker.metric('frontdesk_idempotency_keys_total{outcome="replayed"}') == 3


async def test_the_answer_under_a_key_is_not_readable_in_the_database(worker: WorkerStorage) -> None:
    await once(worker)
    with begin_reading(worker.engine) as connection:
        (row,) = connection.execute(select(idempotency)).mappings()
    assert b"4711-0815" not in row["answer_sealed"]
    assert "4711-0815" not in str(dict(row))


async def test_a_key_stands_for_one_request_only(worker: WorkerStorage) -> None:
    claim = await acquire(worker)
    for other in (replace(QUERY, text="Something else"), replace(QUERY, store=False)):
        with pytest.raises(IdempotencyKeyReused):
            await acquire(worker, query=other)
    await finish(worker, claim)
    with pytest.raises(IdempotencyKeyReused):
        await worker.keys.acquire(KEY, "understand", QUERY, CALLER)


async def test_of_concurrent_requests_one_runs_and_the_others_are_refused(worker: WorkerStorage) -> None:
    outcomes = await asyncio.gather(*(acquire(worker) for _ in range(50)), return_exceptions=True)
    claims = [outcome for outcome in outcomes if isinstance(outcome, Claim)]
    assert len(claims) == 1
    assert sum(isinstance(outcome, IdempotencyKeyInFlight) for outcome in outcomes) == 49
    first = await finish(worker, claims[0])
    assert is_replay(await acquire(worker), first)


async def test_callers_do_not_share_keys(worker: WorkerStorage) -> None:
    for tenant, subject in (("acme", "a"), ("acme", "b"), ("other", "a")):
        assert isinstance(await acquire(worker, caller=Caller(tenant, subject, frozenset())), Claim)


async def test_a_failed_request_releases_its_key(worker: WorkerStorage) -> None:
    claim = await acquire(worker)
    assert isinstance(claim, Claim)
    worker.keys.release(claim, CALLER)
    assert isinstance(await acquire(worker), Claim)


async def test_a_key_with_an_answer_keeps_it_after_a_release(worker: WorkerStorage) -> None:
    claim = await acquire(worker)
    first = await finish(worker, claim)
    assert isinstance(claim, Claim)
    worker.keys.release(claim, CALLER)
    assert is_replay(await acquire(worker), first)


async def test_after_a_crash_the_key_is_free_when_its_lease_ends_and_a_late_answer_is_not_stored(
    url: str, tmp_path: Path
) -> None:
    with open_worker_storage(url, tmp_path / "host", lease_s=0.2) as worker:
        late = await acquire(worker)
        await asyncio.sleep(0.3)
        taken_over = await acquire(worker)
        with pytest.raises(IdempotencyKeyInFlight):
            await finish(worker, late)
        first = await finish(worker, taken_over)
        assert is_replay(await acquire(worker), first)
        assert count(worker) == 1


async def test_a_key_expires(url: str, tmp_path: Path) -> None:
    with open_worker_storage(url, tmp_path / "host", ttl_s=0.2) as worker:
        await once(worker)
        await asyncio.sleep(0.3)
        await once(worker)
        assert count(worker) == 2


async def test_an_answer_that_is_not_stored_is_replayed_all_the_same(worker: WorkerStorage) -> None:
    query = replace(QUERY, store=False)
    first = await finish(worker, await acquire(worker, query=query), query)
    assert first.stored == "no"
    assert is_replay(await acquire(worker, query=query), first)
    assert count(worker) == 0


async def test_while_the_database_is_unavailable_keys_are_claimed_and_answered_on_this_host_and_known_afterwards(
    worker: WorkerStorage,
) -> None:
    switch = Switch(worker.engine)
    switch.is_off = True
    claim = await acquire(worker)
    with pytest.raises(IdempotencyKeyInFlight):
        await acquire(worker)
    first = await finish(worker, claim)
    assert first.stored == "spooled"
    assert is_replay(await acquire(worker), first)
    switch.is_off = False
    await until(lambda: worker.spool.backlog()[0] == 0)
    await until(lambda: not worker.recorder.is_spooling)
    assert is_replay(await acquire(worker), first)
    assert (count(worker), count(worker, idempotency)) == (1, 1)


async def test_a_key_that_was_claimed_before_an_outage_is_finished_in_the_spool(
    worker: WorkerStorage,
) -> None:
    switch = Switch(worker.engine)
    claim = await acquire(worker)
    switch.is_off = True
    first = await finish(worker, claim)
    assert first.stored == "spooled"
    assert is_replay(await acquire(worker), first)
    switch.is_off = False
    await until(lambda: worker.spool.backlog()[0] == 0)
    assert is_replay(await acquire(worker), first)
    assert count(worker) == 1


async def test_a_key_that_was_claimed_in_the_spool_is_finished_in_the_database_after_the_outage(
    worker: WorkerStorage,
) -> None:
    switch = Switch(worker.engine)
    switch.is_off = True
    claim = await acquire(worker)
    switch.is_off = False
    await until(lambda: not worker.recorder.is_spooling)
    with pytest.raises(IdempotencyKeyInFlight):
        await acquire(worker)
    first = await finish(worker, claim)
    assert first.stored == "committed"
    await asyncio.sleep(0.2)  # the spool forgets the key a moment later
    assert is_replay(await acquire(worker), first)
    assert count(worker) == 1


async def test_an_answer_acknowledged_from_the_spool_ends_a_claim_that_another_host_still_works_on(
    worker: WorkerStorage, tmp_path: Path
) -> None:
    with open_worker_storage(worker.url, tmp_path / "other host") as other:
        switch = Switch(worker.engine)
        slow = await acquire(other)
        switch.is_off = True
        first = await once(worker)
        switch.is_off = False
        await until(lambda: worker.spool.backlog()[0] == 0)
        with pytest.raises(IdempotencyKeyInFlight):
            await finish(other, slow)
        assert is_replay(await acquire(other), first)
        assert count(worker) == 1


async def test_with_several_hosts_a_key_is_refused_while_the_database_is_unavailable(url: str, tmp_path: Path) -> None:
    with open_worker_storage(url, tmp_path / "host", one_host=False) as worker:
        switch = Switch(worker.engine)
        claim = await acquire(worker, "taken before")
        switch.is_off = True
        with pytest.raises(StorageUnavailable, match="cannot share Idempotency-Keys"):
            await acquire(worker)
        assert (await finish(worker, claim)).stored == "spooled"
        switch.is_off = False
        await until(lambda: not worker.recorder.is_spooling)
        assert isinstance(await acquire(worker), Claim)


async def test_two_workers_of_a_host_know_each_others_keys_during_an_outage(url: str, tmp_path: Path) -> None:
    with open_worker_storage(url, tmp_path / "host") as one, open_worker_storage(url, tmp_path / "host") as other:
        for each in (one, other):
            Switch(each.engine).is_off = True
        first = await once(one)
        assert is_replay(await acquire(other), first)


async def test_old_keys_are_deleted_in_the_end(worker: WorkerStorage) -> None:
    for number in range(5):
        await once(worker, f"key-{number}")
    delete_expired_idempotency_keys(worker.engine, datetime(2026, 1, 1, tzinfo=UTC))
    assert count(worker, idempotency) == 5
    open_engine = open_database(worker.url)
    delete_expired_idempotency_keys(open_engine, datetime(2100, 1, 1, tzinfo=UTC))
    open_engine.dispose()
    assert count(worker, idempotency) == 0
    assert count(worker) == 5


async def test_a_slow_spool_disk_does_not_block_the_event_loop(worker: WorkerStorage) -> None:
    event.listen(worker.spool.engine, "begin", lambda _: time.sleep(0.3))
    taking = asyncio.create_task(acquire(worker))
    longest = 0.0
    while not taking.done():
        before = time.perf_counter()
        await asyncio.sleep(0.005)
        longest = max(longest, time.perf_counter() - before)
    assert isinstance(await taking, Claim)
    assert longest < 0.2


async def test_an_unchanged_spool_is_not_read_again(worker: WorkerStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a write by any process it is read again, so a key that another worker claimed is found."""
    reads: list[ClaimRow] = []
    read_holder = Spool.find_claim

    def counted(spool: Spool, row: ClaimRow) -> HoldingClaim | None:
        reads.append(row)
        return read_holder(spool, row)

    monkeypatch.setattr(Spool, "find_claim", counted)
    await asyncio.sleep(1.1)  # until the clock of the file system tells a write apart
    for number in range(5):
        await acquire(worker, f"key-{number}")
    assert len(reads) == 1
    now = datetime.now(UTC)
    claimed = {"tenant": CALLER.tenant, "subject": CALLER.subject, "key": "taken", "fingerprint": "x", "claim": "other",
             "lease_until": now + timedelta(minutes=1), "created_at": now}  # fmt: skip
    with begin_writing(worker.spool.engine) as connection:
        connection.execute(insert(idempotency), claimed)
    with pytest.raises(IdempotencyKeyReused):
        await acquire(worker, "taken")
