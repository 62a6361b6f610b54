from __future__ import annotations

import gzip
import io
import os
import threading
from pathlib import Path

import pytest

from frontdesk.errors import DataError
from training.data.tables.source import STANDARD_INPUT, Source

CONTENT = b"text,intent\nhello,greet\n"


def content(source: Source) -> bytes:
    with source.opened() as stream:
        return stream.read()


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv", "a.CSV.GZ"])
def test_gzip_is_unpacked_under_any_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(gzip.compress(CONTENT))
    source = Source(tmp_path / name)
    assert content(source) == content(source) == CONTENT
    assert source.progress == source.size == len(gzip.compress(CONTENT))
    with source.seekable() as stream:
        stream.seek(5)
        assert stream.read(6) == b"intent"


@pytest.mark.parametrize("size", [20, -8, -12])
def test_a_damaged_archive_is_named_in_the_error(tmp_path: Path, size: int) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(CONTENT)[:size])
    with pytest.raises(DataError, match=r"a\.csv\.gz is damaged"):
        content(Source(tmp_path / "a.csv.gz"))


def test_a_file_with_the_suffix_gz_that_is_not_gzip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(b"no gzip")
    with pytest.raises(DataError, match=r"a\.csv\.gz is damaged or not a gzip file"):
        Source(tmp_path / "a.csv.gz")


def test_standard_input_can_be_read_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(CONTENT)))
    source = Source(STANDARD_INPUT, spool=tmp_path)
    assert content(source) == content(source) == CONTENT
    assert (source.name, source.is_spooled, source.size) == ("standard input", True, len(CONTENT))
    assert list(tmp_path.iterdir()) == []


def test_a_named_pipe_is_read_like_standard_input(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(CONTENT,))
    writer.start()
    source = Source(pipe)
    writer.join()
    assert content(source) == content(source) == CONTENT


def test_a_missing_file_and_a_folder_are_one_error_each(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"There is no file a\.csv"):
        Source(tmp_path / "a.csv")
    with pytest.raises(DataError, match="is not a regular file"):
        Source(tmp_path)
