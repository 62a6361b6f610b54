"""Sheets of Excel workbooks (.xlsx, .xlsm). Each sheet with the text column is a table."""

from __future__ import annotations

import datetime
import struct
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

from frontdesk.errors import DataError
from training.data.tables.rows import Row, find_header, normalise_name
from training.data.tables.source import Source

_HEADER_ROWS = 50
_WORKBOOK_ERRORS = (
    *(OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, EOFError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error, struct.error, SyntaxError),
)
"""Exceptions of openpyxl for damaged files and files that are not workbooks (XML errors are SyntaxErrors)."""


@dataclass(frozen=True, slots=True)
class ExcelTable:
    """One sheet. Cells are text: numbers without trailing zeros, dates in ISO 8601, empty cells ''."""

    source: Source
    sheet: str
    columns: tuple[str, ...]
    header_line: int
    is_only_sheet: bool

    @property
    def name(self) -> str:
        return self.source.name if self.is_only_sheet else f"{self.source.name}[{self.sheet}]"

    @classmethod
    def open(cls, source: Source, expected: Collection[str]) -> list[ExcelTable]:
        """Return the sheets that have one of the expected columns; if there are none, the first sheet that has cells.

        Raises:
            DataError: the file is not a workbook.
        """
        headers: dict[str, tuple[int, tuple[str, ...]]] = {}
        with _workbook(source) as workbook:
            for sheet in workbook.worksheets:
                sheet.reset_dimensions()
                rows = [
                    _strip_empty_cells([_format_cell(cell) for cell in cells])
                    for cells in islice(sheet.iter_rows(values_only=True), _HEADER_ROWS)
                ]
                if any(rows):
                    number = find_header(rows, expected)
                    headers[sheet.title] = (number + 1, rows[number])
        names = {normalise_name(name) for name in expected}
        matching = [title for title, (_, columns) in headers.items() if names & set(map(normalise_name, columns))]
        titles = matching or list(headers)[:1]
        return [cls(source, title, headers[title][1], headers[title][0], len(titles) == 1) for title in titles]

    def rows(self) -> Iterator[Row]:
        """Read the rows below the header; rows without cells are skipped."""
        width = len(self.columns)
        with _workbook(self.source) as workbook:
            sheet = workbook[self.sheet]
            sheet.reset_dimensions()
            numbered = enumerate(sheet.iter_rows(values_only=True), start=1)
            for line, values in numbered:
                cells = _strip_empty_cells([_format_cell(cell) for cell in values])
                if line <= self.header_line or not cells:
                    continue
                if len(cells) > width:
                    problem = f"has {len(cells)} cells, the header has {width}: name the columns in the first row"
                    yield Row(line, self.columns, cells[:width], problem)
                else:
                    yield Row(line, self.columns, cells + ("",) * (width - len(cells)))


@contextmanager
def _workbook(source: Source) -> Iterator[Any]:
    try:
        from openpyxl import load_workbook
    except ImportError:
        hint = "Install what reads it, pip install 'frontdesk[train]', or save the sheet as CSV UTF-8."
        raise DataError(f"{source.name} is an Excel workbook.", hint=hint) from None
    with source.seekable() as stream:
        try:
            yield load_workbook(stream, read_only=True, data_only=True, keep_links=False)
        except _WORKBOOK_ERRORS:
            raise DataError(
                f"{source.name} cannot be read as an Excel workbook.",
                hint="It is damaged or of another format: open it in Excel and save it as .xlsx or CSV UTF-8.",
            ) from None


def _format_cell(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime.datetime | datetime.date | datetime.time):
        return cell.isoformat()
    return str(cell)


def _strip_empty_cells(cells: list[str]) -> tuple[str, ...]:
    while cells and not cells[-1]:
        cells.pop()
    return tuple(cells)
