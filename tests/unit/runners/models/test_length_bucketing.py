from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runners.models.length_bucketing import ON_CPU, ON_GPU, TextGroupingLimits, group_by_length

lengths = st.lists(st.integers(1, 512), max_size=100)


def cost(groups: list[list[int]], of: list[int], grouping: TextGroupingLimits) -> int:
    return sum(len(group) * max(of[place] for place in group) + grouping.call_cost for group in groups)


def test_texts_of_one_length_run_together() -> None:
    assert group_by_length([9, 9, 9], ON_CPU) == [[0, 1, 2]]


def test_a_long_text_does_not_make_short_ones_longer() -> None:
    assert group_by_length([8, 80, 9, 82], ON_CPU) == [[0, 2], [1, 3]]


def test_a_gpu_pads_rather_than_calling_again() -> None:
    assert group_by_length([8, 40, 9, 42], ON_GPU) == [[0, 2, 1, 3]]


def test_no_texts_make_no_groups() -> None:
    assert group_by_length([], ON_CPU) == []


@given(lengths, st.sampled_from([ON_CPU, ON_GPU]))
def test_every_text_is_in_one_group_and_none_is_too_large(of: list[int], grouping: TextGroupingLimits) -> None:
    groups = group_by_length(of, grouping)
    assert sorted(place for group in groups for place in group) == list(range(len(of)))
    assert all(len(group) <= grouping.max_texts for group in groups)


@given(st.lists(st.integers(1, 512), min_size=1, max_size=100))
def test_groups_cost_no_more_than_every_text_alone(of: list[int]) -> None:
    alone = [[place] for place in range(len(of))]
    assert cost(group_by_length(of, ON_CPU), of, ON_CPU) <= cost(alone, of, ON_CPU)
