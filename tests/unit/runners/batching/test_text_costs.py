from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from runners.batching.text_costs import MEASURED_CHARACTERS, TextCosts, measure_text_costs


@pytest.mark.parametrize(
    ("characters", "seconds"), [(1, 0.01), (10, 0.01), (60, 0.06), (110, 0.11), (555, 0.155), (1000, 0.2), (9999, 0.2)]
)
def test_costs_are_linear_between_the_measured_lengths_and_constant_outside(characters: int, seconds: float) -> None:
    costs = TextCosts([(10, 0.01), (110, 0.11), (1000, 0.2)])
    assert costs.seconds(characters) == pytest.approx(seconds)


def test_each_length_is_measured_with_one_text_of_that_length() -> None:
    lengths: list[int] = []

    def run(texts: Sequence[str]) -> None:
        (text,) = texts
        lengths.append(len(text))
        time.sleep(0.02 if len(text) > 1000 else 0.001)

    costs = measure_text_costs(run)
    assert sorted(set(lengths)) == list(MEASURED_CHARACTERS)
    assert 0.001 <= costs.seconds(20) < 0.02 <= costs.seconds(4000)


def test_a_longer_text_never_costs_less() -> None:
    def run(texts: Sequence[str]) -> None:
        time.sleep(0.01 if len(texts[0]) < 100 else 0.0)

    costs = measure_text_costs(run)
    assert costs.seconds(20) <= costs.seconds(600) <= costs.seconds(4000)
