"""Targets of the storage benchmark, and that it counts only rows that are stored."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import func, select

from benchmarks.results import RoundStats
from benchmarks.storage import AddedCost, CommitRates, StorageCosts, check_targets, measure_flushes, measure_rows_per_s
from frontdesk.storage.database import migrate, open_database
from frontdesk.storage.tables import queries


def costs(*, gain: float = 20.0, p50_ms: float = 2.0, cpu_ms: float = 0.2) -> StorageCosts:
    def always(value: float) -> RoundStats:
        return RoundStats.of([value])

    added = AddedCost(always(p50_ms), always(1.0), always(cpu_ms), always(1.0))
    return StorageCosts("SQLite", always(1.0), CommitRates(always(300.0), always(300.0 * gain), always(gain)), added)


def missed_targets(measured: StorageCosts) -> list[str]:
    return [what for what, _, _, met in check_targets(measured) if not met]


def test_each_target_is_missed_by_its_own_value_only() -> None:
    assert missed_targets(costs()) == []
    assert missed_targets(costs(gain=9.9)) == ["group commit / one commit per row"]
    assert missed_targets(costs(p50_ms=3.1)) == ["added to p50 at concurrency 1, ms"]
    assert missed_targets(costs(cpu_ms=0.31)) == ["added to CPU per request at 64 in flight, ms"]


def test_every_counted_row_is_stored(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'frontdesk.db'}"
    migrate(url)
    assert measure_rows_per_s(url, 300, max_rows_per_commit=256) > 0
    engine = open_database(url)
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(queries)) == 300
    engine.dispose()


def test_a_flush_takes_time(tmp_path: Path) -> None:
    assert measure_flushes(tmp_path).least > 0
