"""Files as spreadsheets, databases and programs write them: kinds of failure that users reported of other systems."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from click.testing import Result
from pyarrow.parquet import write_table
from typer.testing import CliRunner

from cli import main
from cli.classify import COLUMNS, ERROR, ClassifyRun, identify_run
from cli.message_columns import MessageColumns
from cli.resumable_rows import open_rows
from frontdesk.errors import DataError
from training.data.column_mapping import ColumnMapping
from training.data.examples import Example, read_examples

ABOUT = {
    "billing": ("invoice", "tax", "charge", "receipt", "payment", "amount"),
    "delivery": ("parcel", "courier", "tracking", "doorstep", "package", "shipment"),
}
ENDS = ("is wrong", "looks odd to me", "was never explained", "differs from what I expected", "needs a second look")
ROWS = [(f"The {noun} of order {noun}{number} {end}, {label}", label)
        for label, nouns in ABOUT.items() for number, noun in enumerate(nouns) for end in ENDS]  # fmt: skip


def delimited(rows: Sequence[Sequence[object]] = ROWS, header: Sequence[str] = ("text", "intent"), **form: Any) -> str:
    file = io.StringIO(newline="")
    csv.writer(file, **{"lineterminator": "\n", **form}).writerows([header, *rows])
    return file.getvalue()


def check(path: Path, *flags: str) -> tuple[Result, dict[str, Any]]:
    result = CliRunner().invoke(main.app, ["data", "check", str(path), *flags, "--json"])
    return result, json.loads(result.stdout) if result.stdout else {}


def passes(path: Path, *flags: str, rows: int = len(ROWS)) -> dict[str, Any]:
    result, output = check(path, *flags)
    assert result.exit_code == 0, result.output
    assert (output["rows"], output["errors"]) == (rows, 0)
    return output


def refusal(path: Path, *flags: str) -> DataError:
    result, _ = check(path, *flags)
    assert isinstance(result.exception, DataError)
    assert "\n" not in str(result.exception)
    return result.exception


def classify(path: Path, *text: str) -> bytes:
    """The output of `frontdesk classify` with a model that always predicts the same."""
    rows = open_rows(path, MessageColumns(text or ("text",)), [f"p_{name}" for name in (*COLUMNS, ERROR)])
    fixed = {**dict.fromkeys(COLUMNS, 1), "intent": "billing", "decision": "draft"}
    target = path.with_name("out")
    run = ClassifyRun(target, rows, identify_run(rows, "v1", {}), lambda texts: [fixed] * len(texts), "p_")
    for _ in run.classify_in_steps(run.resume()[0]):
        pass
    return target.read_bytes()


def table_of(content: str, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content, newline=""), delimiter=delimiter))


@pytest.mark.parametrize("commas", [1, 5])
def test_d01_empty_cells_beyond_the_header_are_ignored(tmp_path: Path, commas: int) -> None:
    path = tmp_path / "a.csv"
    head, *lines = delimited().splitlines()
    path.write_text("\n".join([head, *(line + "," * commas for line in lines)]))
    passes(path)
    rows_read = table_of(classify(path).decode())
    assert [row["text"] for row in rows_read] == [text for text, _ in ROWS]
    assert not any(row["p_error"] for row in rows_read)


@pytest.mark.parametrize("second", ["text", "Text", " TEXT "])
def test_d02_two_columns_of_one_name_are_refused_by_every_command(tmp_path: Path, second: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        delimited([(text, label, "We will look into it.") for text, label in ROWS], ("text", "intent", second))
    )
    assert "Columns 1 and 3 are both named 'text'" in refusal(path).message
    for read in (lambda: read_examples(path), lambda: open_rows(path, MessageColumns(("text",)), ())):
        with pytest.raises(DataError, match=r"a\.csv: Columns 1 and 3 are both named"):
            read()


@pytest.mark.parametrize(
    ("form", "hint"),
    [({"delimiter": ";"}, "sep=;\n"), ({"delimiter": "|"}, ""), ({"delimiter": "^"}, ""), ({"delimiter": "\t"}, "")],
)
def test_d03_every_delimiter_and_a_hint_line_are_read(tmp_path: Path, form: dict[str, str], hint: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(hint + delimited(**form))
    passes(path)
    assert len(table_of(classify(path).decode(), form["delimiter"])) == len(ROWS)


def test_d04_suffixes_may_be_capitals_and_files_of_other_formats_are_reported(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(delimited())
    (tmp_path / "TEST.CSV").write_text(delimited([(f"Again: {text}", label) for text, label in ROWS[::3]]))
    (tmp_path / "notes.md").write_text("for me")
    output = passes(tmp_path, rows=len(ROWS) + len(ROWS[::3]))
    assert [(issue["file"], issue["rule"]) for issue in output["complaints"] if issue["line"] == 0] == [
        ("notes.md", "unused")
    ]
    assert {row.part for row in read_examples(tmp_path)} == {"train", "test"}
    passes(tmp_path / "TEST.CSV", rows=len(ROWS[::3]))


@pytest.mark.parametrize(
    ("codec", "form"), [("utf-8", {"lineterminator": "\r"}), ("utf-16", {"delimiter": "\t", "lineterminator": "\r\n"})]
)
def test_d05_old_mac_files_and_unicode_text_are_read_by_all_commands(
    tmp_path: Path, codec: str, form: dict[str, str]
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(delimited(**form).encode(codec))
    passes(path)
    written = classify(path).decode(codec)
    assert len(table_of(written, form.get("delimiter", ","))) == len(ROWS)
    assert written.count(form["lineterminator"]) == len(ROWS) + 1


def test_d06_delimiters_inside_a_quoted_header_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    reason = "Reason (late, broken, wrong, none of these)"
    path.write_text(delimited([("late", *row) for row in ROWS], (reason, "text", "intent"), delimiter=";"))
    passes(path)
    assert list(table_of(classify(path).decode(), ";")[0])[:3] == [reason, "text", "intent"]


def test_d07_a_label_in_square_brackets_is_not_markup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(delimited([*ROWS, *((f"I send {word} back", "[/returns]") for word in ("shoes", "hats"))]))
    result, output = check(path)
    assert result.exit_code == 1
    assert output["complaints"][0]["told"].startswith("'[/returns]' has 2 different messages")
    monkeypatch.setattr("sys.argv", ["frontdesk", "data", "taxonomy", str(path), "--text", "[/bold]"])
    with pytest.raises(SystemExit) as end:
        main.run()
    assert end.value.code == 1
    assert "has no column '[/bold]'" in capsys.readouterr().err


@pytest.mark.parametrize("sign", ["\n", "\u2028", "\u0085", "\t"])
def test_d08_a_label_with_a_line_break_is_one_error_and_can_be_renamed(tmp_path: Path, sign: str) -> None:
    path, names = tmp_path / "a.csv", tmp_path / "names.json"
    odd = f"billing{sign}question"
    path.write_text(
        delimited([(text, odd if text.startswith("The tax") else label) for text, label in ROWS]), encoding="utf-8"
    )
    result, output = check(path)
    assert (result.exit_code, output["errors"]) == (1, 1)
    assert "('billing question'): give it another name" in output["complaints"][0]["told"]
    names.write_text(json.dumps({odd: "billing"}))
    passes(path, "--label-map", str(names))


WORDS = ("nan", "NULL", "N/A", "-", "")


def test_d09_words_for_missing_values_are_not_labels_and_are_counted(tmp_path: Path) -> None:
    path, lines = tmp_path / "a.csv", tmp_path / "a.jsonl"
    unlabelled = [(f"Note {number} of {word or 'none'}", word) for word in WORDS for number in range(3)]
    path.write_text(delimited([*ROWS, *unlabelled]))
    output = passes(path, rows=len(ROWS) + 15)
    assert output["rules"] == {"unused": 5}
    assert sum("(3 rows)" in issue["told"] for issue in output["complaints"]) == 5
    assert {row.intent for row in read_examples(path)} == set(ABOUT)
    rows = [{"text": text, "intent": label} for text, label in ROWS] + [{"text": "x", "intent": float("nan")}]
    lines.write_text("\n".join(map(json.dumps, rows)))
    assert "neither intent nor sentiment" in passes(lines, rows=len(ROWS) + 1)["complaints"][0]["told"]


def test_d09_the_named_out_of_scope_label_may_be_such_a_word(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(delimited([*ROWS, *((f"Riddle {number}", "-") for number in range(6))]))
    examples = read_examples(path, ColumnMapping(out_of_scope="-"))
    assert sum(row.out_of_scope for row in examples) == 6


def test_d11_what_training_refuses_is_an_error_of_the_check(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(delimited(ROWS[:30]))
    assert (check(path)[0].exit_code, check(path)[1]["rules"]) == (1, {"one_intent": 1})
    for part in ("validation", "test"):
        more = [(f"Refund {number}, please", "refund", part) for number in range(25)]
        path.write_text(delimited([*((*row, "train") for row in ROWS), *more], ("text", "intent", "split")))
        result, output = check(path)
        assert (result.exit_code, output["rules"]["untaught_label"], output["errors"]) == (1, 1, 1)


def test_d12_group_0_is_a_group(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    twins = [
        {
            "text": f"Please send me the invoice for the blue kettle that I bought in shop {group}{end}",
            "intent": "billing",
            "group": group,
        }
        for group in (0, 1)
        for end in (".", "!", "?")
    ]
    rows = [{"text": text, "intent": label} for text, label in ROWS] + twins
    path.write_text("\n".join(map(json.dumps, rows)))
    assert [row.group for row in read_examples(path)][-6:] == ["0"] * 3 + ["1"] * 3


def test_d13_a_few_rows_without_an_intent_are_used_for_sentiment_only(tmp_path: Path) -> None:
    from training.data.splits import split
    from training.profiles.profile import read_profile

    path = tmp_path / "a.csv"
    rows = [(*row, ("negative", "neutral")[number % 2]) for number, row in enumerate(ROWS)]
    path.write_text(
        delimited([*rows, *((f"So good {n}", "", "positive") for n in range(3))], ("text", "intent", "sentiment"))
    )
    passes(path, rows=len(ROWS) + 3)
    examples = read_examples(path)
    assert sum(row.intent is None for row in examples) == 3
    split(examples, read_profile("tiny").split, 13)


def test_d14_sentiments_and_splits_may_have_any_case_and_an_unnamed_index_is_not_a_column(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    moods = ("Negative", "NEUTRAL", "positive ")
    rows = [(number, *row, moods[number % 3], " TRAIN") for number, row in enumerate(ROWS)]
    path.write_text(delimited(rows, ("", "Text", " INTENT", "Sentiment", "Split")))
    passes(path)
    passes(path, "--sentiment", "")
    assert {row.sentiment for row in read_examples(path)} == {"negative", "neutral", "positive"}
    assert {row.sentiment for row in read_examples(path, ColumnMapping(sentiment=""))} == {None}
    assert {row.part for row in read_examples(path)} == {"train"}


def test_d14_labels_keep_their_case_and_spaces(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,intent\nx,Billing\ny,billing\nz, billing\n")
    assert [row.intent for row in read_examples(path)] == ["Billing", "billing", " billing"]


@pytest.mark.parametrize("kind", ["far date", "time of day", "bytes", "dictionary"])
def test_d16_only_named_columns_of_parquet_are_read(tmp_path: Path, kind: str) -> None:
    texts, labels = [text for text, _ in ROWS], [label for _, label in ROWS]
    columns: dict[str, Any] = {"text": texts, "intent": labels}
    if kind == "far date":
        columns["closes_at"] = pyarrow.array([253402300800000] * len(ROWS), pyarrow.timestamp("ms"))
    elif kind == "time of day":
        columns["at"] = pyarrow.array([1_001] * len(ROWS), pyarrow.time64("ns"))
    elif kind == "bytes":
        columns["text"] = [text.encode() for text in texts]
    else:
        columns["intent"] = pyarrow.array(labels).dictionary_encode()
    write_table(pyarrow.table(columns), tmp_path / "a.parquet")
    passes(tmp_path / "a.parquet")
    (tmp_path / "b.csv").write_bytes((tmp_path / "a.parquet").read_bytes())  # the content decides over the suffix
    for name in ("a.parquet", "b.csv"):
        rows_read = table_of(classify(tmp_path / name).decode("utf-8-sig"))
        assert [(row["text"], row["intent"]) for row in rows_read] == ROWS


def test_d17_folders_of_spark_are_read(tmp_path: Path) -> None:
    (tmp_path / "train.csv").mkdir()
    (tmp_path / "train.csv" / "part-00000.csv").write_text(delimited())
    (tmp_path / "train.csv" / "_SUCCESS").write_text("")
    (tmp_path / "train.csv" / ".part-00000.csv.crc").write_bytes(b"crc")
    (tmp_path / "test.csv").write_text(delimited([(f"Again: {text}", label) for text, label in ROWS]))
    passes(tmp_path, rows=2 * len(ROWS))
    parts = [row.part for row in read_examples(tmp_path)]
    assert parts == ["test"] * len(ROWS) + ["train"] * len(ROWS)


def test_d17_files_of_one_stem_share_no_groups(tmp_path: Path) -> None:
    (tmp_path / "tickets.csv").write_text("text,intent\na,x\n")
    (tmp_path / "tickets.tsv").write_text("text\tintent\nb\ty\n")
    (tmp_path / "others.csv").write_text("text,intent\nc,z\n")
    assert [row.group for row in read_examples(tmp_path)] == ["others-2", "tickets.csv-2", "tickets.tsv-2"]


@pytest.mark.parametrize("codec", ["cp1252", "cp1250", "utf-16", "utf-8-sig"])
def test_d18_other_columns_come_back_byte_for_byte(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "a.csv"
    before = delimited([("Müller, Köln", text) for text, _ in ROWS], ("customer", "text"), quoting=csv.QUOTE_ALL)
    path.write_bytes(before.encode(codec))
    after = classify(path)
    lines = after.decode(codec).splitlines()
    assert after[:2] == before.encode(codec)[:2], "the byte order mark, where there is one"
    assert [line.partition(',"1","billing"')[0] for line in lines[1:]] == before.splitlines()[1:]


def test_d19_a_huge_cell_of_another_column_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    picture = "".join(random.Random(1).choices("abcdefghijklmnop+/", k=150_000))
    rows = [(*row, f'<img src="data:{picture if number == 5 else ""}">') for number, row in enumerate(ROWS)]
    path.write_text(delimited(rows, ("text", "intent", "html")))
    passes(path)
    assert picture in classify(path).decode()


def test_d20_a_label_of_more_than_100_characters_is_one_error(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(delimited([*ROWS, *((f"Kettle {number}", "Home > Kitchen > " * 7) for number in range(8))]))
    result, output = check(path)
    assert (result.exit_code, output["errors"]) == (1, 1)
    assert "has a label of 119 characters" in output["complaints"][0]["told"]
    assert output["rules"] == {"unreadable": 1, "unused": 1}


def test_d21_layouts_of_exports_are_read(tmp_path: Path) -> None:
    tickets = [{"id": number, "via": {"channel": "web"}, "description": text, "subject": label, "tags": ["a"]}
               for number, (text, label) in enumerate(ROWS)]  # fmt: skip
    for name, content in (
        ("array.json", json.dumps(tickets, indent=2)),
        ("lines.json", "\n".join(map(json.dumps, tickets))),
        ("lines.jsonl", "\n".join(map(json.dumps, tickets))),
        ("answer.json", json.dumps({"tickets": tickets, "next_page": None})),
    ):
        (tmp_path / name).write_text(content)
        passes(tmp_path / name, "--text", "description", "--intent", "subject")
        written = classify(tmp_path / name, "description").decode().splitlines()
        assert json.loads(written[0])["via"] == {"channel": "web"}


def test_several_text_columns_are_joined_without_missing_ones(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Subject,Body,intent\nKettle,It broke,a\n-,Where is it,b\n,,c\n")
    remarks: list[str] = []
    examples = read_examples(path, ColumnMapping(("subject", "body")), on_remark=remarks.append)
    assert [row.text for row in examples] == ["Kettle\n\nIt broke", "Where is it"]
    assert remarks == ["a.csv:4: has no text and is not used"]


def test_labels_between_semicolons_are_several_examples_of_one_group(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,intent\nWhere is it and where is my refund,track; refund;track\nx,;\n")
    first, second = read_examples(path)
    assert first == Example(first.text, "track", None, "a-2")
    assert second == Example(first.text, "refund", None, "a-2")


def test_a_label_with_a_semicolon_is_one_label_if_the_map_names_it(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,intent\nx,one; two\n")
    (row,) = read_examples(tmp_path / "a.csv", label_map={"one; two": "both"})
    assert row.intent == "both"


def test_a_label_map_renames_and_leaves_out_labels(tmp_path: Path) -> None:
    path, names = tmp_path / "a.csv", tmp_path / "names.yaml"
    path.write_text(delimited([*ROWS, ("Buy followers now", "SPAM"), ("Billing and more", "SPAM;billing")]))
    names.write_text("billing: invoices\nSPAM:\n")
    output = passes(path, "--label-map", str(names), rows=len(ROWS) + 2)
    assert [issue["told"] for issue in output["complaints"]] == [
        "has the label 'SPAM', which the label map leaves out, and no sentiment: the row is not used",
        "has the label 'SPAM', which the label map leaves out",
    ]
    from training.data.label_map import read_label_map

    assert {row.intent for row in read_examples(path, label_map=read_label_map(names))} == {"invoices", "delivery"}


def test_d21_rows_of_an_array_on_one_line_are_told_apart(tmp_path: Path) -> None:
    rows = [{"text": text, "intent": label} for text, label in ROWS]
    path = tmp_path / "a.json"
    path.write_text(json.dumps([*rows, rows[0]]))
    output = passes(path, rows=len(ROWS) + 1)
    assert [issue["told"] for issue in output["complaints"]] == ["says the same as a.json:1"]
    assert [row.group for row in read_examples(path)][:3] == ["a-1", "a-1-2", "a-1-3"]
    path.write_text(json.dumps([*rows, {"text": 3, "intent": "a"}]))
    with pytest.raises(DataError, match=r"^a\.json:1 \(row 61\): has a text that is not text$"):
        read_examples(path)


def test_d21_escaped_line_breaks_of_a_message_become_real_ones(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,intent\n" + r'"Hello team,\n\nwhere is it?",a' + "\n")
    assert [row.text for row in read_examples(path)] == ["Hello team,\n\nwhere is it?"]
    assert r"team,\n\nwhere" in classify(path).decode()


def test_a_label_that_only_occurs_together_with_a_more_frequent_one_is_in_all_parts(tmp_path: Path) -> None:
    from training.data.splits import split
    from training.profiles.profile import read_profile

    path = tmp_path / "a.csv"
    path.write_text(delimited([(text, f"{label};urgent" if "invoice" in text else label) for text, label in ROWS]))
    passes(path)
    examples = read_examples(path)
    parts = split(examples, read_profile("tiny").split, 13)
    for rows in (parts.train, parts.calibration, parts.test):
        assert "urgent" in {examples[row].intent for row in rows}
