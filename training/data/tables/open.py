"""Open a path as tables: one file, every file of a folder, or standard input."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote

from frontdesk.errors import DataError
from training.data.tables.csv_table import CsvTable
from training.data.tables.excel_table import ExcelTable
from training.data.tables.json_table import JsonTable
from training.data.tables.parquet_table import ParquetTable
from training.data.tables.rows import Row
from training.data.tables.source import STANDARD_INPUT, Source

SUPPORTED = "a .csv, .tsv, .txt, .jsonl, .json, .xlsx or .parquet file (.gz too), or a folder of them"

_DELIMITED = (".csv", ".tsv", ".tab", ".txt")
_JSON = (".jsonl", ".ndjson", ".json")
_EXCEL = (".xlsx", ".xlsm")
_PARQUET = (".parquet", ".pq")
SUFFIXES = (*_DELIMITED, *_JSON, *_EXCEL, *_PARQUET)

_OTHER_FORMATS = (
    (b"\xd0\xcf\x11\xe0", "is an old or encrypted Office file", "Open it and save it as .xlsx or CSV UTF-8."),
    (b"Rar!", "is a RAR archive", "Unpack it first."),
    (b"7z\xbc\xaf", "is a 7z archive", "Unpack it first."),
    (b"BZh", "is a bzip2 archive", "Unpack it first."),
    (b"\xfd7zXZ", "is an xz archive", "Unpack it first."),
    (b"\x28\xb5\x2f\xfd", "is a Zstandard archive", "Unpack it first."),
    (b"%PDF", "is a PDF document", "Export the table as CSV."),
    (b"SQLite format 3", "is an SQLite database", "Export the table as CSV."),
    (b"ORC\x00", "is an ORC file", "Write it as Parquet or CSV."),
    (b"Obj\x01", "is an Avro file", "Write it as Parquet or CSV."),
)
_WEB_PAGE = (b"<!doctype html", b"<html", b"<table", b"<?xml")
_ZIP, _PARQUET_MARK = b"PK\x03\x04", b"PAR1"
_BEFORE_TEXT = b"\xef\xbb\xbf \t\r\n"
_SKIPPED_NAMES = (".", "_", "~$")
_HIVE_MISSING = "__HIVE_DEFAULT_PARTITION__"


class Reader(Protocol):
    """A table in one format."""

    @property
    def name(self) -> str: ...

    @property
    def columns(self) -> tuple[str, ...]: ...

    def rows(self) -> Iterator[Row]: ...


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its source.

    Attributes:
        reader: of the format.
        source: its bytes.
        partition: values of columns that are in names of folders (`country=de/part-0.parquet`).
    """

    reader: Reader
    source: Source
    partition: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name for messages: the path below the folder."""
        return self.reader.name

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.reader.columns, *self.partition)

    def rows(self) -> Iterator[Row]:
        """Read the rows in order."""
        if not self.partition:
            yield from self.reader.rows()
            return
        names, cells = tuple(self.partition), tuple(self.partition.values())
        for row in self.reader.rows():
            yield Row(row.line, (*row.names, *names), (*row.cells, *cells), row.problem)


def open_tables(path: Path, expected: Collection[str] = ()) -> tuple[list[Table], list[str]]:
    """Open a file, every table of a folder and its subfolders in order of name, or standard input.

    Hidden files, markers of Spark (`_SUCCESS`) and lock files of Excel (`~$`) are skipped.

    Args:
        path: `STANDARD_INPUT` for standard input.
        expected: names of the columns to read. Parquet reads no others.

    Returns:
        The tables, and the names of files in the folder whose format is not supported.

    Raises:
        DataError: `path` does not exist, or a file cannot be read.
    """
    if path != STANDARD_INPUT and not path.exists():
        raise DataError(f"There is no data at {path}.", hint=f"Give {SUPPORTED}.")
    if path == STANDARD_INPUT or not path.is_dir():
        return open_table(Source(path), expected), []
    tables, unsupported = list[Table](), list[str]()
    for file in _files_below(path):
        name = file.relative_to(path).as_posix()
        if _suffix(file) in SUFFIXES and not file.is_fifo():
            tables.extend(open_table(Source(file, name), expected, _partition(file.relative_to(path))))
        else:
            unsupported.append(name)
    return tables, unsupported


def open_table(
    source: Source,
    expected: Collection[str],
    partition: Mapping[str, str] | None = None,
    *,
    every_column: bool = False,
) -> list[Table]:
    """Open one file: a table for each sheet of a workbook, otherwise one.

    Args:
        expected: as for `open_tables`.
        partition: values of additional columns, equal for all rows.
        every_column: read all columns of Parquet.

    Raises:
        DataError: the file cannot be read.
    """
    head, suffix = source.head(512), _suffix(source.path)
    _refuse_other_formats(source.name, head)
    is_supported = suffix in SUFFIXES or source.is_spooled
    readers: list[Reader]
    if head.startswith(_PARQUET_MARK) or suffix in _PARQUET:
        readers = [ParquetTable.open(source, None if every_column else expected)]
    elif head.startswith(_ZIP) and not is_supported:
        raise DataError(f"{source.name} is a ZIP archive.", hint="Unpack it first.")
    elif not is_supported:
        raise DataError(f"{source.name} has a format that is not supported.", hint=f"Give {SUPPORTED}.")
    elif head.startswith(_ZIP) or suffix in _EXCEL:
        readers = list(ExcelTable.open(source, expected))
    elif suffix in _JSON or (source.is_spooled and head.lstrip(_BEFORE_TEXT)[:1] in (b"{", b"[")):
        readers = [JsonTable.open(source, expected)]
    else:
        readers = [CsvTable.open(source, expected)]
    return [Table(reader, source, partition or {}) for reader in readers]


def _suffix(path: Path) -> str:
    """Return the suffix in lower case, not counting .gz."""
    name = path.name.lower().removesuffix(".gz")
    return Path(name).suffix


def _refuse_other_formats(name: str, head: bytes) -> None:
    for signature, kind, hint in _OTHER_FORMATS:
        if head.startswith(signature):
            raise DataError(f"{name} {kind}.", hint=hint)
    if head.lstrip(_BEFORE_TEXT).lower().startswith(_WEB_PAGE):
        raise DataError(f"{name} is a web page or XML, not a table.", hint="Open it in Excel and save it as CSV UTF-8.")


def _files_below(folder: Path) -> list[Path]:
    """Return the files in a folder and its subfolders. Links are followed, each folder is entered once."""
    paths: list[Path] = []
    entered: set[str] = set()
    for root, folders, files in os.walk(folder, followlinks=True):
        entered.add(os.path.realpath(root))
        folders[:] = [
            name
            for name in folders
            if not name.startswith(_SKIPPED_NAMES) and os.path.realpath(Path(root, name)) not in entered
        ]
        paths.extend(Path(root, name) for name in files if not name.startswith(_SKIPPED_NAMES))
    return sorted(paths)


def _partition(file: Path) -> dict[str, str]:
    """Return the columns in names of folders, as Hive writes them."""
    pairs = (part.partition("=") for part in file.parts[:-1] if "=" in part)
    return {name: "" if value == _HIVE_MISSING else unquote(value) for name, _, value in pairs}
