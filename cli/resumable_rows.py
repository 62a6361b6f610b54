"""Read CSV and JSONL files of any size row by row, and write rows with added columns.

Each row has its end as a byte offset, so reading can be resumed. An unreadable row has a problem and does not end the
file. Bytes that are not UTF-8 are written as U+FFFD.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol, Self

from frontdesk.csv_cells import escape_csv_cell
from frontdesk.errors import DataError

MAX_LINE_BYTES = 1 << 24
"""Longer lines are split here, which bounds the memory."""

_BOM = b"\xef\xbb\xbf"
_DELIMITERS = ",;\t"
_SURROGATE = re.compile("[\ud800-\udfff]")  # surrogateescape decodes invalid bytes to these


@dataclass(frozen=True, slots=True)
class InputRow:
    """`original` is written back; `end` is the byte offset after the row; `problem` is why it is unreadable, or ''."""

    text: object
    original: Any
    end: int
    problem: str = ""

    def find_problem(self, longest: int) -> str:
        """Return why the text cannot be classified, or ''. Never contains the text."""
        if self.problem:
            return self.problem
        if not isinstance(self.text, str) or not self.text.strip():
            return "has no text"
        if _SURROGATE.search(self.text):
            return "is not UTF-8"
        if "\x00" in self.text:
            return "holds NUL characters"
        if len(self.text) > longest:
            return f"has {len(self.text)} characters; at most {longest} are supported"
        return ""


class RowFile(Protocol):
    """A file of rows. `output_header` is written first; `start` is the byte offset of the first row."""

    @property
    def output_header(self) -> bytes: ...

    @property
    def start(self) -> int: ...

    def rows(self, stream: BinaryIO, start: int) -> Iterator[InputRow]: ...

    def format_row(self, row: InputRow, added: Mapping[str, Any]) -> bytes: ...


def open_rows(path: Path, text: str, added: Sequence[str]) -> RowFile:
    """Open a .csv or .jsonl file.

    Args:
        text: the column that holds the message.
        added: the columns that will be added.

    Raises:
        DataError: the file or column does not exist, or a column to be added exists already.
    """
    if not path.is_file():
        raise DataError(f"There is no file at {path}.")
    if path.suffix == ".csv":
        return CsvFile.open(path, text, added)
    if path.suffix == ".jsonl":
        return JsonLinesFile.open(path, text, added)
    raise DataError(f"{path.name} is neither .csv nor .jsonl.")


@dataclass(frozen=True, slots=True)
class CsvFile:
    """CSV with a header; delimiter (comma, semicolon, tab), line endings and a byte order mark are preserved."""

    columns: tuple[str, ...]
    text: int
    added: tuple[str, ...]
    delimiter: str
    line_ending: str
    bom: bytes
    start: int

    @classmethod
    def open(cls, path: Path, text: str, added: Sequence[str]) -> Self:
        with path.open("rb") as stream:
            bom = _BOM if stream.read(len(_BOM)) == _BOM else b""
            lines = _OffsetLineReader(stream, len(bom))
            first = stream.readline(MAX_LINE_BYTES).decode("utf-8", "surrogateescape")
            delimiter = max(_DELIMITERS, key=first.count)
            stream.seek(len(bom))
            try:
                columns = tuple(next(csv.reader(lines, delimiter=delimiter), ()))
            except csv.Error:
                raise DataError(f"The first line of {path.name} cannot be read as CSV.") from None
        if text not in columns:
            raise DataError(f"{path.name} has no column '{text}'.", hint="Name it with --text COLUMN.")
        _check_new_columns(path, added, columns)
        line_ending = "\r\n" if first.endswith("\r\n") else "\n"
        return cls(columns, columns.index(text), tuple(added), delimiter, line_ending, bom, lines.position)

    @property
    def output_header(self) -> bytes:
        return self.bom + self._format_line([escape_csv_cell(name) for name in (*self.columns, *self.added)])

    def rows(self, stream: BinaryIO, start: int) -> Iterator[InputRow]:
        lines = _OffsetLineReader(stream, start)
        reader = csv.reader(lines, delimiter=self.delimiter)
        width = len(self.columns)
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield InputRow(None, [""] * width, lines.position, "cannot be read as CSV")
                continue
            if len(cells) > width:
                yield InputRow(None, cells[:width], lines.position, f"has {len(cells)} cells, the header has {width}")
            elif cells:
                cells += [""] * (width - len(cells))
                yield InputRow(cells[self.text], cells, lines.position)

    def format_row(self, row: InputRow, added: Mapping[str, Any]) -> bytes:
        return self._format_line(
            [*map(escape_csv_cell, row.original), *(escape_csv_cell(_format_cell(added[name])) for name in self.added)]
        )

    def _format_line(self, cells: Sequence[str]) -> bytes:
        line = io.StringIO()
        writer = csv.writer(line, delimiter=self.delimiter, lineterminator=self.line_ending, quoting=csv.QUOTE_ALL)
        writer.writerow(cells)
        return _encode(line.getvalue())


@dataclass(frozen=True, slots=True)
class JsonLinesFile:
    """One JSON object per line."""

    text: str
    added: tuple[str, ...]
    start: int
    output_header: bytes = b""

    @classmethod
    def open(cls, path: Path, text: str, added: Sequence[str]) -> Self:
        with path.open("rb") as stream:
            start = len(_BOM) if stream.read(len(_BOM)) == _BOM else 0
            first = next(cls(text, (), start).rows(stream, start), None)
        if first is not None and not first.problem:
            if text not in first.original:
                raise DataError(f"The first row of {path.name} has no '{text}'.", hint="Name it with --text COLUMN.")
            _check_new_columns(path, added, first.original)
        return cls(text, tuple(added), start)

    def rows(self, stream: BinaryIO, start: int) -> Iterator[InputRow]:
        lines = _OffsetLineReader(stream, start)
        for line in lines:
            if not line.strip():
                continue
            try:
                parsed = json.loads(line)
            except (ValueError, RecursionError):
                parsed = None
            if not isinstance(parsed, dict):
                yield InputRow(None, {}, lines.position, "is not a JSON object")
            elif existing := [name for name in self.added if name in parsed]:
                yield InputRow(None, parsed, lines.position, f"has '{existing[0]}' already")
            else:
                yield InputRow(parsed.get(self.text), parsed, lines.position)

    def format_row(self, row: InputRow, added: Mapping[str, Any]) -> bytes:
        return _encode(json.dumps({**row.original, **added}, ensure_ascii=False) + "\n")


class _OffsetLineReader:
    """Iterator over decoded lines; `position` is the byte offset after the last line that was read."""

    def __init__(self, stream: BinaryIO, start: int) -> None:
        self._stream = stream
        self.position = start
        stream.seek(start)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = self._stream.readline(MAX_LINE_BYTES)
        if not line:
            raise StopIteration
        self.position += len(line)
        return line.decode("utf-8", "surrogateescape")


def _check_new_columns(path: Path, added: Sequence[str], columns: Sequence[str] | Mapping[str, Any]) -> None:
    if existing := [name for name in added if name in columns]:
        raise DataError(
            f"{path.name} has a column '{existing[0]}' already.",
            hint="Give the new columns a prefix, such as --prefix predicted_",
        )


def _format_cell(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _encode(line: str) -> bytes:
    return _SURROGATE.sub("\ufffd", line).encode()
