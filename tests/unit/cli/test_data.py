from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from cli.main import app

WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def labelled(path: Path, *more: str) -> Path:
    rows = [f"{word} {label} {word * 3},{label}" for label in ("apple", "pear") for word in WORDS]
    path.write_text("\n".join(["text,category", *rows, *more]) + "\n")
    return path


def test_notes_alone_leave_the_exit_code_at_0(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["data", "check", str(labelled(tmp_path / "a.csv")), "--intent", "category"])
    assert done.exit_code == 0
    assert "a.csv:2: note: 'apple' has 12 rows; 20 are few" in done.stdout
    assert "24 rows: 0 errors, 2 notes." in done.stdout


def test_a_row_that_cannot_be_used_is_told_by_file_and_line_with_exit_code_1(tmp_path: Path) -> None:
    path = labelled(tmp_path / "a.csv", ",apple")
    done = CliRunner().invoke(app, ["data", "check", str(path), "--intent", "category", "--json"])
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert (told["rows"], told["errors"]) == (25, 1)
    assert told["complaints"][0] == {
        "file": "a.csv",
        "line": 26,
        "kind": "error",
        "rule": "unreadable",
        "told": "has no text",
    }
