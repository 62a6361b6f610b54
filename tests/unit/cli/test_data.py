from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from frontdesk.errors import DataError
from frontdesk.taxonomy import Taxonomy

WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def labelled(path: Path, *more: str) -> Path:
    rows = [f"{word} {label} {word * 3},{label}" for label in ("apple", "pear") for word in WORDS]
    path.write_text("\n".join(["text,category", *rows, *more]) + "\n")
    return path


def test_notes_alone_leave_the_exit_code_at_0(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["data", "check", str(labelled(tmp_path / "a.csv")), "--intent", "category"])
    assert result.exit_code == 0
    assert "a.csv:2: note: 'apple' has 12 rows; 20 are few" in result.stdout
    assert "24 rows: 0 errors, 2 notes (2 small_intent)." in result.stdout


def test_a_row_that_cannot_be_used_is_listed_by_file_and_line_with_exit_code_1(tmp_path: Path) -> None:
    path = labelled(tmp_path / "a.csv", "a,b,c")
    result = CliRunner().invoke(app, ["data", "check", str(path), "--intent", "category", "--json"])
    assert result.exit_code == 1
    output = json.loads(result.stdout)
    assert (output["rows"], output["errors"], output["rules"]) == (25, 1, {"small_intent": 2, "unreadable": 1})
    assert output["complaints"][0] == {
        "file": "a.csv",
        "line": 26,
        "kind": "error",
        "rule": "unreadable",
        "told": "has 3 cells, the header has 2: is a quote missing?",
    }


def test_every_column_can_be_named_and_leaks_between_the_parts_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [f"{word} {label} {word * 3},{label},train,{label}-{word}" for label in ("apple", "oos") for word in WORDS]
    path.write_text("\n".join(["said,about,fold,thread", *rows, "one apple oneoneone,apple,test,again", ""]))
    flags = "--text said --intent about --split fold --group thread --out-of-scope oos".split()
    result = CliRunner().invoke(app, ["data", "check", str(path), *flags])
    assert "a.csv:26: note: says the same as a.csv:2, but is in test rows where that is in train rows" in result.stdout
    assert "'out_of_scope' has 12 rows" in result.stdout


def test_the_generated_taxonomy_is_valid(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["data", "taxonomy", str(labelled(tmp_path / "a.csv")), "--intent", "category"])
    (tmp_path / "taxonomy.yaml").write_text(result.stdout)
    assert Taxonomy.read(tmp_path / "taxonomy.yaml").intents_without_policy() == ("apple", "pear")
    assert "  apple:  # 12 rows" in result.stdout


@pytest.mark.parametrize("content", ["text,category\nhello,\nyou,nan\n", "\n \n", "text,category\n,apple\n"])
def test_a_file_without_usable_rows_is_an_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.csv").write_text(content)
    result = CliRunner().invoke(app, ["data", "check", str(tmp_path / "a.csv"), "--intent", "category"])
    assert result.exit_code == 1
    assert "no row has a message and a label" in result.stdout


def test_a_missing_out_of_scope_label_is_refused_as_in_training(tmp_path: Path) -> None:
    command = ["data", "check", str(labelled(tmp_path / "a.csv")), "--intent", "category", "--out-of-scope", "oos"]
    result = CliRunner().invoke(app, command)
    assert isinstance(result.exception, DataError)
    assert "No row of a.csv has the label 'oos'" in result.exception.message
    (tmp_path / "b.csv").write_text((tmp_path / "a.csv").read_text().replace("apple", "oos"))
    command[2] = str(tmp_path / "b.csv")
    assert "one_intent" in CliRunner().invoke(app, [*command, "--json"]).stdout
