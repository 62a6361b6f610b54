from __future__ import annotations

import pytest

from frontdesk.errors import DataError
from training.data.column_mapping import Columns, check_columns


@pytest.mark.parametrize(
    ("columns", "found", "told", "hint"),
    [
        (
            Columns(),
            ("utterance", "intent"),
            "a.csv has no column 'text'. It has: utterance, intent.",
            "--text utterance",
        ),
        (Columns(), ("text", "category"), "no column 'intent'. It has: text, category.", "--intent category"),
        (Columns(), ("text", "label", "sentiment"), "no column 'intent'", "--intent label"),
        (Columns(intent="categroy"), ("text", "category"), "no column 'categroy'", "--intent category"),
        (Columns(), ("text", "about"), "no column 'intent'. It has: text, about.", "--intent COLUMN"),
        (Columns(group="thread"), ("text", "intent"), "no column 'thread'", "--group COLUMN"),
        (Columns(split="fold"), ("text", "intent"), "no column 'fold'", "--split COLUMN"),
    ],
)
def test_the_error_for_a_missing_column_lists_the_columns_and_the_flag(
    columns: Columns, found: tuple[str, ...], told: str, hint: str
) -> None:
    with pytest.raises(DataError) as refused:
        check_columns(columns, [("a.csv", found)])
    assert told in refused.value.message
    assert hint in refused.value.hint


@pytest.mark.parametrize(
    ("columns", "files"),
    [
        (Columns(), [("a.csv", ("text", "sentiment"))]),
        (Columns(sentiment="label"), [("a.csv", ("text", "label"))]),
        (Columns(intent="category"), [("a.csv", ("text", "category")), ("b.csv", ("text", "sentiment"))]),
        (Columns(split=""), [("a.csv", ("text", "intent", "split"))]),
        (Columns(), []),
    ],
)
def test_a_column_needs_to_be_in_one_file_and_a_split_can_be_passed_over(
    columns: Columns, files: list[tuple[str, tuple[str, ...]]]
) -> None:
    check_columns(columns, files)
