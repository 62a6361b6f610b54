from __future__ import annotations

from training.data.examples import Example, RowLocation
from training.data.minhash import find_near_duplicates
from training.data.row_issues import LabelledRow
from training.data.row_parser import SplitPart

LONG = "could you please tell me when the parcel that i ordered last monday is going to arrive"


def rows(*texts: tuple[str, SplitPart | None], group: str | None = None) -> list[LabelledRow]:
    return [
        LabelledRow(RowLocation("a.csv", line), Example(text, "a", None, group or str(line), part=part))
        for line, (text, part) in enumerate(texts, start=1)
    ]


def test_messages_that_nearly_agree_on_two_sides_of_a_split_leak() -> None:
    (result,) = find_near_duplicates(rows((LONG, "test"), (f"{LONG} now", "train")))
    assert (result.location.line, result.rule) == (2, "leak")
    assert "but in train rows where that is in test rows" in result.message


def test_a_group_that_the_split_parts_leaks() -> None:
    (result,) = find_near_duplicates(rows((LONG, "test"), (f"{LONG} now", "train"), group="g"))
    assert result.rule == "leak"


def test_a_leak_is_reported_rather_than_a_duplicate_in_the_same_part() -> None:
    texts = (LONG, "train"), (f"{LONG} then", "test"), (f"{LONG} now", "test")
    assert [(of.location.line, of.rule) for of in find_near_duplicates(rows(*texts))] == [(2, "leak"), (3, "leak")]


def test_other_messages_are_left_alone() -> None:
    assert list(find_near_duplicates(rows((LONG, "train"), ("i would like my money back", "test")))) == []
