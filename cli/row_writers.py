"""Output of `frontdesk classify`: rows of a table with added columns, as CSV or JSON lines.

CSV keeps delimiter, line endings, encoding and byte order mark of the input; bytes that cannot be decoded are written
back unchanged. Excel and Parquet become CSV in UTF-8 with a byte order mark, which Excel needs.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from frontdesk.csv_cells import escape_csv_cell
from frontdesk.errors import DataError
from training.data.tables import Row, Table
from training.data.tables.csv_table import CsvTable
from training.data.tables.encoding import has_undecodable_bytes
from training.data.tables.json_table import JsonTable


class RowWriter(Protocol):
    """Format of the output. `header` comes before the rows; `suffix` is that of a file in this format."""

    @property
    def header(self) -> bytes: ...

    @property
    def suffix(self) -> str: ...

    def format_row(self, row: Row, added: Mapping[str, Any]) -> bytes: ...


def create_writer(table: Table, added: tuple[str, ...]) -> RowWriter:
    """Return the writer for the rows of a table with the columns `added`."""
    if isinstance(table.reader, JsonTable):
        return JsonWriter(added)
    if not isinstance(table.reader, CsvTable):
        return CsvWriter(table.columns, added, bom=codecs.BOM_UTF8, line_ending="\r\n")
    encoding, dialect = table.reader.encoding, table.reader.dialect
    suffix = table.source.path.name.lower().removesuffix(".gz").rpartition(".")[2]
    return CsvWriter(
        table.columns,
        added,
        delimiter=dialect.delimiter if len(table.columns) > 1 else ",",
        quote=dialect.quote or '"',
        line_ending=table.reader.line_ending,
        bom=encoding.bom,
        codec=encoding.codec,
        errors=encoding.errors,
        suffix=f".{suffix}" if suffix in ("tsv", "txt", "tab") else ".csv",
    )


@dataclass(frozen=True, slots=True)
class CsvWriter:
    """CSV with every cell quoted. Formulas in cells are escaped, so that a spreadsheet does not run them."""

    columns: tuple[str, ...]
    added: tuple[str, ...]
    delimiter: str = ","
    quote: str = '"'
    line_ending: str = "\n"
    bom: bytes = b""
    codec: str = "utf-8"
    errors: str = "surrogateescape"
    suffix: str = ".csv"

    @property
    def header(self) -> bytes:
        return self.bom + self._format_line([escape_csv_cell(name) for name in (*self.columns, *self.added)])

    def format_row(self, row: Row, added: Mapping[str, Any]) -> bytes:
        cells = (*row.cells, *("",) * (len(self.columns) - len(row.cells)))
        values = (*cells, *(added[name] for name in self.added))
        return self._format_line([escape_csv_cell(_format_cell(value)) for value in values])

    def _format_line(self, cells: Sequence[str]) -> bytes:
        line = io.StringIO()
        writer = csv.writer(
            line,
            delimiter=self.delimiter,
            quotechar=self.quote,
            lineterminator=self.line_ending,
            quoting=csv.QUOTE_ALL,
        )
        writer.writerow(cells)
        try:
            return line.getvalue().encode(self.codec, self.errors)
        except UnicodeEncodeError:
            raise DataError(
                f"The name of an intent cannot be written in {self.codec}, the encoding of the file.",
                hint="Save the file as UTF-8.",
            ) from None


@dataclass(frozen=True, slots=True)
class JsonWriter:
    """One JSON object per line, in UTF-8."""

    added: tuple[str, ...]
    header: bytes = b""
    suffix: str = ".jsonl"

    def format_row(self, row: Row, added: Mapping[str, Any]) -> bytes:
        record = {**dict(zip(row.names, row.cells, strict=True)), **added}
        text = json.dumps(record, ensure_ascii=False)
        if has_undecodable_bytes(text):  # half of an emoji stays an escape sequence
            text = json.dumps(record)
        return f"{text}\n".encode()


def _format_cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
