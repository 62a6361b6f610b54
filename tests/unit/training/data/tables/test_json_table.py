from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest

from training.data.tables.json_table import JsonTable
from training.data.tables.source import Source

TWO = [(1, ("hello",)), (2, ("you",))]


def rows(folder: Path, content: str | bytes, name: str = "a.json") -> list[tuple[int, object]]:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    table = JsonTable.open(Source(folder / name), ("text",))
    return [(row.line, row.problem or row.cells) for row in table.rows()]


@pytest.mark.parametrize(
    "content",
    [
        '{"text": "hello"}\n{"text": "you"}\n',
        '\ufeff[{"text": "hello"},\n{"text": "you"}]',
        '{"tickets": [{"text": "hello"}, {"text": "you"}], "count": 2}',
        '{\n"tickets": [\n{"text": "hello"}, {"text": "you"}]\n}',
        '{"text":\t"hello"}\r\n{"text": "you"}',
    ],
    ids=["lines", "array", "wrapped", "wrapped over lines", "other blanks"],
)
def test_every_layout_gives_the_same_rows(tmp_path: Path, content: str) -> None:
    assert rows(tmp_path, content) == TWO
    assert rows(tmp_path, content.lstrip("\ufeff").encode("utf-16")) == TWO


def test_of_several_lists_the_one_with_the_expected_columns_is_read(tmp_path: Path) -> None:
    lists = {"users": [{"id": 1}], "result": {"tickets": [{"text": "hello"}, {"text": "you"}]}}
    assert rows(tmp_path, json.dumps(lists)) == TWO
    ((_, cells),) = rows(tmp_path, json.dumps({"users": [{"id": 1}], "tags": [{"id": 2}]}))
    assert cells == ([{"id": 1}], [{"id": 2}])


def test_objects_over_several_lines_end_on_theirs(tmp_path: Path) -> None:
    content = json.dumps([{"text": "hello"}, {"text": "you"}], indent=2)
    assert rows(tmp_path, content) == [(4, ("hello",)), (7, ("you",))]
    assert rows(tmp_path, '{\n"text": "hello"}\n{\n"text": "you"\n}') == [(2, ("hello",)), (5, ("you",))]


def test_a_line_that_is_not_an_object_is_a_problem_and_the_next_is_read(tmp_path: Path) -> None:
    content = '{"text": "hello"}\n3\n{broken\n[1]\n{"text": "a", "text": "b"}\n{"text": "you"}\n'
    assert rows(tmp_path, content, "a.jsonl") == [
        (1, ("hello",)),
        *((line, "is not a JSON object") for line in (2, 3, 4)),
        (5, "has the key 'text' twice"),
        (6, ("you",)),
    ]


@pytest.mark.parametrize("end", ["", ",", ', {"text": "y', ", nonsense]"])
def test_a_truncated_array_gives_its_rows_and_a_problem(tmp_path: Path, end: str) -> None:
    first, (_, problem) = rows(tmp_path, '[{"text": "hello"}' + end)
    assert first == (1, ("hello",))
    assert "JSON" in str(problem)


def test_nan_is_a_value_and_deep_nesting_is_a_problem(tmp_path: Path) -> None:
    ((_, cells),) = rows(tmp_path, '{"text": NaN}')
    assert str(cells) == "(nan,)"
    ((_, problem),) = rows(tmp_path, "[" * 100_000, "a.jsonl")
    assert "JSON" in str(problem)


def test_the_columns_are_those_of_any_row_in_their_first_spelling(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"Text": "x"}\n3\n{"intent": "a", "text": "y"}\n')
    assert JsonTable.open(Source(tmp_path / "a.jsonl"), ("text", "split")).columns == ("Text", "intent")


def test_a_long_array_is_read_in_little_memory(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[" + ",".join([json.dumps({"text": "x" * 200})] * 40_000) + "]")
    table = JsonTable.open(Source(tmp_path / "a.json"), ("text",))
    tracemalloc.start()
    assert sum(1 for _ in table.rows()) == 40_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4_000_000, "the file has 8.7 MB"
