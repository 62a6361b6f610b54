from __future__ import annotations

from pathlib import Path

import pytest

from frontdesk.errors import DataError
from training.data.label_map import read_label_map


def write(folder: Path, name: str, content: str) -> Path:
    (folder / name).write_text(content, encoding="utf-8")
    return folder / name


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("map.yaml", "Billing & Payment: billing\nno: 'no'\n7: seven\nSpam:\n"),
        ("map.json", '{"Billing & Payment": "billing", "no": "no", "7": "seven", "Spam": null}'),
        ("map.csv", "label;intent\nBilling & Payment;billing\nno;no\n7;seven\nSpam;\n"),
        ("MAP.TSV", "Intent\tLabel\nbilling\tBilling & Payment\nno\tno\nseven\t7\n-\tSpam\n"),
    ],
)
def test_labels_are_exact_text_in_every_format_and_a_label_without_intent_is_left_out(
    tmp_path: Path, name: str, content: str
) -> None:
    label_map = read_label_map(write(tmp_path, name, content))
    assert label_map == {"Billing & Payment": "billing", "no": "no", "7": "seven", "Spam": ""}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("map.yaml", "a: b\na: c\n", "names the label 'a' twice"),
        ("map.yaml", "- a\n- b\n", "not a label and an intent|not a map"),
        ("map.yaml", "a: [b]\n", "not a label and an intent"),
        ("map.yaml", "a: {b: c}\n", "not a label and an intent"),
        ("map.yaml", "a: b: c", "cannot be read as YAML"),
        ("map.yaml", "", "not a map"),
        ("map.yaml", "\x00", "cannot be read as YAML"),
        ("map.csv", "from,to\na,b\n", "not a label and an intent"),
        ("map.csv", "label,intent\n", "names no label"),
        ("map.csv", "label,intent\na,b,c\n", r"map\.csv:2: has 3 cells"),
    ],
)
def test_a_map_that_cannot_be_used_says_why(tmp_path: Path, name: str, content: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as refused:
        read_label_map(write(tmp_path, name, content))
    assert "\n" not in str(refused.value)
    assert refused.value.hint


def test_a_missing_map_is_named(tmp_path: Path) -> None:
    for name in ("map.yaml", "map.csv"):
        with pytest.raises(DataError, match="map"):
            read_label_map(tmp_path / name)
