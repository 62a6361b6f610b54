from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from model_store.bundle import Bundle


@pytest.fixture(autouse=True)
def _at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTDESK_HOME", str(home))


def test_a_version_compared_with_itself_shows_every_metric_and_no_intent(tiny_bundle: Bundle) -> None:
    result = CliRunner().invoke(app, ["compare", tiny_bundle.version, tiny_bundle.version])
    assert result.exit_code == 0, result.output
    for text in ("intent, accuracy", "sentiment, log loss", "+0.000 to +0.000", "may be chance", "Brier score, intent",
                 "A alone is right on 0, B alone on 0: p = 1.000", "MB", "No intent changes."):  # fmt: skip
        assert text in result.output
    assert not [
        line for line in result.output.splitlines() if len(line) > 80 and not line.startswith(("intent: ", "No "))
    ]


def test_the_json_holds_the_verdict_and_every_intent(tiny_bundle: Bundle) -> None:
    result = CliRunner().invoke(app, ["compare", tiny_bundle.version, tiny_bundle.version, "--json"])
    output = json.loads(result.stdout)
    assert {task["task"] for task in output["tasks"]} == {"intent", "sentiment"}
    assert {"low", "high", "champion", "challenger"} <= output["tasks"][0]["accuracy"].keys()
    assert {"adjusted", "champion_alone", "challenger_alone", "rows"} <= output["intents"][0].keys()
    assert len(output["intents"]) == len(tiny_bundle.manifest.intents) + 1  # and out of scope
    assert output["checks"][0]["name"] == "paired test"
