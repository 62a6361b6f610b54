from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bentos.gateway.export import EXPORTS

AT = datetime(2026, 6, 1, tzinfo=UTC)


def read_csv(written: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(written.decode(), newline="")))


@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_a_cell_that_a_spreadsheet_would_run_gets_an_apostrophe(begins: str) -> None:
    ((cell, number),) = read_csv(EXPORTS["csv"].piece([{"text": f"{begins}1+1", "confidence": 0.5}]))
    assert (cell, number) == (f"'{begins}1+1", "0.5")


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00")), min_size=1))
def test_every_other_text_comes_back_as_it_was(texts: list[str]) -> None:
    rows = [{"id": "1", "text": f"a{text}"} for text in texts]
    assert read_csv(EXPORTS["csv"].piece(rows)) == [["1", f"a{text}"] for text in texts]
    lines = EXPORTS["jsonl"].piece(rows).split(b"\n")
    assert [json.loads(line) for line in lines[:-1]] == rows
    assert lines[-1] == b""


def test_moments_are_iso_8601_and_what_is_not_there_is_empty() -> None:
    row = {"created_at": AT, "customer_id": None}
    assert read_csv(EXPORTS["csv"].head(list(row)) + EXPORTS["csv"].piece([row])) == [
        ["created_at", "customer_id"],
        ["2026-06-01T00:00:00+00:00", ""],
    ]
    assert json.loads(EXPORTS["jsonl"].piece([row])) == {"created_at": "2026-06-01T00:00:00+00:00", "customer_id": None}
