"""Rows of a Parquet file. pyarrow is imported only when such a file is read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from frontdesk.errors import DataError


def read_parquet(file: Path) -> tuple[tuple[str, ...], tuple[Mapping[str, Any], ...]]:
    """Read the names of the columns and the rows.

    Raises:
        DataError: the file is damaged, truncated or not Parquet, or contains text that is not UTF-8.
    """
    import pyarrow
    from pyarrow.parquet import ParquetFile

    try:
        table = ParquetFile(file).read()
        return tuple(table.column_names), tuple(table.to_pylist())
    except (pyarrow.ArrowException, OSError):
        raise DataError(f"{file.name} cannot be read as Parquet.") from None
    except UnicodeDecodeError:
        raise DataError(f"{file.name} holds text that is not UTF-8.") from None
