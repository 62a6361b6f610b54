"""Median and range of rounds; ratios within a round."""

from __future__ import annotations

from benchmarks.spread import Spread, ratios


def test_the_middle_round_is_the_figure_and_the_others_its_range() -> None:
    assert Spread.of([3.0, 1.0, 10.0]) == Spread(median=3.0, least=1.0, most=10.0)


def test_a_machine_that_slows_down_between_rounds_does_not_change_a_ratio() -> None:
    assert ratios([1.0, 2.0, 4.0], [2.0, 4.0, 8.0]) == Spread(0.5, 0.5, 0.5)


def test_a_figure_is_written_with_its_range() -> None:
    assert f"{Spread(2.0, 1.0, 3.5):.1f}" == "2.0 (1.0-3.5)"
