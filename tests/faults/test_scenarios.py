"""Acknowledged means kept, whatever fails: the short form of every scenario. `make faults` runs the long ones.

`make test` leaves out the scenarios that are marked as nightly.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from model_store.bundle import Bundle
from tests.faults.outcome import Grounds, Scenario
from tests.faults.scenarios import SCENARIOS


@pytest.fixture
def grounds(tiny_bundle: Bundle, tmp_path: Path, request: pytest.FixtureRequest) -> Grounds:
    def real(name: str) -> Any:
        return request.getfixturevalue(name)

    return Grounds(tiny_bundle, tmp_path, lambda: real("postgresql"), lambda: real("redis_server"), print)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "scenario",
    [pytest.param(each, id=each.slug, marks=[pytest.mark.nightly] if each.nightly else []) for each in SCENARIOS],
)
def test_every_acknowledged_request_is_kept_exactly_once(scenario: Scenario, grounds: Grounds) -> None:
    if (reason := scenario.missing()) is not None:
        pytest.skip(reason)
    outcome = scenario.play(grounds, scenario.short)
    assert outcome.complaints() == []
    assert outcome.verdict.acknowledged >= 200
