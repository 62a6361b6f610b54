"""Median and range of rounds, ratios within a round, and output of a run."""

from __future__ import annotations

import json

import pytest

from benchmarks.results import RoundStats, print_result, print_table, ratios_by_round, result_line


def test_rounds_have_median_minimum_and_maximum() -> None:
    assert RoundStats.of([3.0, 1.0, 10.0]) == RoundStats(median=3.0, least=1.0, most=10.0)


def test_a_machine_that_slows_down_between_rounds_does_not_change_a_ratio() -> None:
    assert ratios_by_round([1.0, 2.0, 4.0], [2.0, 4.0, 8.0]) == RoundStats(0.5, 0.5, 0.5)


def test_a_value_is_formatted_with_its_range() -> None:
    assert f"{RoundStats(2.0, 1.0, 3.5):.1f}" == "2.0 (1.0-3.5)"


def test_nan_is_null_in_the_result_line() -> None:
    result = {
        "overload": {"refused_p99_ms": float("nan"), "seconds": ({"p95_ms": 1.5},)},
        "gain": RoundStats(2.0, 1.0, 3.0),
    }

    assert json.loads(result_line(result)) == {
        "overload": {"refused_p99_ms": None, "seconds": [{"p95_ms": 1.5}]},
        "gain": {"median": 2.0, "least": 1.0, "most": 3.0},
    }


def test_a_result_names_its_benchmark_and_the_machine(capsys: pytest.CaptureFixture[str]) -> None:
    print_result("kernel", {"rounds": 2})
    result = json.loads(capsys.readouterr().out)

    assert (result["benchmark"], result["rounds"]) == ("kernel", 2)
    assert result["machine"]["cores"] >= 1


def test_a_table_shows_each_kind_of_value(capsys: pytest.CaptureFixture[str]) -> None:
    columns = [("name", "name", ""), ("gain", "gain", ".1f"), ("cost", "cost", ".2f"), ("kept", "kept", "")]
    rows = [
        {"name": "cold", "gain": RoundStats(2.0, 1.0, 3.0), "cost": 4.0, "kept": True},
        {"name": "hot", "gain": {"median": 5.0, "least": 4.0, "most": 6.0}, "kept": False},
    ]
    print_table("Cache", columns, rows)
    cells = [line.strip()[1:-1].split("│") for line in capsys.readouterr().out.splitlines() if line.startswith("│")]

    assert [[cell.strip() for cell in row] for row in cells] == [
        ["cold", "2.0", "4.00", "yes"],
        ["", "1.0-3.0", "", ""],
        ["hot", "5.0", "-", "no"],
        ["", "4.0-6.0", "", ""],
    ]
