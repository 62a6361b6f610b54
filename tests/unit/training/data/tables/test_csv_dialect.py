from __future__ import annotations

import csv
import io

import pytest

from training.data.tables.csv_dialect import CsvDialect, detect_dialect

TEXTS = (
    "Where is it, please; I have waited",
    "It's late | very late",
    "One line\nand another, longer one",
    "two\twords; three",
    'the "blue" one',
)
EXPECTED = ("text", "intent")


def format_table(delimiter: str, quote: str = '"', quoting: int = csv.QUOTE_MINIMAL) -> list[str]:
    file = io.StringIO(newline="")
    table = csv.writer(file, delimiter=delimiter, quotechar=quote, quoting=quoting)
    table.writerow(["id", "text", "intent"])
    table.writerows([number, TEXTS[number % len(TEXTS)], "a,b"] for number in range(40))
    return file.getvalue().splitlines(keepends=True)


def detect(*lines: str, expected: tuple[str, ...] = EXPECTED) -> CsvDialect:
    return detect_dialect(lines, expected, complete=True)


@pytest.mark.parametrize("expected", [EXPECTED, ("message",)], ids=["expected columns", "other columns"])
@pytest.mark.parametrize("quote", ['"', "'"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_and_quote_are_detected(delimiter: str, quote: str, expected: tuple[str, ...]) -> None:
    dialect = detect(*format_table(delimiter, quote), expected=expected)
    assert (dialect.delimiter, dialect.quote) == (delimiter, quote)


def test_delimiters_inside_a_quoted_header_do_not_count() -> None:
    assert detect('"Reason (late, broken, wrong, other)";text;intent\n', "late;hello;a\n").delimiter == ";"


@pytest.mark.parametrize("hint", ["sep=;\r\n", '"sep=;"\n', "SEP=;\n"])
def test_a_hint_line_is_obeyed_and_skipped(hint: str) -> None:
    assert detect(hint, "text;intent\n", "a, b;x\n") == CsvDialect(";", skipped_lines=1)


def test_one_column_with_commas_in_its_texts_is_one_column() -> None:
    dialect = detect("text\n", "hello, you\n", "where; is it, please\n")
    assert list(dialect.reader(iter(["hello, you\n"]))) == [["hello, you"]]


def test_quotes_escaped_by_a_backslash_are_read_and_other_backslashes_stay() -> None:
    lines = ["text,intent\n", '"she said \\"no\\", twice",a\n', '"C:\\new",b\n']
    assert list(detect(*lines).reader(iter(lines)))[1:] == [['she said "no", twice', "a"], ["C:\\new", "b"]]


def test_a_space_between_delimiter_and_quotation_mark_is_skipped() -> None:
    lines = ["id, text, intent\n", '1, "hi, you", a\n', '2, "ok, fine", b\n']
    assert list(detect(*lines).reader(iter(lines)))[1:] == [["1", "hi, you", "a"], ["2", "ok, fine", "b"]]
    assert not detect("text, intent\n", "hello, a\n").spaced


def test_a_colon_is_a_delimiter_only_if_the_header_then_has_the_columns() -> None:
    lines = ["text:intent\n", "hello:a\n"]
    assert detect(*lines).delimiter == ":"
    assert detect(*lines, expected=("message",)).delimiter != ":"


def test_quotation_marks_that_never_close_a_cell_are_ordinary_characters() -> None:
    lines = ["text\tintent\n", '"hello she said\ta\n', '5" pipe\tb\n']
    assert list(detect(*lines).reader(iter(lines)))[1:] == [['"hello she said', "a"], ['5" pipe', "b"]]


def test_a_missing_quote_does_not_make_all_quotes_ordinary() -> None:
    lines = ["text,intent\n", *['"a, b",x\n'] * 20, '"open,y\n', *['"a, b",x\n'] * 20]
    assert detect(*lines).quote == '"'


def test_an_empty_file_has_the_default_dialect() -> None:
    assert detect() == CsvDialect()


def test_a_row_that_cannot_be_read_does_not_hide_the_dialect() -> None:
    assert detect("text;intent\n", "hello;a\n", "stray\rreturn;b\n", "you;b\n").delimiter == ";"
