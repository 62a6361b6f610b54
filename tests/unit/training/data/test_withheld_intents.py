from __future__ import annotations

from dataclasses import replace

import pytest

from frontdesk.errors import DataError
from training.data.examples import Example
from training.data.withheld_intents import sample_intents, withhold_from_training

ROWS = tuple(Example(f"{name} {number}", name, None, f"{name}{number}") for name in "abcd" for number in range(3))


def test_withheld_rows_test_out_of_scope_and_keep_their_words_and_groups() -> None:
    result = withhold_from_training(ROWS, ["b"])
    assert result[3] == Example("b 0", None, None, "b0", out_of_scope=True, part="test", near=True)
    assert (result[:3], result[6:]) == (ROWS[:3], ROWS[6:])


def test_withheld_rows_that_the_data_trains_or_calibrates_on_are_left_out() -> None:
    parts = ("train", "calibration", "test")
    rows = tuple(replace(row, part=parts[number % 3]) for number, row in enumerate(ROWS))
    result = withhold_from_training(rows, {"b", "c"})
    assert [row.text for row in result if row.near] == ["b 2", "c 2"]
    assert len(result) == 8


def test_out_of_scope_rows_of_the_data_are_not_near() -> None:
    far = Example("joke", None, None, "j", out_of_scope=True, part="test")
    assert withhold_from_training((*ROWS, far), ["a"])[-1] == far


def test_an_intent_that_no_row_has_is_refused_with_those_it_might_be() -> None:
    rows = (*ROWS, Example("x", "track_order", None, "x"))
    with pytest.raises(DataError, match="'track_ordr'") as refused:
        withhold_from_training(rows, ["track_ordr"])
    assert "track_order" in refused.value.hint


def test_at_least_two_intents_are_left() -> None:
    with pytest.raises(DataError, match="at least 2 must be left"):
        withhold_from_training(ROWS, ["a", "b", "c"])


def test_a_share_is_sampled_by_the_seed_regardless_of_the_order_of_the_rows() -> None:
    sampled = {sample_intents(ROWS, 0.5, seed) for seed in range(20)}
    assert {len(names) for names in sampled} == {2}
    assert len(sampled) > 2
    assert sample_intents(ROWS[::-1], 0.5, 3) == sample_intents(ROWS, 0.5, 3)
    assert len(sample_intents(ROWS, 0.01, 3)) == 1
