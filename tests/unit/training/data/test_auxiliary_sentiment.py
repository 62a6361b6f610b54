from __future__ import annotations

from collections import Counter

import pytest

from frontdesk.taxonomy import SENTIMENTS
from training.data.auxiliary_sentiment import is_auxiliary_sentiment_row, select_sentiment_rows
from training.data.examples import Example


@pytest.fixture(scope="module")
def rows() -> tuple[Example, ...]:
    """300 rows; to choose them the whole starter corpus is masked."""
    return select_sentiment_rows((), 300, seed=1)


def test_as_many_of_each_sentiment_and_no_intent(rows: tuple[Example, ...]) -> None:
    assert Counter(row.sentiment for row in rows) == dict.fromkeys(SENTIMENTS, 100)
    assert all(row.intent is None and not row.out_of_scope for row in rows)
    assert all(is_auxiliary_sentiment_row(row) for row in rows)
    assert not is_auxiliary_sentiment_row(Example("mine", "a", "neutral", "starter-1"))


def test_every_part_has_some_of_each_sentiment(rows: tuple[Example, ...]) -> None:
    by_part = Counter((row.part, row.sentiment) for row in rows)
    assert {by_part["test", sentiment] for sentiment in SENTIMENTS} == {20}
    assert {by_part["calibration", sentiment] for sentiment in SENTIMENTS} == {20}
    assert {by_part["train", sentiment] for sentiment in SENTIMENTS} == {60}


def test_the_seed_chooses(rows: tuple[Example, ...]) -> None:
    assert select_sentiment_rows((), 300, seed=1) == rows
    assert select_sentiment_rows((), 300, seed=2) != rows


def test_only_the_sentiments_that_are_missing_are_borrowed() -> None:
    own = [Example(f"text {row}", "a", "negative" if row % 2 else "neutral", f"{row}") for row in range(60)]
    assert {row.sentiment for row in select_sentiment_rows(own, 300, seed=1)} == {"positive"}
    every = [*own, *(Example(f"good {row}", "a", "positive", f"g{row}") for row in range(20))]
    assert select_sentiment_rows(every, 300, seed=1) == ()
