from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from frontdesk.errors import DataError
from frontdesk.taxonomy import STARTER_TAXONOMY, Taxonomy
from training.data.column_mapping import ColumnMapping
from training.data.examples import Example, data_hash, list_intents, read_examples


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
        ({"text": 3, "intent": "a"}, "has a text that is not text"),
        ({"text": "a\x00b", "intent": "a"}, "NUL"),
        ({"text": "x" * 4001, "intent": "a"}, "it has 4001"),
        ({"text": "x", "intent": ["a", 3]}, "not text"),
        ({"text": "x", "intent": {"a": 1}}, "not text"),
        ({"text": "x", "intent": "a;out_of_scope"}, "has no other label"),
        ({"text": "x", "intent": True}, "not text"),
        ({"text": "x", "intent": "a", "split": "middle"}, "split 'middle'; use train, calibration or test"),
        ({"text": "x", "sentiment": "angry"}, "angry"),
        ('{"text": "x", "intent": "a", "intent": "b"}', "has the key 'intent' twice"),
        ({"text": "x", "Text": "y", "intent": "a"}, "are both named 'text'"),
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
    path.write_bytes('{"text": "ü", "intent": "a"}\n'.encode() * 2 + b'{"text": "\xff", "intent": "a"}\n')
    with pytest.raises(DataError, match=r"a\.jsonl:3: is not UTF-8"):
        read_examples(path)


def test_a_long_list_of_problems_is_cut_and_counted(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"(?s)30 rows.*and 10 more") as refused:
        read_examples(write(tmp_path / "a.jsonl", *["{"] * 30))
    assert refused.value.message.count("not a JSON object") == 20


def test_an_empty_or_missing_path_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no rows"):
        read_examples(tmp_path)
    with pytest.raises(DataError, match="no data at"):
        read_examples(tmp_path / "none.csv")


def test_intents_keep_the_order_of_the_taxonomy_then_the_alphabet() -> None:
    rows = [Example("x", intent, None, "g") for intent in ("zebra", "review", "apple", "cancel_order", "review")]
    declared = Taxonomy.read(STARTER_TAXONOMY).labels
    assert list_intents(rows, declared) == ("cancel_order", "review", "apple", "zebra")


def test_the_hash_follows_the_rows_and_not_the_file(tmp_path: Path) -> None:
    one = write(tmp_path / "one.jsonl", {"text": "x", "intent": "a", "group": "g"})
    other = write(tmp_path / "other.jsonl", {"group": "g", "intent": "a", "text": "x"})
    changed = write(tmp_path / "changed.jsonl", {"text": "y", "intent": "a", "group": "g"})
    assert data_hash(read_examples(one)) == data_hash(read_examples(other)) != data_hash(read_examples(changed))


def test_the_hash_follows_part_and_nearness_and_is_as_before_where_there_are_none() -> None:
    row = Example("x", "a", None, "g")
    named = {
        data_hash([of])
        for of in (row, replace(row, part="train"), replace(row, part="test"), replace(row, part="test", near=True))
    }
    assert len(named) == 4
    before = json.dumps(("x", "a", None, "g", False)).encode() + b"\n"
    assert data_hash([row]) == hashlib.sha256(before).hexdigest()


def test_every_column_can_be_named_and_another_label_can_mark_out_of_scope(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "utterance,label,mood,thread,fold", "hello,greet,neutral,t1,dev", "joke,oos,,t2,")
    columns = ColumnMapping(("utterance",), "label", "mood", "thread", "fold", "oos")
    assert read_examples(path, columns) == (
        Example("hello", "greet", "neutral", "t1", part="calibration"),
        Example("joke", None, None, "t2", out_of_scope=True),
    )


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ("train", "train"),
        (" Training ", "train"),
        ("val", "calibration"),
        ("valid", "calibration"),
        ("validation", "calibration"),
        ("dev", "calibration"),
        ("calibration", "calibration"),
        ("test", "test"),
        ("EVAL", "test"),
        ("holdout", "test"),
        ("", None),
    ],
)
def test_the_split_column_is_understood_by_its_usual_words(tmp_path: Path, said: str, part: str | None) -> None:
    (row,) = read_examples(write(tmp_path / "a.jsonl", {"text": "x", "intent": "a", "split": said}))
    assert row.part == part


def test_files_of_a_folder_give_the_part_by_name_and_a_split_column_has_precedence(tmp_path: Path) -> None:
    for name in ("dev_rows.jsonl", "test-00000-of-00001.jsonl", "train.jsonl", "others.jsonl", "testing.jsonl"):
        write(tmp_path / name, {"text": name, "intent": "a"})
    write(tmp_path / "train_more.jsonl", {"text": "x", "intent": "a", "split": "test"})
    assert [row.part for row in read_examples(tmp_path)] == ["calibration", None, "test", None, "train", "test"]
    assert [row.part for row in read_examples(tmp_path / "train.jsonl")] == [None]


def test_a_label_that_no_row_has_cannot_mark_out_of_scope(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", {"text": "x", "intent": "oos"})
    with pytest.raises(DataError, match=r"No row of a\.jsonl has the label 'oso'"):
        read_examples(path, ColumnMapping(out_of_scope="oso"))


def test_a_number_is_a_label_in_every_format(tmp_path: Path) -> None:
    rows = (
        read_examples(write(tmp_path / "a.jsonl", {"text": "x", "intent": 0})),
        read_examples(write(tmp_path / "a.csv", "text,intent", "x,0")),
    )
    assert {row.intent for examples in rows for row in examples} == {"0"}
