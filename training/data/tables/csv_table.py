"""Delimited text: CSV, TSV and their relatives, in any dialect and encoding."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice

from frontdesk.errors import DataError
from training.data.tables.csv_dialect import HEADER_RECORDS, SAMPLE_CHARACTERS, CsvDialect, RecordReader, detect_dialect
from training.data.tables.encoding import Encoding, TextLines, detect_encoding
from training.data.tables.rows import Row, find_header
from training.data.tables.source import Source


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A file with a header. Cells are text; blank cells beyond the header are dropped.

    `header_record` is the number of the record with the header, counted from 0; titles may be above it.
    """

    source: Source
    encoding: Encoding
    dialect: CsvDialect
    columns: tuple[str, ...]
    line_ending: str
    header_record: int = 0

    @property
    def name(self) -> str:
        return self.source.name

    @classmethod
    def open(cls, source: Source, expected: Collection[str]) -> CsvTable:
        """Detect encoding and dialect, and read the header.

        Args:
            expected: names of columns that the caller needs; they help to detect the dialect.

        Raises:
            DataError: the file cannot be read as text, or its first line not as CSV.
        """
        encoding = detect_encoding(source)
        sample, is_complete = _read_sample(source, encoding)
        dialect = detect_dialect(sample, expected, complete=is_complete)
        if encoding.newline == "\n" and _has_bare_returns(sample, dialect):
            encoding = replace(encoding, newline="")
            sample, is_complete = _read_sample(source, encoding)
            dialect = detect_dialect(sample, expected, complete=is_complete)
        records = _first_records(_reader(iter(sample), dialect))
        if sample and not records:
            raise DataError(
                f"{source.name}:1: the header cannot be read as CSV.",
                hint="The first line must have the names of the columns, separated by commas, semicolons or tabs.",
            )
        first = sample[0] if sample else ""
        line_ending = next((ending for ending in ("\r\n", "\n", "\r") if first.endswith(ending)), "\n")
        number = find_header(records, expected)
        columns = tuple(records[number]) if records else ()
        return cls(source, encoding, dialect, columns, line_ending, number)

    def rows(self) -> Iterator[Row]:
        """Read the rows after the header; empty lines are skipped."""
        with self.encoding.lines(self.source) as lines:
            quote_counter = _QuoteCounter(lines, self.dialect.quote)
            reader, skipped_lines = _reader(quote_counter, self.dialect), self.dialect.skipped_lines
            for _ in islice(reader, self.header_record + 1):
                pass
            while True:
                quote_counter.quotes, start = 0, reader.line_num + skipped_lines + 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield Row(reader.line_num + skipped_lines, self.columns, (), _explain(error))
                    continue
                if cells:
                    yield self._row(start, reader.line_num + skipped_lines, cells, unclosed=quote_counter.is_unclosed)

    def _row(self, start: int, line: int, cells: list[str], *, unclosed: bool) -> Row:
        width = len(self.columns)
        if unclosed:
            problem = "has a quotation mark that is not closed before the end of the file: close or remove it"
            return Row(start, self.columns, (), problem)
        if not any(cell.strip() for cell in cells[width:]):
            return Row(line, self.columns, tuple(cells[:width]) + ("",) * (width - len(cells)))
        problem = f"has {len(cells)} cells, the header has {width}: is a quote missing?"
        return Row(line, self.columns, tuple(cells[:width]), problem)


class _QuoteCounter:
    """Iterator over lines that counts their quotation marks."""

    def __init__(self, lines: TextLines, quote: str) -> None:
        self._lines, self._quote = lines, quote
        self.quotes = 0

    def __iter__(self) -> _QuoteCounter:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        if self._quote:
            self.quotes += line.count(self._quote)
        return line

    @property
    def is_unclosed(self) -> bool:
        """Whether the file has ended inside a quoted cell."""
        return self._lines.ended and self.quotes % 2 == 1


def _read_sample(source: Source, encoding: Encoding) -> tuple[list[str], bool]:
    """Return the first lines, and whether they are the whole file."""
    sample, size = list[str](), 0
    with encoding.lines(source) as lines:
        for line in lines:
            sample.append(line)
            size += len(line)
            if size >= SAMPLE_CHARACTERS:
                return sample, False
    return sample, True


def _has_bare_returns(sample: Sequence[str], dialect: CsvDialect) -> bool:
    """Whether carriage returns alone end lines too: most records have one outside of quotes."""
    reader = dialect.reader(iter(sample))
    records = problems = 0
    while True:
        try:
            records += 1
            next(reader)
        except StopIteration:
            return problems > records // 2
        except csv.Error as error:
            problems += "new-line" in str(error)


def _reader(lines: Iterator[str], dialect: CsvDialect) -> RecordReader:
    """Return a reader of the records after the skipped lines of the dialect."""
    for _ in islice(lines, dialect.skipped_lines):
        pass
    return dialect.reader(lines)


def _first_records(reader: RecordReader) -> list[list[str]]:
    """Return the records in which the header is searched, up to the first one that cannot be read."""
    records: list[list[str]] = []
    with suppress(csv.Error):
        records.extend(islice(reader, HEADER_RECORDS))
    return records


def _explain(error: csv.Error) -> str:
    message = str(error)
    if "new-line" in message:
        return "has a line break outside of quotation marks"
    if "limit" in message:
        return "has a cell of more than 16 million characters: is a quotation mark missing?"
    return "cannot be read as CSV"
