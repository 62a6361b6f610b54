"""What a server spent between two readings."""

from __future__ import annotations

import pytest

from benchmarks.server import spent_s


def test_all_processes_count_also_those_that_came_later() -> None:
    assert spent_s({1: 2.0, 2: 3.0}, {1: 2.5, 2: 3.25, 3: 1.0}) == pytest.approx(1.75)


def test_a_process_that_ended_leaves_no_figure() -> None:
    with pytest.raises(RuntimeError, match="ended while they were measured"):
        spent_s({1: 2.0, 2: 3.0}, {1: 2.5})
