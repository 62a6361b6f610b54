from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bentos.gateway.export import EXPORTS
from frontdesk.csv_cells import unescape_csv_cell

FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
AT = datetime(2026, 6, 1, tzinfo=UTC)


def read_csv(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00")), min_size=1))
def test_every_text_comes_back_as_it_was(texts: list[str]) -> None:
    rows = [{"id": "1", "text": text} for text in texts]
    cells = read_csv(EXPORTS["csv"].piece(rows))
    assert [[unescape_csv_cell(cell) for cell in row] for row in cells] == [["1", text] for text in texts]
    lines = EXPORTS["jsonl"].piece(rows).split(b"\n")
    assert [json.loads(line) for line in lines[:-1]] == rows
    assert lines[-1] == b""


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "Bitte;=1+1;=cmd|calc!A1;Danke",
        "Bitte\t=1+1",
        "Bitte\n@SUM(1)",
        "Bitte\r\n-2+3",
        "Bitte; \u00a0=1+1",
        'a";"=1+1',
        "\uff1d1+1;\uff0b1",
        "\ufeff=1+1",
        "\t=1",
    ],
)
def test_no_cell_begins_a_formula_whatever_a_spreadsheet_splits_at(text: str, separator: str) -> None:
    """Split with and without regard to quotation marks, which some programs treat as text after a separator."""
    content = EXPORTS["csv"].piece([{"id": "1", "text": text, "label": "x"}]).decode()
    naive = [cell.strip("\"' \u00a0\ufeff") for line in content.splitlines() for cell in line.split(separator)]
    as_written = [cell for row in csv.reader(io.StringIO(content, newline=""), delimiter=separator) for cell in row]
    guards = [cell for cell in as_written if cell.lstrip('" \t\r\n\u00a0\ufeff')[:1] in FORMULA]
    assert not guards
    assert all(f"'{cell}" in content for cell in naive if cell[:1] in FORMULA)


def test_moments_are_iso_8601_and_what_is_not_there_is_empty() -> None:
    row = {"created_at": AT, "customer_id": None}
    assert EXPORTS["csv"].piece([row]) == b'"2026-06-01T00:00:00+00:00",""\r\n'
    assert read_csv(EXPORTS["csv"].head(list(row)) + EXPORTS["csv"].piece([row])) == [
        ["created_at", "customer_id"],
        ["2026-06-01T00:00:00+00:00", ""],
    ]
    assert json.loads(EXPORTS["jsonl"].piece([row])) == {"created_at": "2026-06-01T00:00:00+00:00", "customer_id": None}


def test_csv_begins_with_the_byte_order_mark_that_excel_needs_and_json_lines_do_not() -> None:
    assert {name: export.mark for name, export in EXPORTS.items()} == {"csv": b"\xef\xbb\xbf", "jsonl": b""}
