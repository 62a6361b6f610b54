from __future__ import annotations

import gzip
import io
import os
import zipfile
from pathlib import Path

import pyarrow
import pytest
from pyarrow.parquet import write_table

from frontdesk.errors import DataError
from training.data.tables import STANDARD_INPUT, open_tables

CSV = b"text,intent\nhello,greet\n"
HELLO = ("hello", "greet")


def cells(path: Path) -> dict[str, list[tuple[object, ...]]]:
    tables, _ = open_tables(path, ("text", "intent"))
    return {table.name: [row.cells for row in table.rows()] for table in tables}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *[(name, CSV) for name in ("a.csv", "A.CSV", "a.txt", "a.Tsv")],
        *[(name, b'{"text": "hello", "intent": "greet"}\n') for name in ("a.jsonl", "a.JSON", "a.ndjson")],
        ("a.csv.gz", gzip.compress(CSV, mtime=0)),
        ("A.JSONL.GZ", gzip.compress(b'{"text": "hello", "intent": "greet"}\n', mtime=0)),
    ],
)
def test_the_suffix_decides_in_any_case(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert cells(tmp_path / name) == cells(tmp_path) == {name: [HELLO]}


def test_a_signature_in_the_content_takes_precedence_over_the_suffix(tmp_path: Path) -> None:
    write_table(pyarrow.table({"text": ["hello"], "intent": ["greet"]}), tmp_path / "a.csv")
    assert cells(tmp_path / "a.csv") == {"a.csv": [HELLO]}


def test_a_folder_is_read_in_order_with_its_subfolders_and_files_of_other_formats_are_listed(tmp_path: Path) -> None:
    part = tmp_path / "train.csv"
    part.mkdir()
    for file in (part / "part-00000.csv", tmp_path / "TEST.CSV"):
        file.write_bytes(CSV)
    for name in ("_SUCCESS", ".part-00000.csv.crc", "~$tickets.xlsx", "part-00001.csv"):
        (part / name).write_bytes(b"")
    (tmp_path / "README.md").write_text("notes")
    tables, unsupported = open_tables(tmp_path, ("text",))
    assert [table.name for table in tables] == ["TEST.CSV", "train.csv/part-00000.csv", "train.csv/part-00001.csv"]
    assert unsupported == ["README.md"]


def test_links_in_a_folder_are_followed_once_and_pipes_are_listed(tmp_path: Path) -> None:
    data, shared = tmp_path / "data", tmp_path / "shared"
    for folder in (data, shared):
        folder.mkdir()
        (folder / f"{folder.name}.csv").write_bytes(CSV)
    (data / "again").symlink_to(data)
    (data / "linked").symlink_to(shared)
    os.mkfifo(data / "pipe.csv")
    tables, unsupported = open_tables(data, ("text",))
    assert [table.name for table in tables] == ["data.csv", "linked/shared.csv"]
    assert unsupported == ["pipe.csv"]


def test_the_folders_of_a_hive_layout_are_columns(tmp_path: Path) -> None:
    for folder in ("intent=get%20refund", "intent=__HIVE_DEFAULT_PARTITION__"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "part-0.csv").write_text("text\nhello\n")
    tables, _ = open_tables(tmp_path, ("text", "intent"))
    assert [row.cell("intent") for table in tables for row in table.rows()] == ["", "get refund"]
    assert tables[0].columns == ("text", "intent")


@pytest.mark.parametrize("content", [CSV, b'{"text": "hello", "intent": "greet"}', gzip.compress(CSV, mtime=0)])
def test_standard_input_is_read_by_its_content(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert cells(STANDARD_INPUT) == {"standard input": [HELLO]}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xls", b"\xd0\xcf\x11\xe0", "old or encrypted Office file"),
        ("a.csv", b"%PDF-1.7", "PDF"),
        ("a.csv", b"\n <!DOCTYPE html><html>", "web page"),
        ("a.docx.odd", b"hello", "a format that is not supported"),
        ("a.csv", b"SQLite format 3\x00", "SQLite"),
    ],
)
def test_a_file_of_another_format_is_named_with_what_to_do(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message) as refused:
        open_tables(tmp_path / name)
    assert refused.value.hint


def test_a_zip_archive_is_to_be_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", CSV)
    with pytest.raises(DataError, match="ZIP archive") as refused:
        open_tables(tmp_path / "a.zip")
    assert "Unpack" in refused.value.hint


def test_a_path_without_data_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no data at") as refused:
        open_tables(tmp_path / "none.csv")
    assert ".parquet" in refused.value.hint
