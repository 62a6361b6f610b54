"""Batches of the bare loop, and the sum over parallel processes."""

from __future__ import annotations

import pytest

from benchmarks.kernel import LoopResult, RoundResult, group_by_length

TEXTS = ["x" * length for length in (9, 1, 8, 2, 7, 3, 6, 4)]


def test_texts_are_sorted_only_within_a_group() -> None:
    lengths = [[len(text) for text in group] for group in group_by_length(TEXTS, 2, sorted_texts=4)]

    assert lengths == [[1, 2], [8, 9], [3, 4], [6, 7]]


def test_every_text_is_run_once_for_any_batch_size() -> None:
    for batch in (1, 3, 32):
        groups = group_by_length(TEXTS, batch, sorted_texts=8)
        assert sorted(text for group in groups for text in group) == sorted(TEXTS)
        assert max(map(len, groups)) <= batch


def test_processes_add_up_to_the_machine() -> None:
    both = RoundResult.of([LoopResult(100, 1.0, 0.9, [0.01]), LoopResult(50, 1.0, 0.6, [0.02, 0.03])])

    assert both.texts_per_s == pytest.approx(150)
    assert both.cpu_ms_per_text == pytest.approx(10)
    assert both.call_p50_ms == pytest.approx(20)
