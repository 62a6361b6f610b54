from __future__ import annotations

import pytest

from frontdesk.messages import IncomingMessage, Message
from frontdesk.messages import parse as parse_message
from training.data.column_mapping import ColumnMapping
from training.data.row_parser import InvalidRowError, ParsedRow, RowParser, describe_label_problem, split_labels
from training.data.tables import Row

NAMES = ("Text", "intent", "sentiment", "group", "split")


def parse(*cells: object, columns: ColumnMapping | None = None, **label_map: str) -> ParsedRow:
    return RowParser(columns or ColumnMapping(), label_map, "train").parse(Row(2, NAMES, cells), "a.csv:2")


def message(text: str) -> Message:
    return parse_message(IncomingMessage(text))


def test_values_are_typed_and_labels_keep_their_case() -> None:
    assert parse("Where is it?", "Late; late;Late", " Negative", 0, "VAL") == ParsedRow(
        message("Where is it?"), ("Late", "late"), "negative", "0", "calibration"
    )


def test_missing_values_are_none_and_the_part_is_that_of_the_table() -> None:
    assert parse("hi", "a", "nan", "-", "N/A") == ParsedRow(message("hi"), ("a",), None, None, "train")


@pytest.mark.parametrize(
    ("cells", "remark"),
    [
        (("", "a"), "has no text and is not used"),
        (("hi", ""), "has neither intent nor sentiment and is not used"),
        (("hi", "NULL"), "has intent 'NULL', which stands for a missing value, and no sentiment: the row is not used"),
    ],
)
def test_a_row_without_message_or_label_is_not_used(cells: tuple[str, ...], remark: str) -> None:
    row = parse(*cells)
    assert (row.is_used, row.remark) == (False, remark)


def test_a_row_with_a_sentiment_only_is_used() -> None:
    row = parse("hi", "nan", "neutral")
    assert row.is_used
    assert row.remark == "has intent 'nan', which stands for a missing value"


def test_the_label_map_renames_and_leaves_out() -> None:
    assert parse("hi", "x;y", x="z", y="") == ParsedRow(
        message("hi"), ("z",), part="train", remark="has the label 'y', which the label map leaves out"
    )


def test_a_label_that_cannot_be_used_is_one_error_and_then_a_remark() -> None:
    parser = RowParser(ColumnMapping(), {}, None)
    row = Row(2, NAMES, ("hi", "two\nlines"))
    with pytest.raises(InvalidRowError, match="line break or control character"):
        parser.parse(row, "a.csv:2")
    assert parser.parse(row, "a.csv:4").remark == "has the label of a.csv:2, which cannot be used"


@pytest.mark.parametrize(
    ("value", "labels"),
    [(None, []), ("a ; b;;", ["a", "b"]), (" a", [" a"]), (7, ["7"]), (7.0, ["7"]), (["a", "b "], ["a", "b"])],
)
def test_labels_are_split_at_semicolons(value: object, labels: list[str]) -> None:
    assert split_labels(value) == labels


@pytest.mark.parametrize("value", [True, 1.5, {"a": 1}, ["a", 1], float("inf")])
def test_a_label_that_is_not_text_is_refused(value: object) -> None:
    with pytest.raises(InvalidRowError, match="not text"):
        split_labels(value)


def test_a_label_has_at_most_100_characters_and_no_line_break() -> None:
    assert describe_label_problem("x" * 100) == ""
    assert "101 characters" in describe_label_problem("x" * 101)
    assert all("line break" in describe_label_problem(f"a{sign}b") for sign in "\n\r\t\x00\x85\u2028\u2029")


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ("Automatic reply: I am out of the office until 4 June.", "is an automated mail and is not used"),
        (
            "On 3 May 2026, Shop <help@shop.example> wrote:\n> Hello",
            "has no text of the customer's own and is not used",
        ),
    ],
)
def test_a_row_that_is_no_request_is_not_used(text: str, remark: str) -> None:
    row = parse(text, "a", None, None, None)
    assert (row.is_used, row.remark) == (False, remark)


def test_text_without_a_visible_character_is_missing() -> None:
    assert parse("\u2800\u200b", "a", None, None, None).remark == "has no text and is not used"
