from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.errors import DataError
from training.data.examples import Example
from training.data.row_parser import SplitPart
from training.data.splits import Splits, assign_folds, split
from training.profiles.profile import SplitSection

SHARES = SplitSection(train=0.5, stacking=0.1, calibration=0.2, test=0.2, most_held_out=1000)
OUT_OF_FOLD = SplitSection(train=0.6, stacking=0, calibration=0.2, test=0.2, most_held_out=1000)


def examples(groups_per_intent: int, rows_per_group: int = 1, intents: int = 3) -> list[Example]:
    return [
        Example(f"text {row}", f"intent-{intent}", None, f"{intent}-{group}")
        for intent in range(intents)
        for group in range(groups_per_intent)
        for row in range(rows_per_group)
    ]


def sizes(parts: Splits) -> tuple[int, int, int, int]:
    return len(parts.train), len(parts.stacking), len(parts.calibration), len(parts.test)


def marked(part: SplitPart | None, count: int, prefix: str) -> list[Example]:
    return [replace(example, part=part, group=f"{prefix}{example.group}") for example in examples(count)]


@given(st.integers(5, 30), st.integers(1, 3), st.integers(0, 99))
def test_every_row_is_on_exactly_one_side_and_groups_stay_together(groups: int, rows: int, seed: int) -> None:
    data = examples(groups, rows)
    parts = split(data, SHARES, seed)
    sides = [set(parts.train), set(parts.stacking), set(parts.calibration), set(parts.test)]
    assert sorted(row for side in sides for row in side) == list(range(len(data)))
    for side in sides:
        here = {data[row].group for row in side}
        assert all(data[row].group not in here for other in sides if other is not side for row in other)


def test_each_intent_is_shared_out_by_the_shares() -> None:
    parts = split(examples(50), SHARES, seed=1)
    assert sizes(parts) == (75, 15, 30, 30)
    assert sizes(split(examples(50), OUT_OF_FOLD, seed=1)) == (90, 0, 30, 30)
    again = split(examples(50), SHARES, seed=1)
    assert (parts.test == again.test).all()
    assert not (parts.test == split(examples(50), SHARES, seed=2).test).all()


@given(st.integers(5, 30), st.integers(1, 3), st.integers(2, 5))
def test_folds_keep_groups_together_and_are_balanced(groups: int, rows: int, count: int) -> None:
    data = examples(groups, rows)
    assigned = assign_folds(data, count, seed=3)
    by_group = {example.group: {int(f) for e, f in zip(data, assigned) if e.group == example.group} for example in data}
    assert all(len(result) == 1 for result in by_group.values())
    sizes = np.bincount(assigned, minlength=count)
    assert sizes.max() - sizes.min() <= 3 * rows


def test_an_intent_with_too_few_groups_is_named() -> None:
    data = [*examples(6), Example("x", "rare", None, "r1"), Example("y", "rare", None, "r1")]
    with pytest.raises(DataError, match="intent rare"):
        split(data, SHARES, seed=1)


def test_the_split_of_the_data_is_kept_where_it_has_one() -> None:
    data = [*marked("train", 40, "a"), *marked("calibration", 12, "b"), *marked("test", 20, "c")]
    parts = split(data, SHARES, seed=1)
    assert {data[row].part for row in parts.train} == {"train"}
    assert {data[row].part for row in [*parts.stacking, *parts.calibration]} == {"calibration"}
    assert {data[row].part for row in parts.test} == {"test"}
    assert sizes(parts) == (120, 12, 24, 60)


def test_without_validation_rows_some_training_rows_are_held_out_and_none_is_tested_on() -> None:
    data = [*marked("train", 40, "a"), *marked("test", 20, "c")]
    parts = split(data, SHARES, seed=1)
    assert {data[row].part for row in [*parts.train, *parts.stacking, *parts.calibration]} == {"train"}
    assert sizes(parts) == (75, 15, 30, 60)


def test_no_more_is_held_out_than_the_most() -> None:
    data = [*marked("train", 1000, "a"), *marked("test", 20, "c")]
    few = SHARES.model_copy(update={"most_held_out": 150})
    assert sizes(split(data, few, seed=1)) == (2700, 150, 150, 60)


def test_out_of_scope_messages_are_not_used_to_train_base_models() -> None:
    strange = [Example(f"strange {row}", None, None, f"strange-{row}", out_of_scope=True) for row in range(50)]
    data = [*examples(50), *strange]
    parts = split(data, SHARES, seed=1)
    assert not any(data[row].out_of_scope for row in parts.train)
    assert sum(data[row].out_of_scope for row in parts.stacking) == 20
    assert sum(data[row].out_of_scope for row in parts.calibration) == 20
    assert any(data[row].out_of_scope for row in split(data, OUT_OF_FOLD, seed=1).train)


def test_an_intent_of_test_rows_alone_needs_no_others() -> None:
    near = [
        Example(f"near {row}", None, None, f"n{row}", out_of_scope=True, part="test", near=True) for row in range(3)
    ]
    parts = split([*examples(10), *near], SHARES, seed=1)
    assert {30, 31, 32} <= set(parts.test)


def test_withheld_intents_leave_the_other_messages_out_of_scope_their_share_of_the_test() -> None:
    near = [
        Example(f"near {row}", None, None, f"n{row}", out_of_scope=True, part="test", near=True) for row in range(3)
    ]
    far = [Example(f"far {row}", None, None, f"f{row}", out_of_scope=True) for row in range(20)]
    data = [*examples(10), *near, *far]
    tested = [data[row] for row in split(data, SHARES, seed=1).test]
    assert sum(row.near for row in tested) == 3
    assert sum(row.out_of_scope and not row.near for row in tested) == 4


def test_an_intent_that_no_row_teaches_is_named() -> None:
    data = [*examples(10), *(Example(f"new {row}", "new", None, f"n{row}", part="test") for row in range(9))]
    with pytest.raises(DataError, match="no training message for intent new"):
        split(data, SHARES, seed=1)


def test_one_intent_alone_is_nothing_to_tell_apart() -> None:
    with pytest.raises(DataError, match="all of one intent"):
        split(examples(20, intents=1), SHARES, seed=1)
