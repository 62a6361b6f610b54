from __future__ import annotations

import pytest

from frontdesk.errors import DataError
from training.data.column_mapping import ColumnMapping, check_columns


@pytest.mark.parametrize(
    ("columns", "found", "told", "hint"),
    [
        (
            ColumnMapping(),
            ("utterance", "intent"),
            "a.csv has no column 'text'. It has: utterance, intent.",
            "--text utterance",
        ),
        (ColumnMapping(), ("text", "category"), "no column 'intent'. It has: text, category.", "--intent category"),
        (ColumnMapping(), ("text", "label", "sentiment"), "no column 'intent'", "--intent label"),
        (ColumnMapping(intent="categroy"), ("text", "category"), "no column 'categroy'", "--intent category"),
        (ColumnMapping(), ("text", "about"), "no column 'intent'. It has: text, about.", "--intent COLUMN"),
        (ColumnMapping(group="thread"), ("text", "intent"), "no column 'thread'", "--group COLUMN"),
        (ColumnMapping(split="fold"), ("text", "intent"), "no column 'fold'", "--split COLUMN"),
    ],
)
def test_the_error_for_a_missing_column_lists_the_columns_and_the_flag(
    columns: ColumnMapping, found: tuple[str, ...], told: str, hint: str
) -> None:
    with pytest.raises(DataError) as refused:
        check_columns(columns, [("a.csv", found)])
    assert told in refused.value.message
    assert hint in refused.value.hint


@pytest.mark.parametrize(
    ("columns", "files"),
    [
        (ColumnMapping(), [("a.csv", ("text", "sentiment"))]),
        (ColumnMapping(sentiment="label"), [("a.csv", ("text", "label"))]),
        (ColumnMapping(intent="category"), [("a.csv", ("text", "category")), ("b.csv", ("text", "sentiment"))]),
        (ColumnMapping(split=""), [("a.csv", ("text", "intent", "split"))]),
        (ColumnMapping(), []),
    ],
)
def test_a_column_needs_to_be_in_one_file_and_a_split_can_be_passed_over(
    columns: ColumnMapping, files: list[tuple[str, tuple[str, ...]]]
) -> None:
    check_columns(columns, files)
