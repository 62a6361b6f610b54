"""Rows of the report from rounds of server and kernel."""

from __future__ import annotations

import pytest

from benchmarks.closed_loop import MAIN_CASE, SINGLE_CASE, LoadResult, Rounds
from benchmarks.kernel import RoundResult
from benchmarks.load import Load, parse_answers


def observed(cpu_s: float, answers: int = 10) -> LoadResult:
    lines = "".join(f"{number / 10} 200 0.1\n" for number in range(answers))
    return LoadResult(Load(*parse_answers(lines), 1.0, client_cpu_s=0.2), answers, cpu_s, rss_mb=1000.0)


ROUNDS = Rounds(
    served={MAIN_CASE.key: [observed(0.05), observed(0.10)], SINGLE_CASE.key: [observed(0.08), observed(0.16)]},
    kernel={
        "alone": [RoundResult(100.0, 6.0, 6.0), RoundResult(50.0, 12.0, 12.0)],
        "8": [RoundResult(200.0, 5.0, 40.0), RoundResult(100.0, 10.0, 80.0)],
        "32": [RoundResult(240.0, 4.0, 130.0), RoundResult(120.0, 8.0, 260.0)],
    },
)


def test_the_server_is_compared_with_the_cheapest_batch() -> None:
    assert ROUNDS.reference == "32"
    assert ROUNDS.row(MAIN_CASE)["efficiency"].median == pytest.approx(0.8)


def test_concurrency_one_is_compared_with_single_texts_in_one_process() -> None:
    assert ROUNDS.row(SINGLE_CASE)["efficiency"].median == pytest.approx(0.75)


def test_a_row_has_cost_speed_and_the_ratio_to_the_speed_of_the_kernel() -> None:
    row = ROUNDS.row(MAIN_CASE)

    assert row["cpu_ms_per_text"].least == pytest.approx(5)
    assert row["requests_per_s"].median == pytest.approx(10)
    assert row["wall_ratio"].most == pytest.approx(10 / 120)
    assert (row["refused"], row["failed"], row["client_cores"]) == (0, 0, pytest.approx(0.2))
