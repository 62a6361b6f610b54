from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from frontdesk.errors import DataError
from training.data.table_readers import read_table, read_tables


def rows(path: Path) -> list[tuple[int, object]]:
    return list(read_table(path).rows)


def test_a_row_is_at_the_line_it_ends_on_and_only_line_ends_count(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes('text,intent\r\n"two\nlines",a\r\n\r\nx\u2028y\x0cz,b\r\n'.encode())
    assert rows(path) == [(3, {"text": "two\nlines", "intent": "a"}), (5, {"text": "x\u2028y\x0cz", "intent": "b"})]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found_in_the_header_and_a_byte_order_mark_is_no_part_of_it(
    tmp_path: Path, delimiter: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"text{delimiter}intent\nhello{delimiter}greet\n", encoding="utf-8-sig")
    assert rows(path) == [(2, {"text": "hello", "intent": "greet"})]


def test_compressed_files_are_read_as_what_they_hold(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"text,intent\nhello,greet\n"))
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(b'{"text": "hello", "intent": "greet"}\n'))
    one, other = read_tables(tmp_path)
    assert (one.rows[0][1], one.columns, one.stem) == (other.rows[0][1], other.columns, "a")


CUT_OFF = gzip.compress(b"text,intent\nhello,greet\n")[:-12]


@pytest.mark.parametrize("damaged", [b"no gzip", CUT_OFF], ids=["no gzip", "cut off"])
def test_a_damaged_archive_is_named_in_the_error(tmp_path: Path, damaged: bytes) -> None:
    (tmp_path / "a.csv.gz").write_bytes(damaged)
    with pytest.raises(DataError, match=r"a\.csv\.gz is damaged or no gzip file"):
        read_table(tmp_path / "a.csv.gz")


def test_each_row_that_is_not_utf8_is_a_problem_and_the_others_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"text,intent\nfine,a\ncaf\xe9,a\nfine too,a\n\xff,a\n")
    assert [line for line, row in rows(tmp_path / "a.csv") if row == "is not UTF-8"] == [3, 5]
    (tmp_path / "a.jsonl").write_bytes(b'{"text": "\\ud800"}\n{"text": "fine"}\n')
    assert rows(tmp_path / "a.jsonl") == [(1, "is not UTF-8"), (2, {"text": "fine"})]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_utf16_is_reported_for_the_whole_file(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.csv").write_bytes("\ufefftext,intent\nhello,greet\n".encode(encoding))
    with pytest.raises(DataError, match="UTF-16"):
        read_table(tmp_path / "a.csv")


def test_a_row_with_too_many_cells_is_a_problem_and_one_with_too_few_lacks_the_last(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,intent\nhello, you,greet\nalone\n")
    (two, message), (three, row) = rows(tmp_path / "a.csv")
    assert (two, three, row) == (2, 3, {"text": "alone"})
    assert "has 3 cells, the header has 2" in str(message)


def test_a_cell_that_csv_refuses_does_not_end_the_reading(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"text,intent\n{'x' * 200_000},a\nhello,greet\n")
    assert rows(tmp_path / "a.csv") == [(2, "cannot be read as CSV"), (3, {"text": "hello", "intent": "greet"})]


def test_the_columns_of_json_lines_are_those_of_any_row(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, ({"text": "x"}, 3, {"intent": "a"}))))
    table = read_table(tmp_path / "a.jsonl")
    assert table.columns == ("text", "intent")
    assert table.rows[1] == (2, "is not a JSON object")


def test_a_folder_is_read_in_order_of_name_without_what_is_hidden_or_of_another_format(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a.csv", ".hidden.csv", "notes.txt"):
        (tmp_path / name).write_text("")
    assert [table.file.name for table in read_tables(tmp_path)] == ["a.csv", "b.jsonl"]


def test_a_path_that_cannot_be_read_says_what_to_give(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_text("")
    for name in ("a.xlsx", "none.csv"):
        with pytest.raises(DataError) as refused:
            list(read_tables(tmp_path / name))
        assert ".parquet" in refused.value.hint
