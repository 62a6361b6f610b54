from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.resumable_rows import InputRow, open_rows
from frontdesk.errors import DataError

ADDED = ("intent", "error")


def read(path: Path, text: str = "text") -> list[InputRow]:
    file = open_rows(path, text, ADDED)
    with path.open("rb") as stream:
        return list(file.rows(stream, file.start))


def rewrite_file(path: Path) -> bytes:
    file = open_rows(path, "text", ADDED)
    with path.open("rb") as stream:
        lines = [file.format_row(row, {"intent": "a", "error": None}) for row in file.rows(stream, file.start)]
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
        (b"text\n\xff\xe9\n", '"text","intent","error"\n"\ufffd\ufffd","a",""\n'.encode()),
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
        (b"\xff\xfe", "is not UTF-8"),
        (b"a\x00b", "holds NUL characters"),
        (b"x" * 4001, "has 4001 characters; at most 4000 are supported"),
        (b"x" * 4000, ""),
        (b"x,1,2", "has 4 cells, the header has 2"),
        (b"x" * 200_000, "cannot be read as CSV"),
    ],
)
def test_a_row_that_cannot_be_classified_says_why_and_the_next_one_is_read(
    tmp_path: Path, cell: bytes, problem: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,text\n1," + cell + b"\n2,good\n")
    first, second = read(path)
    assert (first.find_problem(4000), second.text, second.find_problem(4000)) == (problem, "good", "")


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
    assert [row.find_problem(4000) for row in (first, second, third)] == ["", problem, ""]
    assert json.loads(open_rows(path, "text", ADDED).format_row(second, {"error": problem}))["error"] == problem


def test_rows_can_be_read_from_the_end_of_any_other(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('text\n"one\nand a half"\ntwo\n\nthree\n')
    file = open_rows(path, "text", ADDED)
    rows = read(path)
    for number, row in enumerate(rows, start=1):
        with path.open("rb") as stream:
            assert list(file.rows(stream, row.end)) == rows[number:]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "message\nhi\n", "no column 'text'"),
        ("a.csv", "text,intent\nhi,x\n", "'intent' already"),
        ("a.csv", "", "no column 'text'"),
        ("a.jsonl", '{"message": "hi"}\n', "has no 'text'"),
        ("a.jsonl", '{"text": "hi", "error": "x"}\n', "'error' already"),
        ("a.txt", "hi", "neither .csv nor .jsonl"),
    ],
)
def test_a_file_with_missing_or_existing_columns_is_refused_at_once(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(DataError, match=message):
        open_rows(path, "text", ADDED)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no file at"):
        open_rows(tmp_path / "none.csv", "text", ADDED)
