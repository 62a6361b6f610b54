"""Export formats: CSV (RFC 4180) and JSON lines, written in chunks.

A spreadsheet may interpret a customer's text as a formula, so `frontdesk.csv_cells` escapes such texts. Every cell is
quoted, so a separator in a text does not start a new cell. CSV begins with a byte order mark: without it, Excel reads
the file in the code page of the machine.
"""

from __future__ import annotations

import csv
import io
import json
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping

from frontdesk.csv_cells import escape_csv_cell

Rows = Sequence[RowMapping]


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """An export format: `mark` comes first, `head` encodes the column names, `piece` encodes rows."""

    media_type: str
    mark: bytes
    head: Callable[[Sequence[str]], bytes]
    piece: Callable[[Rows], bytes]


def _encode_csv_rows(rows: Sequence[Sequence[object]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows([_csv_cell_value(value) for value in row] for row in rows)
    return buffer.getvalue().encode()


def _csv_cell_value(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return escape_csv_cell(value) if isinstance(value, str) else value


def _encode_json_lines(rows: Rows) -> bytes:
    return b"".join(
        json.dumps(dict(row), default=datetime.isoformat, ensure_ascii=False).encode() + b"\n" for row in rows
    )


EXPORTS: Mapping[str, ExportFormat] = {
    "csv": ExportFormat(
        "text/csv",
        BOM_UTF8,
        lambda names: _encode_csv_rows([names]),
        lambda rows: _encode_csv_rows([list(row.values()) for row in rows]),
    ),
    "jsonl": ExportFormat("application/x-ndjson", b"", lambda _: b"", _encode_json_lines),
}
