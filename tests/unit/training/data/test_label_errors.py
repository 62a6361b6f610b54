from __future__ import annotations

import random

from training.data.examples import Example, Place
from training.data.label_errors import doubted_labels
from training.data.row_issues import Labelled

WORDS = "parcel order refund invoice card late broken missing twice monday address account".split()


def rows(labels: list[str], said: list[str]) -> list[Labelled]:
    chosen = random.Random(7)
    return [
        Labelled(
            Place("a.csv", line),
            Example(f"{word} {word} {' '.join(chosen.choices(WORDS, k=3))}", label, None, str(line)),
        )
        for line, (label, word) in enumerate(zip(labels, said, strict=True), start=1)
    ]


def test_exchanged_labels_are_doubted_with_both_shares_and_no_others() -> None:
    said = [("apple", "pear", "plum")[number % 3] for number in range(180)]
    labels = list(said)
    labels[10], labels[50] = "plum", "apple"
    doing: list[str] = []
    found = list(doubted_labels(rows(labels, said), doing.append))
    assert {of.place.line for of in found} == {11, 51}
    assert "has 'plum', which a model that has not seen the row gives" in found[0].told
    assert "it gives 'pear'" in found[0].told
    assert len(doing) == 3


def test_one_label_alone_is_never_doubted() -> None:
    assert list(doubted_labels(rows(["a"] * 10, ["x"] * 10), lambda _: None)) == []


def test_a_label_of_one_row_does_not_stop_the_others() -> None:
    labels = ["apple", "pear"] * 20 + ["odd"]
    assert [of for of in doubted_labels(rows(labels, labels), lambda _: None) if of.place.line <= 40] == []
