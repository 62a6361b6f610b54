"""Acknowledged requests are stored, whatever fails: the short form of each scenario.

`make faults` runs the long forms. `make test` leaves out the scenarios that are marked as nightly.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from model_store.bundle import Bundle
from tests.faults.outcome import Resources, Scenario
from tests.faults.scenarios import SCENARIOS


@pytest.fixture
def resources(tiny_bundle: Bundle, tmp_path: Path, request: pytest.FixtureRequest) -> Resources:
    def real(name: str) -> Any:
        return request.getfixturevalue(name)

    return Resources(tiny_bundle, tmp_path, lambda: real("postgresql"), lambda: real("redis_server"), print)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "scenario",
    [pytest.param(each, id=each.slug, marks=[pytest.mark.nightly] if each.nightly else []) for each in SCENARIOS],
)
def test_every_acknowledged_request_is_stored_exactly_once(scenario: Scenario, resources: Resources) -> None:
    if (reason := scenario.missing()) is not None:
        pytest.skip(reason)
    outcome = scenario.run(resources, scenario.short)
    assert outcome.failures() == []
    assert outcome.verdict.acknowledged >= 200
