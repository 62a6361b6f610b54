from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.classify import (
    COLUMNS,
    ERROR,
    ClassifyProgress,
    ClassifyRun,
    _check_output_paths,
    _default_output,
    identify_run,
    write_classified_rows,
)
from cli.main import app
from cli.message_columns import MessageColumns
from cli.resumable_rows import open_rows
from frontdesk.errors import DataError
from frontdesk.messages import IncomingMessage

ROWS = 500


def fake(messages: Sequence[IncomingMessage]) -> list[dict[str, Any]]:
    """Use the length of a text as its intent, and the size of the batch as all other values."""
    return [
        {**dict.fromkeys(COLUMNS, len(messages)), "intent": f"length-{len(message.text)}", "decision": "draft"}
        for message in messages
    ]


class Stopping:
    """Classifies a number of batches, then raises KeyboardInterrupt."""

    def __init__(self, batches: int) -> None:
        self.left = batches

    def __call__(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return fake(texts)


def write_rows(path: Path, rows: int = ROWS) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        if path.suffix == ".csv":
            table = csv.writer(file)
            table.writerow(["id", "text"])
            table.writerows([number, message(number)] for number in range(rows))
        else:
            file.writelines(json.dumps({"id": number, "text": message(number)}) + "\n" for number in range(rows))
    return path


def message(number: int) -> str:
    return "" if number % 50 == 7 else f'line one of "{number}",\nand {"x" * (number % 90)} line two'


def run_on(file: Path, target: Path, version: str = "v1") -> ClassifyRun:
    rows = open_rows(file, MessageColumns(("text",)), (*COLUMNS, ERROR))
    return ClassifyRun(target, rows, identify_run(rows, version, {"text": "text"}), fake)


def finish(run: ClassifyRun) -> tuple[ClassifyProgress, str]:
    progress, note = run.resume()
    for _ in run.classify_in_steps(progress):
        pass
    return progress, note


def interrupt(run: ClassifyRun, batches: int) -> str:
    progress, note = run.resume()
    with pytest.raises(KeyboardInterrupt):
        list(replace(run, classify=Stopping(batches)).classify_in_steps(progress))
    return note


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_a_run_interrupted_twice_writes_the_same_bytes_as_one_that_was_not(tmp_path: Path, suffix: str) -> None:
    file = write_rows(tmp_path / f"in{suffix}")
    whole, _ = finish(run_on(file, tmp_path / "whole"))
    run = run_on(file, tmp_path / "parts")
    assert interrupt(run, 2) == ""
    with run.part_path.open("ab") as torn:  # killed in the middle of a row, after the last progress record
        torn.write(b'128,"half a ro')
    assert interrupt(run, 3) == "Resuming after 128 rows."
    assert not run.target.exists()
    resumed, note = finish(run)
    assert note == "Resuming after 320 rows."
    assert run.target.read_bytes() == (tmp_path / "whole").read_bytes()
    assert resumed == whole
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"in{suffix}", "parts", "whole"]


