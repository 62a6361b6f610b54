from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.table_reading import MAX_PEAK_MB, STAGES, check, classify, read_tables, read_training_rows, write_rows


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    write_rows(path, 200)
    return path


def test_every_stage_reads_all_rows(file: Path) -> None:
    assert [stage(file) for stage in (read_tables, classify, read_training_rows)] == [200, 200, 200]
    assert check(file) > 0


def test_every_stage_has_a_limit_of_memory() -> None:
    assert set(MAX_PEAK_MB) == set(STAGES)
