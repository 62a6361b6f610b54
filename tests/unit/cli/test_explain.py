"""`frontdesk explain` shows the decision as it was made, and stores nothing."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from cli.explain import explain_query
from cli.explanation_panel import explanation_panel
from cli.main import app
from frontdesk.decision.priority import STARTER_POLICY, PriorityPolicy
from frontdesk.errors import InvalidQuery
from frontdesk.types import CustomerTier, Query, Reason
from model_store.bundle import Bundle
from runners.ensemble.ensemble import Ensemble

MESSAGE = "my card was stolen!! I wrote from tom@example.com about order 48213"


@pytest.fixture(scope="module")
def ensemble(tiny_bundle: Bundle) -> Ensemble:
    return Ensemble.load(tiny_bundle)


@pytest.fixture
def explanation(ensemble: Ensemble) -> dict[str, Any]:
    """The output of `--json`, which is the input of the panel."""
    query = Query(MESSAGE, customer_tier=CustomerTier.PREMIUM)
    plain_data = explain_query(query, ensemble, PriorityPolicy.read(STARTER_POLICY), max_plausible_to_clarify=3)
    explanation_values: dict[str, Any] = json.loads(json.dumps(plain_data))
    return explanation_values


def drawn(explanation: dict[str, Any]) -> str:
    page = io.StringIO()
    Console(file=page, width=120).print(explanation_panel(explanation))
    return page.getvalue()


def test_the_message_is_shown_masked(explanation: dict[str, Any]) -> None:
    assert explanation["read_as"] == "my card was stolen!! I wrote from [EMAIL_1] about order [ORDER_1]"
    assert "tom@example.com" not in drawn(explanation)


def test_the_parts_of_the_priority_add_up_and_the_level_is_the_highest_whose_limit_is_reached(
    explanation: dict[str, Any],
) -> None:
    priority = explanation["priority"]

    assert round(sum(part["points"] for part in priority["parts"]), 1) == priority["score"]
    *_, level = (level for level, least in priority["levels"].items() if least <= priority["score"])
    assert level == priority["level"]
    assert {"cues.security", "tier.premium"} <= {part["name"] for part in priority["parts"]}


def test_every_reason_is_listed_and_those_that_apply_come_first(explanation: dict[str, Any]) -> None:
    applies = [rule["applies"] for rule in explanation["decision"]["rules"]]

    assert {rule["reason"] for rule in explanation["decision"]["rules"]} == set(Reason)
    assert applies == sorted(applies, reverse=True)
    assert any(applies)


def test_each_value_has_the_threshold_of_the_bundle(explanation: dict[str, Any], ensemble: Ensemble) -> None:
    calibration = ensemble.calibration

    assert explanation["out_of_scope"]["threshold"] == calibration.out_of_scope_threshold
    assert explanation["plausible"]["coverage"] == calibration.conformal_coverage
    assert explanation["automation"]["max_error"] == calibration.max_error
    assert [member["name"] for member in explanation["members"]] == [member.name for member in ensemble.members]


def test_the_panel_names_members_parts_rules_and_what_would_change(explanation: dict[str, Any]) -> None:
    page = " ".join(drawn(explanation).replace("│", " ").split())

    for member in explanation["members"]:
        assert member["name"] in page
    for part in explanation["priority"]["parts"]:
        assert part["because"] in page
    for rule in explanation["decision"]["rules"]:
        assert (rule["because"] in page) is rule["applies"]
    for change in explanation["decision"]["would_change"]:
        assert f"{change['action']} instead, if {change['condition']}" in page


def test_a_decision_that_no_single_change_alters_says_so(explanation: dict[str, Any]) -> None:
    stuck = {**explanation, "decision": {**explanation["decision"], "would_change": []}}

    assert "no single change" in drawn(stuck)


def test_the_command_prints_one_json_object_and_stores_nothing(home: Path) -> None:
    outcome = CliRunner().invoke(app, ["explain", MESSAGE, "--json"], env={"FRONTDESK_HOME": str(home)})

    assert outcome.exit_code == 0, outcome.stderr
    assert json.loads(outcome.stdout)["read_as"].startswith("my card was stolen")
    assert not (home / "frontdesk.db").exists()


def test_without_an_argument_standard_input_is_the_message(home: Path) -> None:
    outcome = CliRunner().invoke(
        app, ["explain", "--json"], input="Hello,\nwhere is it?\n", env={"FRONTDESK_HOME": str(home)}
    )

    assert json.loads(outcome.stdout)["read_as"] == "Hello,\nwhere is it?"


@pytest.mark.parametrize("options", [[""], ["hello", "--waiting-since", "yesterday"]])
def test_what_the_api_refuses_is_refused_before_any_model_is_loaded(options: list[str], tmp_path: Path) -> None:
    outcome = CliRunner().invoke(app, ["explain", *options], env={"FRONTDESK_HOME": str(tmp_path)})

    assert isinstance(outcome.exception, InvalidQuery)
