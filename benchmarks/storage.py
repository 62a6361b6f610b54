"""Cost of storage: rows per second of group commit, and latency and CPU that storing adds to a request.

    python -m benchmarks.storage [--rounds N] [--seconds S] [--skip-server] [--bundle FOLDER]

Databases: SQLite (WAL, synchronous=FULL) and a private PostgreSQL on this machine (fsync on), both on the disk of
temporary folders. A commit waits for at least one flush of that disk. The table shows the time of a flush: it is a
lower bound for what storing adds to a single request.

*The recorder alone*, in one process: `CONCURRENT_WRITERS` requests at a time wait for their records, as in a busy
worker. The same records pass through the same thread, with one row per transaction and with all waiting rows in one
transaction. Both variants run in turn.

*The server*, two workers, over HTTP: `/v1/understand` with `store` true and false in turn, at concurrency 1 and 64.
Models answer from the score cache (every text was sent before), so that their noise does not hide the cost of storing.
Shown are the differences of median latency and of CPU per request over all processes of the server. Processes of
PostgreSQL are not counted. Each value is a median over the rounds, with minimum and maximum.
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
CPU = (64, "CPU per request at 64 in flight")


@dataclass(frozen=True, slots=True)
class CommitRates:
    """Rows per second of the recorder alone; `gain` is the ratio grouped / alone, by round."""

    alone_per_s: RoundStats
    grouped_per_s: RoundStats
    gain: RoundStats


@dataclass(frozen=True, slots=True)
class AddedCost:
    """Milliseconds that storing adds, and the values without storing."""

    p50_ms: RoundStats
    without_p50_ms: RoundStats
    cpu_ms: RoundStats
    without_cpu_ms: RoundStats


@dataclass(frozen=True, slots=True)
class StorageCosts:
    """Results of one database. `added` is absent (None) without a server."""

    database: str
    flush_ms: RoundStats
    commits: CommitRates
    added: AddedCost | None


def measure_flushes(folder: Path) -> RoundStats:
    """Milliseconds to append 4 kB to a file and flush it to the disk."""
    durations_ms = []
    with (folder / "flushed").open("wb", buffering=0) as file:
        for _ in range(FLUSHES):
            start = time.perf_counter()
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            durations_ms.append((time.perf_counter() - start) * 1000)
    return RoundStats.of(durations_ms)


def measure_commits(url: str, rounds: int) -> CommitRates:
    """Measure one row and many rows per transaction, in turn. The tables must exist."""
    alone, grouped = [], []
    for _ in range(rounds):
        alone.append(measure_rows_per_s(url, ALONE_ROWS, max_rows_per_commit=1))
        grouped.append(measure_rows_per_s(url, GROUPED_ROWS, max_rows_per_commit=CONCURRENT_WRITERS))
    return CommitRates(RoundStats.of(alone), RoundStats.of(grouped), ratios_by_round(grouped, alone))


def measure_rows_per_s(url: str, rows: int, *, max_rows_per_commit: int) -> float:
    """Acknowledged records per second with `CONCURRENT_WRITERS` requests waiting at a time."""
    remaining = iter([record() for _ in range(rows)])
    limits = {"budget_s": DEADLINE_S, "timeout_s": DEADLINE_S}  # so that the database is measured, not the spool
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
    """Measure with and without storing, in turn, after every text was answered once."""
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


def _differences(values: Mapping[bool, list[float]]) -> RoundStats:
    return RoundStats.of([stored - not_stored for stored, not_stored in zip(values[True], values[False], strict=True)])


def check_targets(costs: StorageCosts) -> list[tuple[str, str, float, bool]]:
    """Return name, target, measured value and whether the target is met, for each target of one database."""
    gain = costs.commits.gain.median
    checks = [("group commit / one commit per row", f">= {GROUP_GAIN:.0f}", gain, gain >= GROUP_GAIN)]
    if costs.added is not None:
        p50, cpu = costs.added.p50_ms.median, costs.added.cpu_ms.median
        checks.append((f"added to {LATENCY[1]}, ms", f"<= {ADDED_P50_MS}", p50, p50 <= ADDED_P50_MS))
        checks.append((f"added to {CPU[1]}, ms", f"<= {ADDED_CPU_MS}", cpu, cpu <= ADDED_CPU_MS))
    return checks


def main() -> int:
    parser = argument_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6.0, help="duration of each load on a server")
    parser.add_argument("--skip-server", action="store_true", help="measure the recorder only")
    parser.add_argument("--bundle", type=Path, help="bundle to serve; default: the champion of this machine")
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
    """Yield name and URL of an empty database; it exists until the next one is requested."""
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
    value_columns = (
        ("a flush of the disk, ms", "flush_ms", ".2f"),
        ("one commit per row, rows/s", "alone_per_s", ".0f"),
        (f"group commit, {CONCURRENT_WRITERS} waiting, rows/s", "grouped_per_s", ".0f"),
        ("gain", "gain", ".1f"),
    )
    print_table("Commits of the recorder", [("database", "database", ""), *value_columns], flat)
    added = [{"database": costs.database, **to_json_values(costs.added)} for costs in results if costs.added]
    value_columns = (
        (f"{LATENCY[1]} without storing, ms", "without_p50_ms", ".2f"),
        ("storing adds, ms", "p50_ms", ".2f"),
        (f"{CPU[1]} without storing, ms", "without_cpu_ms", ".3f"),
        ("storing adds, ms of CPU", "cpu_ms", ".3f"),
    )
    if added:
        print_table("Cost of storing a request", [("database", "database", ""), *value_columns], added)
    rows = [
        {"database": costs.database, "what": what, "target": target, "measured": measured, "met": met}
        for costs in results
        for what, target, measured, met in check_targets(costs)
    ]
    columns = (("database", "database", ""), ("what", "what", ""), ("target", "target", ""))
    print_table("Targets", [*columns, ("measured", "measured", ".2f"), ("met", "met", "")], rows)


if __name__ == "__main__":
    sys.exit(main())
