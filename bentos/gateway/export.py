"""Rows as CSV (RFC 4180) or as JSON lines, a piece at a time.

A cell of CSV that a spreadsheet would take for a formula gets an apostrophe in front (OWASP, CSV injection): customers
write such texts, and agents open such files.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")

Rows = Sequence[RowMapping]


@dataclass(frozen=True, slots=True)
class Export:
    """One form of a file: how it begins, given the names of its columns, and how rows go on."""

    media_type: str
    head: Callable[[Sequence[str]], bytes]
    piece: Callable[[Rows], bytes]


def _csv(rows: Sequence[Sequence[object]]) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerows([_cell(value) for value in row] for row in rows)
    return written.getvalue().encode()


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _json_lines(rows: Rows) -> bytes:
    return b"".join(
        json.dumps(dict(row), default=datetime.isoformat, ensure_ascii=False).encode() + b"\n" for row in rows
    )


EXPORTS: Mapping[str, Export] = {
    "csv": Export("text/csv", lambda names: _csv([names]), lambda rows: _csv([list(row.values()) for row in rows])),
    "jsonl": Export("application/x-ndjson", lambda _: b"", _json_lines),
}
