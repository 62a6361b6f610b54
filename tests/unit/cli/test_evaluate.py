from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from model_store.bundle import Bundle

ROWS = "text,category\nwhere is my parcel,track_order\ncancel my order,cancel_order\nmy card was eaten,card_swallowed\n"


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    path = tmp_path / "a.csv"
    path.write_text(ROWS)
    return path


def test_a_version_and_a_path_give_the_same_metrics(
    home: Path, tiny_bundle: Bundle, labelled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRONTDESK_HOME", str(home))
    output = []
    for bundle in (tiny_bundle.version, str(tiny_bundle.path)):
        command = ["evaluate", bundle, "--data", str(labelled), "--intent", "category", "--json"]
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0
        output.append(json.loads(result.stdout))
    assert output[0]["figures"] == output[1]["figures"]
    assert (output[0]["version"], output[0]["unknown"]) == (tiny_bundle.version, {"card_swallowed": 1})


def test_labels_that_the_bundle_lacks_are_listed_by_name_and_count(tiny_bundle: Bundle, labelled: Path) -> None:
    command = ["evaluate", str(tiny_bundle.path), "--data", str(labelled), "--intent", "category"]
    left_out = CliRunner().invoke(app, command).stdout
    assert "left out of the intent metrics: card_swallowed (1)" in left_out
    assert "track_order" in left_out
    assert "No row has a label for sentiment" in left_out
    counted = CliRunner().invoke(app, [*command, "--unknown-is-out-of-scope"]).stdout
    assert "counted as out of scope: card_swallowed (1)" in counted


def test_data_with_a_split_is_evaluated_on_its_test_rows_and_the_output_says_so(
    tiny_bundle: Bundle, tmp_path: Path
) -> None:
    (tmp_path / "train.csv").write_text(ROWS)
    (tmp_path / "test.csv").write_text("text,category\nwhere did my parcel go,track_order\n")
    command = ["evaluate", str(tiny_bundle.path), "--data", str(tmp_path), "--intent", "category"]
    tested = CliRunner().invoke(app, command).stdout
    assert "The 1 test rows of 4; with --all every row." in tested
    assert "on 1 messages" in tested
    everything = CliRunner().invoke(app, [*command, "--all"]).stdout
    assert ("on 4 messages" in everything, "test rows" in everything) == (True, False)


def test_labels_that_are_all_unknown_or_missing_are_reported_without_a_traceback(
    tiny_bundle: Bundle, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    for rows, message in (
        (
            "text,intent\nhello there,[/BILLING]\nwhat now,[/BILLING]\n",
            "left out of the intent metrics: [/BILLING] (2)",
        ),
        ("text,sentiment\nso bad,Negative\nso good,positive\nnan,neutral\n", "No row has a label for intent"),
    ):
        path.write_text(rows)
        for flags in ([], ["--json"]):
            result = CliRunner().invoke(app, ["evaluate", str(tiny_bundle.path), "--data", str(path), *flags])
            assert result.exit_code == 0, result.output
            assert flags or message in result.stdout
    assert "has no text and is not used" in result.stderr
