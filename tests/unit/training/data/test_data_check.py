from __future__ import annotations

import random
import time

from training.data.data_check import RowIssue, find_row_issues
from training.data.examples import Example, RowLocation

WORDS = "parcel order refund invoice card late broken missing twice monday address account email help where".split()


def rows(*examples: Example | str) -> list[tuple[RowLocation, Example | str]]:
    return [(RowLocation("a.jsonl", line), example) for line, example in enumerate(examples, start=1)]


def message(complaints: list[RowIssue], rule: str) -> list[tuple[int, str]]:
    return [(of.location.line, of.message) for of in complaints if of.rule == rule]


def sound(intent: str, count: int, seed: int = 0) -> list[Example]:
    """Messages of one intent that share a word and nothing else."""
    generator = random.Random(f"{intent}{seed}")
    return [
        Example(
            f"{intent} {' '.join(generator.choices(WORDS, k=8))} {number}", intent, None, f"{intent}-{seed}-{number}"
        )
        for number in range(count)
    ]


def test_valid_rows_have_no_issues() -> None:
    assert find_row_issues(rows(*sound("apple", 30), *sound("pear", 30))) == []


def test_an_unreadable_row_is_an_error_and_comes_first() -> None:
    issues = find_row_issues(rows(*sound("apple", 6), *sound("pear", 30), "has no text"))
    assert [(str(of.location), of.kind, of.rule) for of in issues] == [
        ("a.jsonl:37", "error", "unreadable"),
        ("a.jsonl:1", "note", "small_intent"),
    ]


def test_an_intent_that_a_training_run_would_refuse_is_an_error() -> None:
    (error,) = find_row_issues(rows(*sound("pear", 30), *sound("apple", 3)))
    assert (error.kind, error.rule, error.location.line) == ("error", "rare_label", 31)
    assert error.message.startswith("'apple' has 3 different messages")


def test_a_file_without_one_usable_row_is_all_errors() -> None:
    assert [of.rule for of in find_row_issues(rows("is not UTF-8"))] == ["unreadable"]


def test_a_repeated_message_is_reported_regardless_of_case_spaces_and_numbers() -> None:
    first = Example("Where is  order [ORDER_1]", "apple", "neutral", "g1")
    again = Example("where is order [ORDER_2] ", "apple", "neutral", "g2")
    issues = find_row_issues(rows(first, again, *sound("apple", 30), *sound("pear", 30)))
    assert message(issues, "duplicate") == [(2, "says the same as a.jsonl:1")]
    assert message(issues, "near_duplicate") == []


def test_one_message_with_two_labels_names_both() -> None:
    one, other = Example("it is late", "apple", None, "g1"), Example("It is late", None, None, "g2", out_of_scope=True)
    glad = Example("it is late", "apple", "positive", "g3")
    issues = find_row_issues(rows(one, other, glad, *sound("apple", 30), *sound("out_of_scope", 0), *sound("pear", 30)))
    assert message(issues, "two_labels") == [
        (2, "says the same as a.jsonl:1, but has 'out_of_scope' where that has 'apple'"),
        (3, "says the same as a.jsonl:1, but has sentiment positive where that has None"),
    ]


def test_one_message_on_two_sides_of_the_datas_own_split_is_a_leak_and_says_which_sides() -> None:
    first, text = Example("it is late", "apple", None, "g1", part="train"), "it is  late"
    again = Example(text, "apple", None, "g2", part="test")
    other = Example(text, "pear", None, "g3", part="test")
    issues = find_row_issues(rows(first, again, other, *sound("apple", 30), *sound("pear", 30)))
    leak = "says the same as a.jsonl:1, but is in test rows where that is in train rows"
    assert message(issues, "leak") == [(2, leak), (3, leak)]
    assert [line for line, _ in message(issues, "two_labels")] == [3]
    assert message(issues, "duplicate") == []


def test_rows_that_we_deal_ourselves_cannot_leak() -> None:
    one, again = Example("it is late", "apple", None, "g1"), Example("it is late", "apple", None, "g2", part="test")
    issues = find_row_issues(rows(one, again, *sound("apple", 30), *sound("pear", 30)))
    assert (message(issues, "leak"), [line for line, _ in message(issues, "duplicate")]) == ([], [2])


def test_encoding_damage_is_reported() -> None:
    broken = Example("le cafÃ© ne marche pas", "apple", None, "g")
    issues = find_row_issues(rows(broken, *sound("apple", 30), *sound("pear", 30)))
    ((line, sentence),) = message(issues, "mojibake")
    assert (line, "Windows-1252" in sentence, "caf" in sentence) == (1, True, False)


def test_each_step_is_reported() -> None:
    steps: list[str] = []
    find_row_issues(rows(*sound("apple", 30), *sound("pear", 30)), steps.append)
    assert steps[0] == "reading"
    assert steps[-1] == "looking for doubtful labels, 3 of 3"


def test_near_duplicates_are_reported_across_groups_and_not_within() -> None:
    long = "could you please tell me when the parcel that i ordered last monday is going to arrive"
    first, within = Example(long, "apple", None, "g1"), Example(f"{long} now", "apple", None, "g1")
    across = Example(f"{long} then", "pear", None, "g2")
    issues = find_row_issues(rows(first, within, across, *sound("apple", 30), *sound("pear", 30)))
    (line, sentence) = message(issues, "near_duplicate")[0]
    assert len(message(issues, "near_duplicate")) == 1
    assert (line, "nearly a.jsonl:1" in sentence, "'pear' here, 'apple' there" in sentence) == (3, True, True)


def test_a_group_with_two_intents_is_reported_once() -> None:
    mixed = [
        Example("some words here", "apple", None, "g"),
        Example("quite other ones", "pear", None, "g"),
        Example("and again different", "pear", None, "g"),
    ]
    issues = find_row_issues(rows(*mixed, *sound("apple", 30), *sound("pear", 30)))
    assert message(issues, "mixed_group") == [
        (2, "is in one group with a.jsonl:1, but has 'pear' where that has 'apple'")
    ]


def test_a_long_text_is_reported_with_its_length_and_without_its_words() -> None:
    secret = Example("tangerine " * 101, "apple", None, "g")
    issues = find_row_issues(rows(secret, *sound("apple", 30), *sound("pear", 30)))
    assert message(issues, "long_text") == [(1, "has 1010 characters")]
    assert "tangerine" not in str(issues)


def test_an_improbable_label_is_reported() -> None:
    wrong = Example("pear pear pear parcel", "apple", None, "g")
    issues = find_row_issues(rows(*sound("apple", 60), wrong, *sound("pear", 60)))
    ((line, sentence),) = message(issues, "doubted_label")
    assert line == 61
    assert sentence.startswith("has 'apple'")
    assert "'pear'" in sentence


def test_ten_thousand_rows_of_one_template_are_compared_in_seconds() -> None:
    generator = random.Random(1)
    template = [
        Example(f"hello, i want to ask about {' '.join(generator.choices(WORDS, k=6))}", None, "neutral", f"g{number}")
        for number in range(10_000)
    ]
    started = time.process_time()
    find_row_issues(rows(*template))
    assert time.process_time() - started < 20
