from __future__ import annotations

import datetime
from pathlib import Path

import openpyxl
import pytest

from frontdesk.errors import DataError
from training.data.tables.excel_table import ExcelTable
from training.data.tables.source import Source


def write(path: Path, **sheets: list[list[object]]) -> Path:
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for title, rows in sheets.items():
        sheet = workbook.create_sheet(title)
        for row in rows:
            sheet.append(row)
    workbook.save(path)
    return path


def rows(path: Path) -> list[tuple[str, int, object]]:
    tables = ExcelTable.open(Source(path), ("text", "intent"))
    return [(table.name, row.line, row.problem or row.cells) for table in tables for row in table.rows()]


def test_cells_are_text(tmp_path: Path) -> None:
    day = datetime.datetime(2026, 3, 12, 10, 15)
    path = write(tmp_path / "a.xlsx", Tickets=[["Text", "Intent", "n", "at"], ["hello", 7, 1.5, day], ["x", True, 2.0]])
    assert rows(path) == [
        ("a.xlsx", 2, ("hello", "7", "1.5", "2026-03-12T10:15:00")),
        ("a.xlsx", 3, ("x", "true", "2", "")),
    ]


def test_empty_rows_are_skipped_also_above_the_header(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", Tickets=[[None], ["text", "intent", None], [None, None], ["hello", "a", None]])
    assert rows(path) == [("a.xlsx", 4, ("hello", "a"))]


def test_a_title_above_the_header_is_skipped(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", Tickets=[["Tickets of March"], [None], ["id", "text"], [1, "hello"]])
    assert rows(path) == [("a.xlsx", 4, ("1", "hello"))]


def test_a_cell_beyond_the_header_is_a_problem(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", Tickets=[["text"], ["hello", "stray"]])
    assert "has 2 cells, the header has 1" in str(rows(path)[0][2])


def test_each_sheet_with_the_columns_is_read_and_others_are_not(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", May=[["text"], ["one"]], June=[["text"], ["two"]], Notes=[["todo"], ["call"]])
    assert rows(path) == [("a.xlsx[May]", 2, ("one",)), ("a.xlsx[June]", 2, ("two",))]


def test_without_the_columns_the_first_sheet_is_opened(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", Empty=[], Tickets=[["message"], ["one"]])
    (table,) = ExcelTable.open(Source(path), ("text",))
    assert (table.name, table.columns) == ("a.xlsx", ("message",))


@pytest.mark.parametrize("size", [4, 1000, -30])
def test_a_damaged_workbook_is_named_in_the_error(tmp_path: Path, size: int) -> None:
    path = write(tmp_path / "a.xlsx", Tickets=[["text"], ["hello"]])
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(DataError, match=r"a\.xlsx cannot be read as an Excel workbook"):
        ExcelTable.open(Source(path), ("text",))


def test_without_the_library_the_hint_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.xlsx", Tickets=[["text"], ["hello"]])
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    with pytest.raises(DataError, match=r"frontdesk\[train\]"):
        ExcelTable.open(Source(path), ("text",))