def test_rows_keep_their_order_and_a_bad_one_has_an_error_and_nothing_else(tmp_path: Path) -> None:
    run = run_on(write_rows(tmp_path / "in.csv"), tmp_path / "out.csv")
    progress, _ = finish(run)
    with run.target.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(int(row["id"]), row["text"]) for row in rows] == [(number, message(number)) for number in range(ROWS)]
    assert {row[ERROR] for row in rows} == {"", "has no text"}
    assert all((row["intent"] == "") == bool(row[ERROR]) for row in rows)
    assert (progress.rows, progress.errors, progress.decisions) == (ROWS, ROWS // 50, {"draft": ROWS - ROWS // 50})


@pytest.mark.parametrize("what", ["the input", "the bundle", "an option"])
def test_a_run_with_another_input_bundle_or_option_starts_from_the_beginning(tmp_path: Path, what: str) -> None:
    run = run_on(write_rows(tmp_path / "in.csv"), tmp_path / "out.csv")
    interrupt(run, 2)
    changed = replace(run, identity={**run.identity, what: "another"})
    progress, note = finish(changed)
    assert f"{what} changed: starting from the beginning" in note
    assert progress.rows == ROWS
    assert run.target.read_bytes().count(b'"id","text"') == 1


def test_a_partial_file_that_is_shorter_than_recorded_is_not_resumed(tmp_path: Path) -> None:
    run = run_on(write_rows(tmp_path / "in.csv"), tmp_path / "out.csv")
    interrupt(run, 2)
    run.part_path.write_bytes(run.part_path.read_bytes()[:-10])
    assert "missing or incomplete" in finish(run)[1]


def test_a_partial_file_without_a_record_is_not_resumed(tmp_path: Path) -> None:
    run = run_on(write_rows(tmp_path / "in.csv"), tmp_path / "out.csv")
    interrupt(run, 2)
    run.record_path.write_text("{}")
    assert "no valid progress record" in finish(run)[1]


def test_a_changed_input_of_the_same_size_is_detected_by_its_first_bytes(tmp_path: Path) -> None:
    file = write_rows(tmp_path / "in.csv")
    before = run_on(file, tmp_path / "out.csv").identity
    file.write_bytes(file.read_bytes().replace(b"line one", b"line ten"))
    assert [name for name, value in run_on(file, tmp_path / "out.csv").identity.items() if value != before[name]] == [
        "the input"
    ]


def test_rows_of_standard_input_are_written_to_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"id;text\n1;hello\n2;\n")))
    sink, reached = io.BytesIO(), ClassifyProgress()
    rows = open_rows(Path("-"), MessageColumns(("text",)), (*COLUMNS, ERROR))
    assert [step.rows for step in write_classified_rows(rows, fake, "", sink, reached)] == [2]
    first, second = csv.DictReader(io.StringIO(sink.getvalue().decode()), delimiter=";")
    assert (first["id"], first["intent"], second[ERROR], reached.errors) == ("1", "length-5", "has no text", 1)


@pytest.mark.parametrize("name", ["in.csv", "out.xlsx", "out.csv.gz", "out.parquet"])
def test_an_output_that_cannot_be_written_is_refused(tmp_path: Path, name: str) -> None:
    file = write_rows(tmp_path / "in.csv", 1)
    with pytest.raises(DataError) as refused:
        _check_output_paths(file, tmp_path / name)
    assert "--output" in refused.value.hint


@pytest.mark.parametrize(("name", "output"), [("a.csv", "a"), ("a.csv.gz", "a"), ("a.b.JSONL.GZ", "a.b")])
def test_the_output_is_named_after_the_file(name: str, output: str) -> None:
    assert _default_output(Path(name), ".csv") == Path(f"{output}.classified.csv")


def test_a_file_without_rows_gives_its_header(tmp_path: Path) -> None:
    file = tmp_path / "in.csv"
    file.write_text("id,text\n")
    run = run_on(file, tmp_path / "out.csv")
    assert finish(run)[0].rows == 0
    assert run.target.read_text() == ",".join(f'"{name}"' for name in ("id", "text", *COLUMNS, ERROR)) + "\n"


def test_ten_thousand_rows_take_no_more_memory_than_one_thousand(tmp_path: Path) -> None:
    def peak(rows: int) -> int:
        run = run_on(write_rows(tmp_path / f"in-{rows}.csv", rows), tmp_path / f"out-{rows}.csv")
        tracemalloc.start()
        finish(run)
        peak_bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak_bytes

    peak(200)  # fills imports and caches
    assert peak(10_000) - peak(1_000) < 100_000


def test_the_command_classifies_with_the_champion_and_prints_no_text_of_customers(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRONTDESK_HOME", str(home))
    file = tmp_path / "in.csv"
    file.write_text("message,intent\nWhere is my tangerine parcel?,x\n,y\n" + "z" * 4001 + ",z\n")
    refused = CliRunner().invoke(app, ["classify", str(file), "--text", "message"])
    assert "--prefix" in str(refused.exception)
    result = CliRunner().invoke(app, ["classify", str(file), "--text", "message", "--prefix", "found_"])
    assert result.exit_code == 0
    assert "3 rows, 2 errors" in result.stdout
    assert "tangerine" not in result.output
    with (tmp_path / "in.classified.csv").open(encoding="utf-8", newline="") as rows:
        first, second, third = csv.DictReader(rows)
    assert set(first) == {"message", "intent", *(f"found_{name}" for name in (*COLUMNS, ERROR))}
    assert first["found_model_version"] == next((home / "bundles").glob("2*")).name
    assert first["found_in_scope"] in ("true", "false")
    assert 0 <= float(first["found_confidence"]) <= 1
    assert first["found_decision"] in ("automate", "draft", "clarify", "escalate")
    assert second["found_error"] == "has no text"
    assert third["found_error"].endswith("it has 4001")
