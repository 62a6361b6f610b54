"""Any bytes under any name give rows, rows with problems, or one DataError; never another exception."""

from __future__ import annotations

import gzip
import io
import tempfile
from pathlib import Path

import openpyxl
import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow.parquet import write_table

from frontdesk.errors import DataError
from training.data.column_mapping import ColumnMapping
from training.data.examples import Example, RowRemark, read_rows

NAMES = ("a.csv", "a.tsv", "a.jsonl", "a.json", "a.xlsx", "a.parquet", "a.csv.gz")
TOKENS = (
    *(
        b"text",
        b"intent",
        b"group",
        b",",
        b";",
        b"\t",
        b"|",
        b'"',
        b"'",
        b"\n",
        b"\r",
        b"\r\n",
        b"\\",
        b"\x00",
        b"sep=;",
    ),
    *(b"{", b"}", b"[", b"]", b":", b'"text"', b'{"text": "hello", "intent": "a"}', b"NaN", b"\\ud83d", b"1e999"),
    *(b"\xff", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", "ü".encode(), "ü".encode("cp1252"), "\u2028".encode()),
    *(b"PK\x03\x04", b"PAR1", b"\x1f\x8b", b"nan", b"a;b", b"=1+1", b"[/red]", b"hello, you"),
)


def outcome(name: str, content: bytes) -> None:
    """Read the bytes as training data; the only exception may be a DataError on one line."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        refusal = ""
        try:
            rows = list(read_rows(path, ColumnMapping(("text",))))
        except DataError as error:
            rows, refusal = [], str(error)
        assert all(isinstance(result, Example | RowRemark | str) and result != "" for _, result in rows)
        assert refusal == "" or (name in refusal and "\n" not in refusal)


@settings(max_examples=150, deadline=None)
@given(name=st.sampled_from(NAMES), content=st.binary(max_size=400))
def test_random_bytes(name: str, content: bytes) -> None:
    outcome(name, content)


@settings(max_examples=300, deadline=None)
@given(name=st.sampled_from(NAMES), content=st.lists(st.sampled_from(TOKENS), max_size=40).map(b"".join))
def test_pieces_of_tables_in_any_order(name: str, content: bytes) -> None:
    outcome(name, content)


@settings(max_examples=100, deadline=None)
@given(
    suffix=st.sampled_from(["csv", "xlsx", "parquet", "csv.gz"]),
    location=st.integers(0, 10_000),
    damage=st.binary(min_size=1, max_size=20),
)
def test_a_file_damaged_anywhere(files: dict[str, bytes], suffix: str, location: int, damage: bytes) -> None:
    content = bytearray(files[suffix])
    at = location % len(content)
    content[at : at + len(damage)] = damage
    outcome(f"a.{suffix}", bytes(content))


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    rows = [("text", "intent"), *((f"message {number}, größer", "a") for number in range(30))]
    csv = "\n".join(f'"{text}",{intent}' for text, intent in rows).encode()
    workbook, sheet = io.BytesIO(), openpyxl.Workbook()
    for row in rows:
        sheet.active.append(row)
    sheet.save(workbook)
    parquet = io.BytesIO()
    write_table(pyarrow.table({"text": [text for text, _ in rows[1:]], "intent": ["a"] * 30}), parquet)
    return {"csv": csv, "csv.gz": gzip.compress(csv), "xlsx": workbook.getvalue(), "parquet": parquet.getvalue()}
