from __future__ import annotations

from training.data.examples import Example, RowLocation
from training.data.label_names import check_label_counts, check_spellings
from training.data.row_issues import LabelledRow, RowIssue
from training.data.row_parser import SplitPart


def labelled(*counts: tuple[str, int], part: SplitPart | None = None, groups: int | None = None) -> list[LabelledRow]:
    rows = [
        Example(f"{name} {number}", name, None, f"{name}{number % (groups or count)}", part=part)
        for name, count in counts
        for number in range(count)
    ]
    return [LabelledRow(RowLocation("a.csv", line), row) for line, row in enumerate(rows, start=2)]


def brief(complaints: list[RowIssue]) -> list[tuple[int, str, str]]:
    return [(of.location.line, of.kind, of.rule) for of in complaints]


def test_four_messages_are_too_few_five_are_few_and_twenty_enough() -> None:
    result = list(check_label_counts(labelled(("a", 4), ("b", 5), ("c", 20))))
    assert brief(result) == [(2, "error", "rare_label"), (6, "note", "small_intent")]


def test_paraphrases_of_one_message_count_once() -> None:
    assert brief(list(check_label_counts(labelled(("a", 30), groups=4)))) == [
        (2, "error", "one_intent"),
        (2, "error", "rare_label"),
    ]


def test_a_label_with_test_rows_only_is_reported() -> None:
    rows = labelled(("a", 30), part="train") + labelled(("b", 3), part="test")
    assert [(of.rule, "'b'" in of.message) for of in check_label_counts(rows)] == [("untaught_label", True)]


def test_a_file_without_training_rows_is_one_error() -> None:
    assert brief(list(check_label_counts(labelled(("a", 30), part="test")))) == [(2, "error", "no_training_rows")]


def test_a_label_without_training_rows_is_an_error() -> None:
    rows = labelled(("a", 30), ("b", 30), part="train") + labelled(("c", 30), part="calibration")
    assert brief(list(check_label_counts(rows))) == [(2, "error", "untaught_label")]


def test_a_single_intent_is_an_error_and_few_rows_of_sentiment_are_not() -> None:
    assert brief(list(check_label_counts(labelled(("a", 30))))) == [(2, "error", "one_intent")]
    few = LabelledRow(RowLocation("a.csv", 99), Example("x", None, "neutral", "g"))
    assert list(check_label_counts([*labelled(("a", 30), ("b", 30)), few])) == []


def test_two_spellings_of_one_label_are_reported_at_the_second() -> None:
    (result,) = check_spellings(labelled(("card_arrival", 2), ("Card Arrival", 2), ("card_lost", 2)))
    assert result.location.line == 4
    assert result.message == "'Card Arrival' differs from 'card_arrival' of a.csv:2 only in case, spaces or punctuation"


def test_a_common_out_of_scope_label_is_reported_with_the_flag() -> None:
    (result,) = check_spellings(labelled(("oos", 2), ("card_lost", 2)))
    assert (result.rule, "--out-of-scope oos" in result.message) == ("out_of_scope_name", True)
