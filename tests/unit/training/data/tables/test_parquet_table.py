from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow
import pytest
from pyarrow.parquet import write_table

from frontdesk.errors import DataError
from training.data.tables.parquet_table import ParquetTable
from training.data.tables.source import Source


def write(path: Path, **columns: object) -> Path:
    write_table(pyarrow.table(columns), path)
    return path


def cells(path: Path, *expected: str) -> list[tuple[object, ...]]:
    return [row.cells for row in ParquetTable.open(Source(path), expected or None).rows()]


FAR = pyarrow.array([253402300800000], pyarrow.timestamp("ms"))
NANOSECONDS = pyarrow.array([1_001], pyarrow.time64("ns"))


@pytest.mark.parametrize("odd", [FAR, NANOSECONDS], ids=["a date in the year 10000", "a time in nanoseconds"])
def test_a_value_that_python_cannot_represent_is_text_if_its_column_is_read_and_else_ignored(
    tmp_path: Path, odd: pyarrow.Array
) -> None:
    path = write(tmp_path / "a.parquet", Text=["hello"], closes_at=odd)
    assert cells(path, "text") == [("hello",)]
    ((_, value),) = cells(path)
    assert isinstance(value, str)


def test_bytes_are_text_and_invalid_ones_are_marked(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", text=pyarrow.array(["größe".encode(), b"\xff", None]))
    assert cells(path) == [("größe",), ("\udcff",), (None,)]


def test_values_of_all_types_become_values_of_json(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.parquet",
        text=pyarrow.array(["x"]).dictionary_encode(),
        number=[1.5],
        flag=[True],
        tags=[["a", "b"]],
        day=pyarrow.array([0], pyarrow.date32()),
        nothing=[None],
    )
    assert cells(path) == [("x", 1.5, True, ["a", "b"], "1970-01-01", None)]


def test_rows_are_numbered_over_batches_and_a_compressed_file_is_unpacked(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", text=[str(number) for number in range(10_000)])
    (tmp_path / "a.parquet.gz").write_bytes(gzip.compress(path.read_bytes()))
    for name in ("a.parquet", "a.parquet.gz"):
        rows = list(ParquetTable.open(Source(tmp_path / name), ("text",)).rows())
        assert [(row.line, row.cells) for row in rows[::9_999]] == [(1, ("0",)), (10_000, ("9999",))]


@pytest.mark.parametrize("size", [0, 40, -8])
def test_a_truncated_file_is_named_in_the_error(tmp_path: Path, size: int) -> None:
    path = write(tmp_path / "a.parquet", text=["hello"])
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(DataError, match=r"a\.parquet cannot be read as Parquet"):
        ParquetTable.open(Source(path), ("text",))


def test_a_damaged_page_is_reported_with_the_row(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", text=[f"message {number}" for number in range(1000)])
    content = bytearray(path.read_bytes())
    content[20:400] = bytes(380)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.parquet:1 cannot be read"):
        list(ParquetTable.open(Source(path), ("text",)).rows())
