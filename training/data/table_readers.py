"""Rows of .csv, .jsonl and .parquet files with their line numbers; CSV and JSON lines also compressed with gzip.

A row that cannot be read is returned as a description of its problem; reading continues with the next row.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from frontdesk.errors import DataError
from training.data.parquet import read_parquet

FORMATS = (".csv", ".jsonl", ".parquet", ".csv.gz", ".jsonl.gz")
SUPPORTED_FILES = "a .csv, .jsonl or .parquet file (.csv.gz and .jsonl.gz too), or a folder of them"

Row = Mapping[str, Any]

_DELIMITERS = ",;\t"
_SURROGATE = re.compile("[\ud800-\udfff]")  # from a byte that is not UTF-8, or from half of a JSON surrogate pair
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class DataTable:
    """Columns of a file in order, and its rows: (line, mapping) or (line, problem).

    The line is the one on which the row ends, counted from 1; for Parquet it is the row number.
    """

    file: Path
    columns: tuple[str, ...]
    rows: tuple[tuple[int, Row | str], ...]

    @property
    def stem(self) -> str:
        """The file's name without its format."""
        return self.file.name.removesuffix(".gz").rpartition(".")[0]


def read_tables(path: Path) -> Iterator[DataTable]:
    """Read a file, or all files of a folder that have a supported format, in order of name.

    Raises:
        DataError: `path` does not exist, its format is not supported, or a file cannot be read at all.
    """
    if not path.exists():
        raise DataError(f"There is no data at {path}.", hint=f"Give {SUPPORTED_FILES}.")
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.name.endswith(FORMATS) and not file.name.startswith("."))
    elif path.name.endswith(FORMATS):
        files = [path]
    else:
        raise DataError(f"{path.name} has no format that is understood.", hint=f"Give {SUPPORTED_FILES}.")
    yield from map(read_table, files)


def read_table(file: Path) -> DataTable:
    """Read a file; its name determines the format.

    Raises:
        DataError: the file cannot be read at all.
    """
    if file.suffix == ".parquet":
        columns, rows = read_parquet(file)
        return DataTable(file, columns, tuple(enumerate(rows, start=1)))
    content = _read_text(file)
    if file.name.removesuffix(".gz").endswith(".csv"):
        return _csv(file, content)
    json_rows = tuple(_json_lines(content))
    columns = tuple(dict.fromkeys(name for _, row in json_rows if not isinstance(row, str) for name in row))
    return DataTable(file, columns, json_rows)


def _read_text(file: Path) -> str:
    """Read the text of a file. Bytes that are not UTF-8 become surrogates, so that their rows can be reported."""
    raw = file.read_bytes()
    if file.suffix == ".gz":
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError, zlib.error):
            raise DataError(f"{file.name} is damaged or no gzip file.") from None
    if raw.startswith(_UTF16_MARKS):
        raise DataError(f"{file.name} is UTF-16.", hint="Save it as UTF-8.")
    return raw.decode("utf-8-sig", "surrogateescape")


def _csv(file: Path, content: str) -> DataTable:
    """Parse CSV with a header. The delimiter is the most frequent of comma, semicolon and tab in the header."""
    lines = io.StringIO(content, newline="")
    delimiter = max(_DELIMITERS, key=lines.readline().count)
    lines.seek(0)
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        columns = tuple(next(reader, ()))
    except csv.Error:
        raise DataError(f"The first line of {file.name} cannot be read as CSV.") from None
    return DataTable(file, columns, tuple(_csv_rows(reader, columns)))


def _csv_rows(reader: Any, columns: tuple[str, ...]) -> Iterator[tuple[int, Row | str]]:
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield reader.line_num, "cannot be read as CSV"
            continue
        if len(cells) > len(columns):
            yield reader.line_num, f"has {len(cells)} cells, the header has {len(columns)}: is a quote missing?"
        elif cells:
            yield reader.line_num, _check_utf8(dict(zip(columns, cells, strict=False)))


def _json_lines(content: str) -> Iterator[tuple[int, Row | str]]:
    for line, text in enumerate(content.split("\n"), start=1):
        if not text.strip():
            continue
        try:
            parsed = json.loads(text)
        except (ValueError, RecursionError):
            parsed = None
        yield line, _check_utf8(parsed) if isinstance(parsed, dict) else "is not a JSON object"


def _check_utf8(row: Row) -> Row | str:
    return "is not UTF-8" if any(isinstance(cell, str) and _SURROGATE.search(cell) for cell in row.values()) else row
