"""The audit log in real databases: processes write concurrently, and every change by SQL is detected."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, Engine, delete, insert, select, update

import frontdesk
from frontdesk.audit.chain import BEGINNING, AuditKey, Checkpoint, load_audit_key
from frontdesk.audit.checkpoints import FILE_NAME, CheckpointWriter, read_checkpoint_file, store_checkpoint
from frontdesk.audit.log import check_log
from frontdesk.storage.database import begin_reading, begin_writing, migrate, open_database
from frontdesk.storage.sql.audit_log import all_audit_checkpoints, chain_heads, insert_audit_checkpoint
from frontdesk.storage.sql.audit_trail import AuditTrail
from frontdesk.storage.tables import audit_checkpoints, audit_log
from frontdesk.types import AuditEntry

PROJECT = Path(frontdesk.__file__).resolve().parent.parent
NOW = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)
TRANSACTIONS = 40
OTHER = AuditKey(b"a key of somebody else, long enough")
PATIENCE_S = 60.0
WRITER = """
import sys
from pathlib import Path
from tests.integration.test_audit_log import write_chains
sys.stdin.read(1)
write_chains(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
"""


def entry(number: int) -> AuditEntry:
    return AuditEntry("acme", "agent", "answer", f"target-{number}", '{"decision": "draft"}', NOW)


def write_chains(url: str, keys: Path, transactions: int) -> None:
    """Write as one process: its own chain and, unlike the product, one that all processes write to."""
    engine, key = open_database(url), load_audit_key(keys)
    own, shared = AuditTrail(key.entry_hash), AuditTrail(key.entry_hash, "shared")
    for number in range(transactions):
        for trail in (own, shared):
            with begin_writing(engine) as connection:
                trail.append(connection, [entry(number)] * (number % 3 + 1))
    engine.dispose()


def written_to(url: str, keys: Path) -> Engine:
    """Write with two processes at the same time."""
    migrate(url)
    load_audit_key(keys)
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, url, str(keys), str(TRANSACTIONS)],
            stdin=subprocess.PIPE,
            cwd=PROJECT,
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
        )
        for _ in range(2)
    ]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write(b"g")
        writer.stdin.close()
    assert [writer.wait(PATIENCE_S) for writer in writers] == [0, 0]
    return open_database(url)


@dataclass(frozen=True)
class Log:
    """The log as an attacker with write access to the database sees it. `key` is used only by the product."""

    connection: Connection
    key: AuditKey

    @property
    def chains(self) -> list[str]:
        return sorted(self.heads)

    @property
    def heads(self) -> dict[str, tuple[int, str]]:
        return chain_heads(self.connection)

    @property
    def last_checkpoint(self) -> Checkpoint:
        return Checkpoint.from_json(all_audit_checkpoints(self.connection)[-1])

    def change(self, chain: str, number: int, /, **values: object) -> None:
        self.connection.execute(update(audit_log).where(at(chain, number)).values(**values))

    def remove(self, *conditions: ColumnElement[bool]) -> None:
        self.connection.execute(delete(audit_log).where(*conditions))

    def exchange(self, one: tuple[str, int], other: tuple[str, int]) -> None:
        """Two entries, each with its hash, as their places stay."""
        names = [c.name for c in audit_log.c if c.name not in ("chain", "sequence")]
        there = [
            self.connection.execute(select(audit_log).where(at(*place))).mappings().one() for place in (one, other)
        ]
        for place, row in zip((other, one), there, strict=True):
            self.change(*place, **{name: row[name] for name in names})

    def sign(self, key: AuditKey) -> None:
        """A checkpoint behind the last one."""
        created = key.sign_checkpoint("ffff", NOW, self.heads, self.last_checkpoint.digest())
        insert_audit_checkpoint(self.connection, created.id, created.to_json(), NOW)


def at(chain: str, sequence: int) -> ColumnElement[bool]:
    return (audit_log.c.chain == chain) & (audit_log.c.sequence == sequence)


def edited(log: Log) -> None:
    log.change(log.chains[0], 7, subject="somebody")


def moved_in_time(log: Log) -> None:
    log.change(log.chains[0], 7, created_at=NOW - timedelta(microseconds=1))


def deleted(log: Log) -> None:
    log.remove(at(log.chains[1], 3))


def deleted_and_renumbered(log: Log) -> None:
    chain = log.chains[1]
    log.remove(at(chain, 3))
    for sequence in range(4, log.heads[chain][0] + 1):
        log.change(chain, sequence, sequence=sequence - 1)


def inserted_at_the_end(log: Log) -> None:
    chain = log.chains[0]
    last = log.connection.execute(select(audit_log).where(at(chain, log.heads[chain][0]))).mappings().one()
    row = {**last, "sequence": last["sequence"] + 1, "previous_hash": last["hash"], "hash": "0" * 64}
    log.connection.execute(insert(audit_log), row)


def begun_by_another(log: Log) -> None:
    AuditTrail(OTHER.entry_hash, "theirs").append(log.connection, [entry(1)])


def reordered(log: Log) -> None:
    log.exchange((log.chains[0], 4), (log.chains[0], 9))


def swapped_between_chains(log: Log) -> None:
    log.exchange((log.chains[0], 5), (log.chains[1], 5))


def named_for_each_other(log: Log) -> None:
    first, second = log.chains[:2]
    for old, new in ((first, "between"), (second, first), ("between", second)):
        log.connection.execute(update(audit_log).where(audit_log.c.chain == old).values(chain=new))


def truncated(log: Log) -> None:
    log.remove(audit_log.c.chain == log.chains[2], audit_log.c.sequence > 11)


def truncated_and_written_on(log: Log) -> None:
    """Append with the product, which does not know of the truncation and signs the new entry in its place."""
    chain = log.chains[2]
    before, _ = log.heads[chain]
    truncated(log)
    AuditTrail(log.key.entry_hash, chain).append(log.connection, [entry(number) for number in range(before - 11)])
    log.sign(log.key)


def without_a_chain(log: Log) -> None:
    log.remove(audit_log.c.chain == log.chains[1])


def without_checkpoints(log: Log) -> None:
    log.connection.execute(delete(audit_checkpoints))


def emptied(log: Log) -> None:
    log.remove()
    without_checkpoints(log)


def truncated_without_checkpoints(log: Log) -> None:
    truncated(log)
    without_checkpoints(log)


def with_a_forged_checkpoint(log: Log) -> None:
    log.sign(OTHER)


def truncated_with_its_checkpoint_rewritten(log: Log) -> None:
    truncated(log)
    last = log.last_checkpoint
    content = Checkpoint(last.id, last.created_at, log.heads, last.previous, last.signature).to_json()
    log.connection.execute(update(audit_checkpoints).values(content=content))


def rewritten_with_another_key(log: Log) -> None:
    """Rewrite everything, as an attacker would who replaced audit.key."""
    place = ("chain", "sequence", "previous_hash", "hash")
    rows = log.connection.execute(select(audit_log).order_by(audit_log.c.chain, audit_log.c.sequence)).mappings().all()
    emptied(log)
    for row in rows:
        output = AuditEntry(**{name: value for name, value in row.items() if name not in place})
        AuditTrail(OTHER.entry_hash, row["chain"]).append(log.connection, [output])
    created = OTHER.sign_checkpoint("ffff", NOW, log.heads, BEGINNING)
    insert_audit_checkpoint(log.connection, created.id, created.to_json(), NOW)


TAMPERINGS: tuple[Callable[[Log], None], ...] = (
    edited,
    moved_in_time,
    deleted,
    deleted_and_renumbered,
    inserted_at_the_end,
    begun_by_another,
    reordered,
    swapped_between_chains,
    named_for_each_other,
    truncated,
    truncated_and_written_on,
    without_a_chain,
    with_a_forged_checkpoint,
    truncated_with_its_checkpoint_rewritten,
    rewritten_with_another_key,
)
"""What the database alone shows."""

SHOWN_BY_THE_FILE = (without_checkpoints, emptied, truncated_without_checkpoints)


class NotKeptError(Exception):
    """Rolls back."""


def findings(engine: Engine, key: AuditKey, tamper: Callable[[Log], None], file: Path | None = None) -> list[str]:
    """Return the findings; the log is unchanged afterwards."""
    results: list[str] = []
    elsewhere = read_checkpoint_file(file)[0] if file else []
    with suppress(NotKeptError), begin_writing(engine) as connection:
        tamper(Log(connection, key))
        results += check_log(connection, key, elsewhere).findings
        raise NotKeptError
    return results


def test_two_processes_write_concurrently_and_every_change_of_the_log_is_found(
    database_url: str, tmp_path: Path
) -> None:
    file, key = tmp_path / FILE_NAME, load_audit_key(tmp_path / "keys")
    engine = written_to(database_url, tmp_path / "keys")
    store_checkpoint(engine, key, file)

    with begin_reading(engine) as connection:
        whole = check_log(connection, key, [])
        heads = chain_heads(connection)
    assert whole.findings == []
    assert len(heads) == 3
    assert whole.entries == 4 * sum(number % 3 + 1 for number in range(TRANSACTIONS))
    assert heads["shared"][0] == whole.entries // 2
    assert [tamper.__name__ for tamper in TAMPERINGS if not findings(engine, key, tamper)] == []
    assert [tamper.__name__ for tamper in SHOWN_BY_THE_FILE if not findings(engine, key, tamper, file)] == []
    with begin_reading(engine) as connection:
        assert check_log(connection, key, read_checkpoint_file(file)[0]).findings == []
        assert check_log(connection, OTHER, []).findings != []
    engine.dispose()


def until(met: Callable[[], bool]) -> None:
    give_up = time.monotonic() + PATIENCE_S
    while not met():
        assert time.monotonic() < give_up, "it did not happen"
        time.sleep(0.02)


def test_one_process_of_a_host_creates_checkpoints_periodically(database_url: str, tmp_path: Path) -> None:
    migrate(database_url)
    engine, key = open_database(database_url), load_audit_key(tmp_path / "keys")

    def made() -> list[Checkpoint]:
        with begin_reading(engine) as connection:
            return [Checkpoint.from_json(content) for content in all_audit_checkpoints(connection)]

    def write(trail: AuditTrail) -> None:
        with begin_writing(engine) as connection:
            trail.append(connection, [entry(1)])

    trails = [AuditTrail(key.entry_hash), AuditTrail(key.entry_hash)]
    workers = [CheckpointWriter(engine, key, tmp_path, trail.chain, 0.1) for trail in trails]
    for number, trail in enumerate(trails * 2):
        write(trail)
        until(lambda: len(made()) == number + 1)  # noqa: B023 - called at once
    assert [list(one.heads) for one in made()] == [[trail.chain] for trail in trails * 2]

    time.sleep(0.3)
    assert len(made()) == 4  # nothing new, nothing signed
    workers[0].close()
    write(trails[1])
    until(lambda: len(made()) == 5)  # the other one has taken over, or had the work all along
    workers[1].close()
    with begin_reading(engine) as connection:
        assert check_log(connection, key, read_checkpoint_file(tmp_path / FILE_NAME)[0]).findings == []
    assert len(read_checkpoint_file(tmp_path / FILE_NAME)[0]) == len(made())
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600
    engine.dispose()


def test_the_last_entries_of_a_process_are_signed_at_its_end(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/frontdesk.db"
    migrate(url)
    engine, key = open_database(url), load_audit_key(tmp_path / "keys")
    trails = [AuditTrail(key.entry_hash), AuditTrail(key.entry_hash)]
    workers = [CheckpointWriter(engine, key, tmp_path, trail.chain, 3600.0) for trail in trails]
    time.sleep(0.2)  # their first turns are over
    for trail in trails:
        with begin_writing(engine) as connection:
            trail.append(connection, [entry(1)])
    for worker in workers:
        worker.close()
    signed = {chain for one in read_checkpoint_file(tmp_path / FILE_NAME)[0] for chain in one.heads}
    assert signed == {trail.chain for trail in trails}
    engine.dispose()


def test_a_line_that_a_crash_has_torn_is_skipped(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/frontdesk.db"
    migrate(url)
    engine, key, file = open_database(url), load_audit_key(tmp_path / "keys"), tmp_path / FILE_NAME
    store_checkpoint(engine, key, file)
    with file.open("ab") as opened:
        opened.write(b'\n{"id": "01')
    store_checkpoint(engine, key, file)
    results, damaged = read_checkpoint_file(file)
    assert (len(results), damaged) == (2, 1)
    engine.dispose()
