from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.errors import DataError
from training.data import Example
from training.profile import Split
from training.splits import folds, split

SHARES = Split(train=0.6, calibration=0.2, test=0.2)


def examples(groups_per_intent: int, rows_per_group: int = 1, intents: int = 3) -> list[Example]:
    return [
        Example(f"text {row}", f"intent-{intent}", None, f"{intent}-{group}")
        for intent in range(intents)
        for group in range(groups_per_intent)
        for row in range(rows_per_group)
    ]


@given(st.integers(5, 30), st.integers(1, 3), st.integers(0, 99))
def test_every_row_is_on_exactly_one_side_and_groups_stay_together(groups: int, rows: int, seed: int) -> None:
    data = examples(groups, rows)
    parts = split(data, SHARES, seed)
    sides = [set(parts.train), set(parts.calibration), set(parts.test)]
    assert sorted(row for side in sides for row in side) == list(range(len(data)))
    for side in sides:
        here = {data[row].group for row in side}
        assert all(data[row].group not in here for other in sides if other is not side for row in other)


def test_each_intent_is_shared_out_by_the_shares() -> None:
    parts = split(examples(50), SHARES, seed=1)
    assert (len(parts.train), len(parts.calibration), len(parts.test)) == (90, 30, 30)
    again = split(examples(50), SHARES, seed=1)
    assert (parts.test == again.test).all()
    assert not (parts.test == split(examples(50), SHARES, seed=2).test).all()


@given(st.integers(5, 30), st.integers(1, 3), st.integers(2, 5))
def test_folds_keep_groups_together_and_are_balanced(groups: int, rows: int, count: int) -> None:
    data = examples(groups, rows)
    assigned = folds(data, count, seed=3)
    by_group = {example.group: {int(f) for e, f in zip(data, assigned) if e.group == example.group} for example in data}
    assert all(len(found) == 1 for found in by_group.values())
    sizes = np.bincount(assigned, minlength=count)
    assert sizes.max() - sizes.min() <= 3 * rows


def test_an_intent_with_too_few_groups_is_named() -> None:
    data = [*examples(6), Example("x", "rare", None, "r1"), Example("y", "rare", None, "r1")]
    with pytest.raises(DataError, match="intent rare"):
        split(data, SHARES, seed=1)
