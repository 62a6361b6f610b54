"""Parquet: only named columns are read, so values that Python cannot represent in other columns do no harm."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from frontdesk.errors import DataError
from training.data.tables.rows import Row, normalise_name
from training.data.tables.source import Source

_BATCH_ROWS = 4096


@dataclass(frozen=True, slots=True)
class ParquetTable:
    """`columns` are all names of the schema, `read` the names of the columns that `rows` reads."""

    source: Source
    columns: tuple[str, ...]
    read: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.source.name

    @classmethod
    def open(cls, source: Source, expected: Collection[str] | None) -> ParquetTable:
        """Read the schema.

        Args:
            expected: names of the columns to read; None for all.

        Raises:
            DataError: the file is damaged, truncated or not Parquet.
        """
        pyarrow, parquet = _library(source.name)
        with source.seekable() as stream:
            try:
                columns = tuple(parquet.ParquetFile(stream).schema_arrow.names)
            except (pyarrow.ArrowException, OSError, ValueError):
                raise _damaged(source.name) from None
        names = None if expected is None else {normalise_name(name) for name in expected}
        read = tuple(name for name in columns if names is None or normalise_name(name) in names)
        return cls(source, columns, read)

    def rows(self) -> Iterator[Row]:
        """Read the rows in batches.

        Raises:
            DataError: a part of the file is damaged.
        """
        pyarrow, parquet = _library(self.name)
        number = 0
        with self.source.seekable() as stream:
            try:
                file = parquet.ParquetFile(stream)
                for batch in file.iter_batches(_BATCH_ROWS, columns=list(self.read)):
                    names = tuple(batch.schema.names)
                    cells = [_cells(pyarrow, column) for column in batch.columns]
                    for row in zip(*cells, strict=True) if cells else [()] * batch.num_rows:
                        number += 1
                        yield Row(number, names, row)
            except (pyarrow.ArrowException, OSError, ValueError):
                raise _damaged(f"{self.name}:{number + 1}") from None


def _library(name: str) -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        hint = "Install what reads it, pip install 'frontdesk[train]', or save the table as CSV."
        raise DataError(f"{name} is a Parquet file.", hint=hint) from None
    return pyarrow, parquet


def _damaged(name: str) -> DataError:
    return DataError(f"{name} cannot be read as Parquet.", hint="It is damaged or truncated: write it again.")


def _cells(pyarrow: Any, column: Any) -> list[Any]:
    """Return values of the types of JSON: dates and times as text, bytes as text with surrogates for invalid bytes."""
    types = pyarrow.types
    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if types.is_string(kind) or types.is_large_string(kind):
        column, kind = column.cast(pyarrow.large_binary()), pyarrow.large_binary()
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
        return [None if cell is None else cell.decode("utf-8", "surrogateescape") for cell in column.to_pylist()]
    if types.is_boolean(kind) or types.is_integer(kind) or types.is_floating(kind) or types.is_null(kind):
        values: list[Any] = column.to_pylist()
        return values
    try:
        texts: list[Any] = column.cast(pyarrow.string()).to_pylist()
        return texts
    except (pyarrow.ArrowNotImplementedError, pyarrow.ArrowInvalid):
        return [_nested(cell) for cell in column]


def _nested(cell: Any) -> Any:
    """Return lists and structures unchanged, and values that Python or JSON cannot represent as text."""
    try:
        value = cell.as_py()
        json.dumps(value)
    except (TypeError, ValueError, OverflowError):
        return str(cell)
    return value
