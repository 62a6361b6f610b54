from __future__ import annotations

import json
from pathlib import Path

import pytest

from frontdesk.errors import DataError
from frontdesk.taxonomy import STARTER_TAXONOMY, Taxonomy
from training.data import Example, data_hash, intents_of, read_examples


def write(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return path


def test_a_row_is_masked_and_out_of_scope_has_no_intent(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.jsonl",
        {"text": "where is order #48213", "intent": "track_order", "sentiment": "neutral", "group": "g"},
        {"text": "tell me a joke", "intent": "out_of_scope"},
    )
    first, second = read_examples(path)
    assert first == Example("where is order #[ORDER_1]", "track_order", "neutral", "g")
    assert (second.intent, second.out_of_scope, second.group) == (None, True, "a-2")


def test_csv_and_jsonl_give_the_same_examples(tmp_path: Path) -> None:
    csv = write(
        tmp_path / "a.csv", "text,intent,sentiment,group", '"hello, you",greet,neutral,1', '"two\nlines",greet,,2'
    )
    jsonl = write(
        tmp_path / "a.jsonl",
        {"text": "hello, you", "intent": "greet", "sentiment": "neutral", "group": 1},
        {"text": "two\nlines", "intent": "greet", "group": 2},
    )
    assert read_examples(csv) == read_examples(jsonl)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"intent": "a"}, "no text"),
        ({"text": "  ", "intent": "a"}, "no text"),
        ({"text": "x" * 4001, "intent": "a"}, "4001 characters"),
        ({"text": "x", "intent": 3}, "not text"),
        ({"text": "x", "sentiment": "angry"}, "angry"),
        ({"text": "x"}, "neither intent nor sentiment"),
        ("{broken", "not a JSON object"),
        ("[1]", "not a JSON object"),
    ],
)
def test_every_wrong_row_is_reported_by_line(tmp_path: Path, row: object, told: str) -> None:
    path = write(tmp_path / "a.jsonl", {"text": "good", "intent": "a"}, row, row)
    with pytest.raises(DataError) as refused:
        read_examples(path)
    assert f"a.jsonl:2: {refused.value.message.split('a.jsonl:2: ')[1].splitlines()[0]}" in refused.value.message
    assert "a.jsonl:3:" in refused.value.message
    assert told in refused.value.message


def test_bytes_that_are_not_utf8_are_reported_by_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "x", "intent": "a"}\n{"text": "\xff", "intent": "a"}\n')
    with pytest.raises(DataError, match=r"a\.jsonl:2: is not UTF-8"):
        read_examples(path)


def test_a_long_list_of_problems_is_cut_and_counted(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"(?s)30 rows.*and 10 more") as refused:
        read_examples(write(tmp_path / "a.jsonl", *["{"] * 30))
    assert refused.value.message.count("not a JSON object") == 20


def test_an_empty_or_missing_path_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no rows"):
        read_examples(tmp_path)
    with pytest.raises(DataError, match="no data at"):
        read_examples(tmp_path / "none.csv")


def test_intents_keep_the_order_of_the_taxonomy_then_the_alphabet() -> None:
    rows = [Example("x", intent, None, "g") for intent in ("zebra", "review", "apple", "cancel_order", "review")]
    declared = Taxonomy.read(STARTER_TAXONOMY).labels
    assert intents_of(rows, declared) == ("cancel_order", "review", "apple", "zebra")


def test_the_hash_follows_the_rows_and_not_the_file(tmp_path: Path) -> None:
    one = write(tmp_path / "one.jsonl", {"text": "x", "intent": "a", "group": "g"})
    other = write(tmp_path / "other.jsonl", {"group": "g", "intent": "a", "text": "x"})
    changed = write(tmp_path / "changed.jsonl", {"text": "y", "intent": "a", "group": "g"})
    assert data_hash(read_examples(one)) == data_hash(read_examples(other)) != data_hash(read_examples(changed))
