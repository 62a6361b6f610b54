from __future__ import annotations

from pathlib import Path

import pytest

from training.data.tables.csv_table import CsvTable
from training.data.tables.source import Source


def table(folder: Path, content: str | bytes, expected: tuple[str, ...] = ("text", "intent")) -> CsvTable:
    (folder / "a.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return CsvTable.open(Source(folder / "a.csv"), expected)


def rows(folder: Path, content: str | bytes) -> list[tuple[int, object]]:
    return [(row.line, row.problem or row.cells) for row in table(folder, content).rows()]


def test_a_row_is_at_the_line_it_ends_on_and_only_line_ends_count(tmp_path: Path) -> None:
    content = 'text,intent\r\n"two\nlines",a\r\n\r\nx\u2028y\x0cz,b\r\n'
    assert rows(tmp_path, content) == [(3, ("two\nlines", "a")), (5, ("x\u2028y\x0cz", "b"))]


def test_old_mac_line_ends_are_read(tmp_path: Path) -> None:
    assert rows(tmp_path, 'text,intent\r"a, b",x\rc,y') == [(2, ("a, b", "x")), (3, ("c", "y"))]


def test_lines_are_counted_from_the_hint_line_on(tmp_path: Path) -> None:
    assert rows(tmp_path, "sep=;\n\ntext;intent\na;x\n") == [(4, ("a", "x"))]


def test_empty_cells_beyond_the_header_are_ignored_and_others_are_a_problem(tmp_path: Path) -> None:
    result = rows(tmp_path, "text,intent,,\na,x,,, ,\nalone\nhello, you,greet,b,c,d\n")
    assert result == [
        (2, ("a", "x", "", "")),
        (3, ("alone", "", "", "")),
        (4, "has 6 cells, the header has 4: is a quote missing?"),
    ]


def test_a_huge_cell_is_read_and_the_next_row_too(tmp_path: Path) -> None:
    picture = "x" * 300_000
    assert rows(tmp_path, f'text,html\na,"{picture}"\nb,short\n') == [(2, ("a", picture)), (3, ("b", "short"))]


def test_a_quote_that_is_not_closed_is_reported_where_it_opens(tmp_path: Path) -> None:
    first, (line, problem) = rows(tmp_path, 'text,intent\n"a",x\n"open,y\nb,z\n')
    assert (first, line) == ((2, ("a", "x")), 3)
    assert "quotation mark that is not closed" in str(problem)


def test_a_stray_carriage_return_is_a_problem_of_its_row_only(tmp_path: Path) -> None:
    result = rows(tmp_path, "text,intent\na\rb,x\nc,y\n")
    assert result == [(2, "has a line break outside of quotation marks"), (3, ("c", "y"))]


def test_a_column_without_a_name_has_cells(tmp_path: Path) -> None:
    assert rows(tmp_path, ",text,intent,\n1,a,x,true\n") == [(2, ("1", "a", "x", "true"))]


def test_carriage_returns_end_lines_if_many_rows_have_them(tmp_path: Path) -> None:
    content = 'text,intent\r"with\nbreak",a\r' + "".join(f"row {number},a\r" for number in range(9))
    assert rows(tmp_path, content)[:2] == [(3, ("with\nbreak", "a")), (4, ("row 0", "a"))]
    mixed = "text,intent\n" + "".join(f"row {number},a\rrow again,b\n" for number in range(9))
    assert [cells for _, cells in rows(tmp_path, mixed)[:2]] == [("row 0", "a"), ("row again", "b")]
    assert table(tmp_path, content).line_ending == "\r"


@pytest.mark.parametrize("content", ["", "\n\n", "text,intent\n"])
def test_a_file_without_rows_has_none(tmp_path: Path, content: str) -> None:
    assert rows(tmp_path, content) == []


def test_line_ending_and_encoding_are_known_for_the_output(tmp_path: Path) -> None:
    opened = table(tmp_path, "text;intent\r\nGröße;a\r\n".encode("utf-16"))
    assert (opened.line_ending, opened.encoding.codec, opened.dialect.delimiter) == ("\r\n", "utf-16-le", ";")


def test_titles_above_the_header_are_skipped(tmp_path: Path) -> None:
    titled = "Tickets of March\n\n2026-03-31\nid;text;intent\n1;hello, you;a\n"
    assert rows(tmp_path, titled) == [(5, ("1", "hello, you", "a"))]
    assert table(tmp_path, "message\ntext,intent\n", ("other",)).columns == ("message",)


def test_an_unreadable_row_near_the_header_does_not_hide_it(tmp_path: Path) -> None:
    assert table(tmp_path, "text,intent\na,x\nb\rc,y\nd,z\ne,z\nf,z\n").columns == ("text", "intent")
