"""The calculation of the capacity estimate, with round numbers."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.capacity import (
    Assumptions,
    MeasuredCosts,
    estimate_on_cpus,
    estimate_requirements,
    estimate_with_gpus,
    gpu_texts_per_s,
)

ASSUMPTIONS = Assumptions(
    requests_per_s=10_000, cores_per_machine=10, busy_share=0.5, spare_machines=1, encoder_share=0.75
)


def run(*names: str) -> dict[str, Any]:
    rows = [
        {"name": name, "concurrency": 64, "rss_mb": 1300.0, "cpu_ms_per_text": {"median": cost}}
        for name, cost in zip(names, (4.0, 5.0), strict=False)
    ]
    return {
        "closed": rows,
        "workers": 2,
        "kernel_reference": "32",
        "kernel": {"32": {"cpu_ms_per_text": {"median": 3.0}}},
    }


def test_machines_are_busy_cores_divided_by_the_busy_share_plus_spare() -> None:
    need = estimate_on_cpus("understood", cpu_ms=4.0, assumptions=ASSUMPTIONS)

    assert (need.cores, need.machines, need.gpus) == (40.0, 9, 0)


def test_a_fraction_of_a_machine_counts_as_a_machine() -> None:
    assert estimate_on_cpus("understood", cpu_ms=4.001, assumptions=ASSUMPTIONS).machines == 10


def test_a_gpu_takes_the_encoders_share_of_the_models_and_nothing_else() -> None:
    assert estimate_with_gpus("understood", cpu_ms=4.0, models_ms=3.2, assumptions=ASSUMPTIONS).cores == pytest.approx(
        16.0
    )


def test_each_gpu_needs_a_machine() -> None:
    slow = Assumptions(requests_per_s=10_000, cores_per_machine=64, gpu_tflops=5.0)
    need = estimate_with_gpus("understood", cpu_ms=4.0, models_ms=3.2, assumptions=slow)

    assert need.machines == need.gpus > 10


def test_texts_per_second_of_a_gpu_follow_from_its_operations() -> None:
    assert gpu_texts_per_s(Assumptions(gpu_tflops=100, gpu_use=0.5)) == pytest.approx(5e13 / (2 * 10.6e6 * 20 * 2))


def test_every_row_with_gpus_is_marked_as_not_measured() -> None:
    needs = estimate_requirements(MeasuredCosts.of(run("understand", "understand, stored")), ASSUMPTIONS)

    assert [("not measured" in need.what) for need in needs] == [need.gpus > 0 for need in needs]
    assert needs[1].machines > needs[0].machines


def test_a_run_without_stored_requests_is_refused_with_the_remedy() -> None:
    with pytest.raises(SystemExit, match="--only stored"):
        MeasuredCosts.of(run("understand"))
