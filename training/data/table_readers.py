"""Rows of .csv, .jsonl and .parquet files with their line numbers; the first two also compressed (.csv.gz, .jsonl.gz).

A row that cannot be read is a row with a problem, not the end. Knows nothing of labels, and changes no word.
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
_SURROGATE = re.compile("[\ud800-\udfff]")  # what a byte that is not UTF-8 is decoded to, or half of a JSON escape
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Table:
    """A file's columns in order and its rows, each with its line: as a mapping, or what is wrong with it.

    `line` is the one that the row ends on, counted from 1; of a Parquet file, which has no lines, the row's number.
    """

    file: Path
    columns: tuple[str, ...]
    rows: tuple[tuple[int, Row | str], ...]

    @property
    def stem(self) -> str:
        """The file's name without its format."""
        return self.file.name.removesuffix(".gz").rpartition(".")[0]


def read_tables(path: Path) -> Iterator[Table]:
    """The file, or every file of the folder that has a known format, in order of name.

    Raises:
        DataError: when there is nothing at `path`, or a file that is of no known format or damaged as a whole.
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


def read_table(file: Path) -> Table:
    """Read a file by the format that its name says.

    Raises:
        DataError: when the file as a whole cannot be read.
    """
    if file.suffix == ".parquet":
        columns, rows = read_parquet(file)
        return Table(file, columns, tuple(enumerate(rows, start=1)))
    content = _read_text(file)
    if file.name.removesuffix(".gz").endswith(".csv"):
        return _csv(file, content)
    json_rows = tuple(_json_lines(content))
    columns = tuple(dict.fromkeys(name for _, row in json_rows if not isinstance(row, str) for name in row))
    return Table(file, columns, json_rows)


def _read_text(file: Path) -> str:
    """The file's text; a byte that is not UTF-8 becomes a surrogate, so that the row it is in can be named."""
    raw = file.read_bytes()
    if file.suffix == ".gz":
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError, zlib.error):
            raise DataError(f"{file.name} is damaged or no gzip file.") from None
    if raw.startswith(_UTF16_MARKS):
        raise DataError(f"{file.name} is UTF-16.", hint="Save it as UTF-8.")
    return raw.decode("utf-8-sig", "surrogateescape")


def _csv(file: Path, content: str) -> Table:
    """CSV with a header; the delimiter is the comma, semicolon or tab that the header has most of."""
    lines = io.StringIO(content, newline="")
    delimiter = max(_DELIMITERS, key=lines.readline().count)
    lines.seek(0)
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        columns = tuple(next(reader, ()))
    except csv.Error:
        raise DataError(f"The first line of {file.name} cannot be read as CSV.") from None
    return Table(file, columns, tuple(_csv_rows(reader, columns)))


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
