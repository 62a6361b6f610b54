from __future__ import annotations

import random

import pytest

from training.data import label_errors
from training.data.examples import Example, RowLocation
from training.data.label_errors import find_label_errors
from training.data.row_issues import LabelledRow

WORDS = "parcel order refund invoice card late broken missing twice monday address account".split()


def rows(labels: list[str], said: list[str]) -> list[LabelledRow]:
    generator = random.Random(7)
    return [
        LabelledRow(
            RowLocation("a.csv", line),
            Example(f"{word} {word} {' '.join(generator.choices(WORDS, k=3))}", label, None, str(line)),
        )
        for line, (label, word) in enumerate(zip(labels, said, strict=True), start=1)
    ]


def test_exchanged_labels_are_reported_and_no_others() -> None:
    texts = [("apple", "pear", "plum")[number % 3] for number in range(180)]
    labels = list(texts)
    labels[10], labels[50] = "plum", "apple"
    steps: list[str] = []
    result = list(find_label_errors(rows(labels, texts), steps.append))
    assert {of.location.line for of in result} == {11, 51}
    assert "has 'plum', which a model that has not seen the row gives" in result[0].message
    assert "it gives 'pear'" in result[0].message
    assert len(steps) == 3


def test_a_single_label_is_never_reported() -> None:
    assert list(find_label_errors(rows(["a"] * 10, ["x"] * 10), lambda _: None)) == []


def test_a_label_of_one_row_does_not_stop_the_others() -> None:
    labels = ["apple", "pear"] * 20 + ["odd"]
    assert [of for of in find_label_errors(rows(labels, labels), lambda _: None) if of.location.line <= 40] == []


def test_models_trained_on_a_sample_and_applied_in_batches_report_the_same_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(label_errors, "MAX_TRAINING_ROWS", 60)
    monkeypatch.setattr(label_errors, "_PREDICTED_ROWS", 7)
    texts = [("apple", "pear", "plum")[number % 3] for number in range(180)]
    labels = list(texts)
    labels[10], labels[50] = "plum", "apple"
    assert {of.location.line for of in find_label_errors(rows(labels, texts), lambda _: None)} == {11, 51}
