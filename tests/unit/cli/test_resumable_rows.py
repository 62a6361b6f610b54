from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.message_columns import MessageColumns
from cli.resumable_rows import InputRow, open_rows
from frontdesk.errors import DataError
from frontdesk.messages import IncomingMessage

ADDED = ("intent", "error")


def read(path: Path, text: str = "text") -> list[InputRow]:
    return list(open_rows(path, MessageColumns((text,)), ADDED).rows())


def rewrite_file(path: Path) -> bytes:
    file = open_rows(path, MessageColumns(("text",)), ADDED)
    lines = [file.format_row(row, {"intent": "a", "error": None}) for row in file.rows()]
    return file.output_header + b"".join(lines)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"id,text\n1,hi\n", b'"id","text","intent","error"\n"1","hi","a",""\n'),
        (b'id;text\r\n1;"a;b"\r\n', b'"id";"text";"intent";"error"\r\n"1";"a;b";"a";""\r\n'),
        (
            b"\xef\xbb\xbftext\tid\nhi, you\t1",
            b'\xef\xbb\xbf"text"\t"id"\t"intent"\t"error"\n"hi, you"\t"1"\t"a"\t""\n',
        ),
        (
            b'text,id\n"two\nlines",1\n\n"say ""x""",2\n',
            b'"text","id","intent","error"\n"two\nlines","1","a",""\n"say ""x""","2","a",""\n',
        ),
        (b"text,id,note\nhi,1\n", b'"text","id","note","intent","error"\n"hi","1","","a",""\n'),
        (b"text\n\xfc\xe9\n", b'"text","intent","error"\n"\xfc\xe9","a",""\n'),
        (
            "id,text\n1,ü\n2,é\n".encode() + b"3,\xff\n",
            '"id","text","intent","error"\n"1","ü","a",""\n"2","é","a",""\n'.encode() + b'"3","\xff","a",""\n',
        ),
    ],
)
def test_a_csv_keeps_its_delimiter_line_endings_byte_order_mark_and_cells(
    tmp_path: Path, before: bytes, after: bytes
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(before)
    assert rewrite_file(path) == after


def test_a_formula_in_a_csv_cell_is_escaped_and_a_number_is_not(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,id\nBitte;=1+1,-5\n@SUM(1),+49 30 1234\n")
    assert rewrite_file(path).splitlines()[1:] == [b'"Bitte;\'=1+1","-5","a",""', b'"\'@SUM(1)","\'+49 30 1234","a",""']


def test_a_json_line_keeps_its_fields_and_their_order(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"z": 1, "text": "né", "b": [1.5, null]}\n\n{"text": "x"}')
    assert rewrite_file(path).decode() == (
        '{"z": 1, "text": "né", "b": [1.5, null], "intent": "a", "error": null}\n'
        '{"text": "x", "intent": "a", "error": null}\n'
    )


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        (b"", "has no text"),
        (b"  ", "has no text"),
        (b"\xff", "is not UTF-8"),
        (b"a\x00b", "holds NUL characters"),
        (b"x" * 65_537, "has 65537 characters; at most 65536 are supported"),
        (b"x" * 65_536, ""),
        (b"x,1,2", "has 4 cells, the header has 2: is a quote missing?"),
        (b"x" * 200_000, "has 200000 characters; at most 65536 are supported"),
        (b"a\rb", "has a line break outside of quotation marks"),
    ],
)
def test_a_row_that_cannot_be_classified_says_why_and_the_next_one_is_read(
    tmp_path: Path, cell: bytes, problem: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,text\n1," + cell + "\n2,good\n3,ü\n4,é\n".encode())
    first, second, *_ = read(path)
    assert (first.problem, second.message, second.problem) == (problem, IncomingMessage("good"), "")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"{broken", "is not a JSON object"),
        (b"[1]", "is not a JSON object"),
        (b"[" * 100_000, "is not a JSON object"),
        (b'{"text": 3}', "has no text"),
        (b'{"other": 3}', "has no text"),
        (b'{"text": "\xff"}', "is not UTF-8"),
        (b'{"text": "\\ud800"}', "is not UTF-8"),
        (b'{"text": "x", "intent": 1}', "has 'intent' already"),
    ],
)
def test_a_json_line_that_cannot_be_classified_says_why(tmp_path: Path, line: bytes, problem: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "good"}\n' + line + b'\n{"text": "good"}\n')
    first, second, third = read(path)
    assert [row.problem for row in (first, second, third)] == ["", problem, ""]
    assert (
        json.loads(open_rows(path, MessageColumns(("text",)), ADDED).format_row(second, {"error": problem}))["error"]
        == problem
    )


def test_rows_can_be_read_from_any_number_on(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('text\n"one\nand a half"\ntwo\n\nthree\n')
    file = open_rows(path, MessageColumns(("text",)), ADDED)
    rows = read(path)
    for skip in range(len(rows) + 1):
        assert list(file.rows(skip)) == rows[skip:]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "message\nhi\n", "no column 'text'"),
        ("a.csv", "text,intent\nhi,x\n", "'intent' already"),
        ("a.csv", "", "has no rows"),
        ("a.jsonl", '{"message": "hi"}\n', "no column 'text'.*--text message"),
        ("a.jsonl", '{"text": "hi", "error": "x"}\n', "'error' already"),
        ("a.doc", "hi", "a format that is not supported"),
    ],
)
def test_a_file_with_missing_or_existing_columns_is_refused_at_once(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(DataError, match=message):
        open_rows(path, MessageColumns(("text",)), ADDED)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no file at"):
        open_rows(tmp_path / "none.csv", MessageColumns(("text",)), ADDED)


def test_an_intent_that_the_encoding_of_the_file_lacks_is_reported_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("text\nGröße\n".encode("cp1252"))
    file = open_rows(tmp_path / "a.csv", MessageColumns(("text",)), ADDED)
    file.check_labels(["größe", "café"])
    with pytest.raises(DataError, match="cannot be written in cp1252") as refused:
        file.check_labels(["größe", "возврат"])
    assert refused.value.hint == "Save the file as UTF-8."


PIECES = (
    *(b"text", b",", b";", b"\t", b'"', b"\n", b"\r", b"\x00", b"sep=;", b"{", b"}", b"[", b'{"text": "hi"}'),
    *(b"\xff", b"\xff\xfe", b"\xef\xbb\xbf", "ü".encode(), b"\\ud83d", b"PK\x03\x04", b"PAR1", b"\x1f\x8b", b"=1+1"),
)


@settings(max_examples=200, deadline=None)
@given(
    name=st.sampled_from(["a.csv", "a.jsonl", "a.json", "a.xlsx", "a.parquet"]),
    content=st.lists(st.sampled_from(PIECES), max_size=30).map(lambda pieces: b"text\n" + b"".join(pieces))
    | st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join),
)
def test_any_bytes_are_rows_that_can_be_written_back_or_one_refusal(name: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        refusal = name
        try:
            rewrite_file(path)
        except DataError as refused:
            refusal = str(refused)
        assert name in refusal
        assert "\n" not in refusal
