"""What keeping costs: rows a second of group commit, and what storing adds to a request.

    python -m benchmarks.storage [--rounds N] [--seconds S] [--skip-server] [--bundle FOLDER]

Two regimes, on SQLite (WAL, synchronous=FULL) and on a PostgreSQL of its own on this machine (fsync on), both on the
disk that holds temporary folders. A commit waits for at least one flush of that disk, whose time stands in the table:
it bounds what storing adds to a lone request from below.

*The recorder alone*, in one process: `CONCURRENT_WRITERS` requests at a time each wait for their record, as in a busy worker. The
same records through the same thread, once with one row a transaction and once with as many as wait. The two take turns.

*The server*, two workers, over HTTP: `/v1/understand` with `store` true and false in turn, alone and with 64 in flight.
Models answer from the score cache (every text was sent before), so that their noise does not hide what storing costs;
added are the difference of the medians (latency) and of CPU a request, all processes of the server. PostgreSQL's own
processes are not of the server and not counted. Each figure is a median over the rounds, least and most beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from benchmarks.closed_loop import Case, LoadResult, run_case, write_bodies
from benchmarks.results import RoundStats, argument_parser, print_result, print_table, ratios_by_round, to_json_values
from benchmarks.server import Server, running
from frontdesk.storage.database import migrate
from tests.support import postgresql
from tests.support.records import record
from tests.support.worker_storage import open_worker_storage

CONCURRENT_WRITERS = 256
ALONE_ROWS, GROUPED_ROWS = 500, 8000
FLUSHES = 100
DEADLINE_S = 60.0
CACHED_TEXTS = 16_384  # of each worker: all texts of `benchmarks.closed_loop`
GROUP_GAIN, ADDED_P50_MS, ADDED_CPU_MS = 10.0, 3.0, 0.3
LATENCY = (1, "p50 at concurrency 1")
CPU = (64, "CPU a request at 64 in flight")


@dataclass(frozen=True, slots=True)
class CommitRates:
    """Rows a second of the recorder alone; `gain` is grouped by alone, round by round."""

    alone_per_s: RoundStats
    grouped_per_s: RoundStats
    gain: RoundStats


@dataclass(frozen=True, slots=True)
class AddedCost:
    """Milliseconds that storing adds, and what they are added to."""

    p50_ms: RoundStats
    without_p50_ms: RoundStats
    cpu_ms: RoundStats
    without_cpu_ms: RoundStats


@dataclass(frozen=True, slots=True)
class StorageCosts:
    """Of one database. `added` is None where no server was asked."""

    database: str
    flush_ms: RoundStats
    commits: CommitRates
    added: AddedCost | None


def measure_flushes(folder: Path) -> RoundStats:
    """Milliseconds until 4 kB more of a file are on the disk."""
    durations_ms = []
    with (folder / "flushed").open("wb", buffering=0) as file:
        for _ in range(FLUSHES):
            start = time.perf_counter()
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            durations_ms.append((time.perf_counter() - start) * 1000)
    return RoundStats.of(durations_ms)


def measure_commits(url: str, rounds: int) -> CommitRates:
    """One row a transaction and many, in turn; the tables are there already."""
    alone, grouped = [], []
    for _ in range(rounds):
        alone.append(measure_rows_per_s(url, ALONE_ROWS, max_rows_per_commit=1))
        grouped.append(measure_rows_per_s(url, GROUPED_ROWS, max_rows_per_commit=CONCURRENT_WRITERS))
    return CommitRates(RoundStats.of(alone), RoundStats.of(grouped), ratios_by_round(grouped, alone))


def measure_rows_per_s(url: str, rows: int, *, max_rows_per_commit: int) -> float:
    """How many records a second are acknowledged when `CONCURRENT_WRITERS` wait at a time."""
    remaining = iter([record() for _ in range(rows)])
    limits = {"budget_s": DEADLINE_S, "timeout_s": DEADLINE_S}  # what is measured is the database, not the spool
    with (
        tempfile.TemporaryDirectory() as home,
        open_worker_storage(url, Path(home), max_rows_per_commit=max_rows_per_commit, **limits) as worker,
    ):

        async def client() -> None:
            for next_record in remaining:
                await worker.recorder.store(next_record)

        async def clients() -> None:
            await asyncio.gather(*(client() for _ in range(CONCURRENT_WRITERS)))

        start = time.perf_counter()
        asyncio.run(clients())
        return rows / (time.perf_counter() - start)


def measure_added_cost(server: Server, rounds: int, seconds: float) -> AddedCost:
    """Store and do not store, in turn, after every text was answered once."""
    results: dict[tuple[int, bool], list[LoadResult]] = {}
    with tempfile.TemporaryDirectory() as folder:
        cases = {
            (concurrency, store): Case("storing", f"store {store}".lower(), concurrency, store=store)
            for concurrency in (LATENCY[0], CPU[0])
            for store in (False, True)
        }
        bodies = {key: write_bodies(case, Path(folder)) for key, case in cases.items()}
        for store in (False, True):
            run_case(server, cases[CPU[0], store], *bodies[CPU[0], store], seconds * 2)
        for number in range(rounds):
            for key, case in list(cases.items())[:: 1 if number % 2 == 0 else -1]:
                results.setdefault(key, []).append(run_case(server, case, *bodies[key], seconds))
    p50 = {store: [each.load.latency_ms(0.5) for each in results[LATENCY[0], store]] for store in (False, True)}
    cpu = {store: [each.cpu_ms_per_text for each in results[CPU[0], store]] for store in (False, True)}
    return AddedCost(
        p50_ms=_differences(p50),
        without_p50_ms=RoundStats.of(p50[False]),
        cpu_ms=_differences(cpu),
        without_cpu_ms=RoundStats.of(cpu[False]),
    )


def _differences(figures: Mapping[bool, list[float]]) -> RoundStats:
    return RoundStats.of(
        [stored - not_stored for stored, not_stored in zip(figures[True], figures[False], strict=True)]
    )


def check_targets(costs: StorageCosts) -> list[tuple[str, str, float, bool]]:
    """What was promised of one database, the target in words, what was measured, and whether that is enough."""
    gain = costs.commits.gain.median
    checks = [("group commit / one commit a row", f">= {GROUP_GAIN:.0f}", gain, gain >= GROUP_GAIN)]
    if costs.added is not None:
        p50, cpu = costs.added.p50_ms.median, costs.added.cpu_ms.median
        checks.append((f"added to {LATENCY[1]}, ms", f"<= {ADDED_P50_MS}", p50, p50 <= ADDED_P50_MS))
        checks.append((f"added to {CPU[1]}, ms", f"<= {ADDED_CPU_MS}", cpu, cpu <= ADDED_CPU_MS))
    return checks


def main() -> int:
    parser = argument_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6.0, help="of each run of load against a server")
    parser.add_argument("--skip-server", action="store_true", help="the recorder alone")
    parser.add_argument("--bundle", type=Path, help="what the server serves; default: the champion of this machine")
    options = parser.parse_args()
    results = [_measure(database, url, options) for database, url in _databases()]
    _print(results)
    print_result(
        "storage", {costs.database: {**to_json_values(costs), "promises": check_targets(costs)} for costs in results}
    )
    return int(not all(met for costs in results for *_, met in check_targets(costs)))


def _measure(database: str, url: str, options: argparse.Namespace) -> StorageCosts:
    console = Console(stderr=True)
    console.print(f"{database}: the recorder alone, {options.rounds} rounds")
    migrate(url)
    with tempfile.TemporaryDirectory() as folder:
        flush_ms = measure_flushes(Path(folder))
    commits = measure_commits(url, options.rounds)
    if options.skip_server:
        return StorageCosts(database, flush_ms, commits, None)
    console.print(f"{database}: the server, {options.rounds} rounds")
    with running(workers=2, cached_texts=CACHED_TEXTS, bundle=options.bundle, database_url=url) as server:
        return StorageCosts(database, flush_ms, commits, measure_added_cost(server, options.rounds, options.seconds))


def _databases() -> Iterator[tuple[str, str]]:
    """Each with an empty one of its own, there until the next is asked for."""
    with tempfile.TemporaryDirectory() as folder:
        yield "SQLite", f"sqlite:///{folder}/frontdesk.db"
    if (reason := postgresql.missing()) is not None:
        Console(stderr=True).print(f"PostgreSQL: not measured: {reason}")
        return
    with postgresql.running() as server:
        yield "PostgreSQL", server.fresh_database()


def _print(results: list[StorageCosts]) -> None:
    flat = [
        {"database": costs.database, "flush_ms": costs.flush_ms, **to_json_values(costs.commits)} for costs in results
    ]
    figures = (
        ("a flush of the disk, ms", "flush_ms", ".2f"),
        ("one commit a row, rows/s", "alone_per_s", ".0f"),
        (f"group commit, {CONCURRENT_WRITERS} waiting, rows/s", "grouped_per_s", ".0f"),
        ("gain", "gain", ".1f"),
    )
    print_table("What keeping costs", [("database", "database", ""), *figures], flat)
    added = [{"database": costs.database, **to_json_values(costs.added)} for costs in results if costs.added]
    figures = (
        (f"{LATENCY[1]} without storing, ms", "without_p50_ms", ".2f"),
        ("storing adds, ms", "p50_ms", ".2f"),
        (f"{CPU[1]} without storing, ms", "without_cpu_ms", ".3f"),
        ("storing adds, ms of CPU", "cpu_ms", ".3f"),
    )
    if added:
        print_table("What storing adds to a request", [("database", "database", ""), *figures], added)
    rows = [
        {"database": costs.database, "what": what, "target": target, "measured": measured, "kept": met}
        for costs in results
        for what, target, measured, met in check_targets(costs)
    ]
    columns = (("database", "database", ""), ("what", "what", ""), ("target", "target", ""))
    print_table("Promises", [*columns, ("measured", "measured", ".2f"), ("kept", "kept", "")], rows)


if __name__ == "__main__":
    sys.exit(main())
