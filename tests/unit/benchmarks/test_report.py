"""Targets, tables and plots of a run, from its JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.report import TargetCheck, check_targets, draw_plots, print_report


def spread(median: float) -> dict[str, float]:
    return {"median": median, "least": median, "most": median}


def row(name: str, concurrency: int, efficiency: float, cpu_ms: float = 5.0, p50_ms: float = 8.0) -> dict[str, Any]:
    figures = {"efficiency": efficiency, "cpu_ms_per_text": cpu_ms, "p50_ms": p50_ms}
    return {
        "name": name,
        "concurrency": concurrency,
        "rss_mb": 1300.0,
        **{key: spread(value) for key, value in figures.items()},
    }


def run(**parts: Any) -> dict[str, Any]:
    return {
        "closed": [row("understand", 1, 0.9), row("understand", 64, 0.82)],
        "kernel": {"alone": {"call_p50_ms": spread(6.0)}},
        "ready_s": 7.0,
        **parts,
    }


def find_target(run_result: dict[str, Any], start: str) -> TargetCheck:
    (promise,) = [each for each in check_targets(run_result) if each.what.startswith(start)]
    return promise


def test_targets_of_groups_that_were_not_run_are_not_checked() -> None:
    assert [promise.what.partition(",")[0] for promise in check_targets(run())] == [
        "kernel CPU / server CPU per text",
        "p50 at concurrency 1",
        "memory of all processes",
        "ready after",
    ]


@pytest.mark.parametrize(("efficiency", "met"), [(0.80, True), (0.79, False)])
def test_the_efficiency_target_is_met_from_080(efficiency: float, met: bool) -> None:
    run_result = run(closed=[row("understand", 1, 0.9), row("understand", 64, efficiency)])

    assert find_target(run_result, "kernel CPU").met is met


def test_a_single_request_may_take_three_milliseconds_more_than_its_text_alone() -> None:
    assert find_target(run(), "p50 at").target == 9.0
    assert not find_target(run(closed=[row("understand", 1, 0.9, p50_ms=9.1)]), "p50 at").met


def test_grpc_is_compared_with_http_at_the_same_concurrency() -> None:
    run_result = run(closed=[row("understand", 64, 0.8, cpu_ms=5.0), row("understand, gRPC", 64, 0.8, cpu_ms=5.6)])

    assert find_target(run_result, "server CPU").measured == pytest.approx(1.12)
    assert not find_target(run_result, "server CPU").met


@pytest.mark.parametrize("recovered", [None, 11])
def test_a_server_that_recovers_too_late_or_never_misses_the_target(recovered: int | None) -> None:
    overload = {"share_of_peak": 0.9, "refused_p99_ms": 20.0, "livez_p99_ms": 30.0, "recovered_s": recovered}

    assert [promise.met for promise in check_targets(run(overload=overload)) if "recovered" in promise.what] == [False]


def test_a_missing_value_does_not_meet_the_target() -> None:
    overload = {"share_of_peak": 0.9, "refused_p99_ms": float("nan"), "livez_p99_ms": 30.0, "recovered_s": 0}

    assert not find_target(run(overload=overload), "99th percentile of refusals").met


def test_memory_may_fill_up_in_the_first_minute_but_not_grow_after_it() -> None:
    soak = [{"rss_mb": memory} for memory in (1000.0, 1200.0, 1205.0, 1300.0)]

    assert find_target(run(soak=soak[:3]), "growth").met
    assert find_target(run(soak=soak), "growth").measured == 100.0


def test_each_part_of_the_run_is_a_png(tmp_path: Path) -> None:
    figure = {"median": 0.8, "least": 0.7, "most": 0.9}
    run_result: dict[str, Any] = {
        "placement": "embedded",
        "peak_per_s": 100.0,
        "closed": [{"name": "understand", "concurrency": 64, "efficiency": figure}],
        "open": [{"share": share, "p50_ms": figure, "p95_ms": figure, "p99_ms": figure} for share in (0.5, 1.2)],
    }
    paths = draw_plots(run_result, tmp_path)

    assert [file.name for file in paths] == ["efficiency.png", "latency.png"]
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in paths)
    assert sorted(tmp_path.iterdir()) == sorted(paths)


def test_a_run_is_printed_with_its_machine_its_rows_and_its_targets(capsys: pytest.CaptureFixture[str]) -> None:
    where = {"processor": "a processor", "cores": 2, "commit": "abc", "load_before": 0.1}
    described = {"bundle": "v1", "workers": 2, "placement": "embedded", "kernel_reference": "alone"}
    print_report(run(machine=where, **described))
    printed = capsys.readouterr().out

    assert "a processor, 2 cores, commit abc" in printed
    assert "single texts, one process (the reference)" in printed
    assert "kernel CPU / server CPU per text, understand at 64" in printed
