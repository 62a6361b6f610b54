"""The dialect of a CSV file: delimiter, quotation mark, escapes and a `sep=` line.

Each candidate parses the first records with the `csv` module. The best one has the most expected columns in the header;
among equals, the largest share of records that are as wide as the header. Sniffers without knowledge of the columns
were compared with it (docs/decisions.md): clevercsv takes 98 s for a file with one inline picture.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from training.data.tables.rows import find_header, normalise_name

SAMPLE_CHARACTERS = 1 << 16
MAX_CELL_CHARACTERS = 1 << 24
"""Limits the memory if a missing quotation mark turns the rest of the file into one cell."""

_DELIMITERS = ",;\t|^~:\x1f\x01"
_RARE = "^~:"
"""Delimiters that are accepted only if the header then has an expected column."""

HEADER_RECORDS = 10
"""Records in which the header is searched."""

_SAMPLE_RECORDS = 200
_SEP_LINE = re.compile(r'"?sep=(.)"?[,;\t|]*\s*', re.IGNORECASE | re.DOTALL)
_BACKSLASH_QUOTE = re.compile(r'[^\\]\\"')


class RecordReader(Protocol):
    """What `csv.reader` returns."""

    @property
    def line_num(self) -> int: ...

    def __iter__(self) -> RecordReader: ...

    def __next__(self) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class CsvDialect:
    """How cells are separated.

    Attributes:
        quote: '' if quotation marks are ordinary characters.
        backslash: a quotation mark inside a cell is written as `\\"` (MySQL, Spark), not doubled.
        spaced: a space stands between delimiter and quotation mark.
        skipped_lines: lines before the header: a `sep=` line.
    """

    delimiter: str = ","
    quote: str = '"'
    backslash: bool = False
    spaced: bool = False
    skipped_lines: int = 0

    def reader(self, lines: Iterator[str]) -> RecordReader:
        """Return a reader of records."""
        csv.field_size_limit(MAX_CELL_CHARACTERS)
        if self.backslash:
            lines = (_BACKSLASH_QUOTE.sub(lambda match: f'{match[0][0]}""', line) for line in lines)
        if not self.quote:
            return csv.reader(lines, delimiter=self.delimiter, quoting=csv.QUOTE_NONE)
        return csv.reader(lines, delimiter=self.delimiter, quotechar=self.quote, skipinitialspace=self.spaced)


def detect_dialect(lines: Sequence[str], expected: Collection[str], *, complete: bool) -> CsvDialect:
    """Return the dialect of a file that begins with `lines`.

    Args:
        lines: with their line ends.
        expected: names of columns that the caller needs.
        complete: whether the lines are the whole file; otherwise the last record may be cut off.
    """
    skipped, delimiters = 0, _DELIMITERS
    if lines and (hint := _SEP_LINE.fullmatch(lines[0])):
        skipped, delimiters = 1, hint[1]
    sample = lines[skipped:]
    text = "".join(sample)
    used = [delimiter for delimiter in delimiters if delimiter in text]
    unused = [delimiter for delimiter in delimiters if delimiter not in text][:1]  # for a file of one column
    candidates = [
        CsvDialect(delimiter, quote, backslash, spaced, skipped)
        for delimiter in used + unused
        for quote, backslash in _quotations(text, delimiter)
        for spaced in ((False, True) if quote and f"{delimiter} {quote}" in text else (False,))
    ]
    names = {normalise_name(name) for name in expected}
    return max(candidates, key=lambda candidate: _score(candidate, sample, names, complete=complete))


def _quotations(text: str, delimiter: str) -> Iterator[tuple[str, bool]]:
    """Yield the pairs (quote, backslash) that the text allows, likely ones first."""
    if '"' in text and not any(f'"{end}' in text for end in (delimiter, "\n", "\r")):  # no cell ends with one
        yield "", False
    yield '"', False
    if _BACKSLASH_QUOTE.search(text):
        yield '"', True
    if "'" in text:
        yield "'", False


def _score(dialect: CsvDialect, lines: Sequence[str], expected: Set[str], *, complete: bool) -> tuple[float, ...]:
    """Return (expected columns in the header, share of records as wide as the header, number of columns up to 2).

    The share of a single column that is not expected counts half, because a delimiter that does not occur always fits.
    """
    records: list[list[str]] = []
    with suppress(csv.Error):  # an unreadable row; those before it show the dialect
        records.extend(record for record in islice(dialect.reader(iter(lines)), _SAMPLE_RECORDS + 1) if record)
    if not records:
        return (0, 0, 0)
    start = find_header(records[:HEADER_RECORDS], expected)
    header, body = records[start], records[start + 1 :]
    if not complete and len(records) <= _SAMPLE_RECORDS:
        body = body[:-1]
    matches = len(expected & {normalise_name(name) for name in header})
    width = max((number for number, name in enumerate(header, start=1) if name.strip()), default=0)
    fitting = sum(len(record) >= width and not any(map(str.strip, record[len(header) :])) for record in body)
    share = round(fitting / len(body), 2) if body else 1.0
    if not matches and dialect.delimiter in _RARE:
        share = 0.0
    elif not matches and width == 1:
        share /= 2
    return (matches, share, min(width, 2))
