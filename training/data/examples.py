"""Labelled messages, read, checked and masked. Wrong rows are reported by line, all of them at once.

A row has a text and any of intent, sentiment, group and split, in columns that `Columns` names. Rows of one group
(paraphrases of one message) never fall on two sides of a split. Knows nothing of file formats: `tables.py` does.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from frontdesk.errors import DataError
from frontdesk.masking import mask
from frontdesk.taxonomy import OUT_OF_SCOPE, SENTIMENTS
from training.data.column_mapping import DEFAULT_COLUMNS, Columns, check_columns
from training.data.table_readers import SUPPORTED_FILES, Table, read_tables

SplitPart = Literal["train", "calibration", "test"]

STARTER_CORPUS = Path(__file__).parents[1] / "starter" / "corpus"
MAX_TEXT_CHARACTERS = 4000
REPORTED_ROWS = 20
PART_OF_NAME: Mapping[str, SplitPart] = {
    "train": "train",
    "training": "train",
    "val": "calibration",
    "valid": "calibration",
    "validation": "calibration",
    "dev": "calibration",
    "calibration": "calibration",
    "test": "test",
    "eval": "test",
    "holdout": "test",
}
"""What people call the parts of their data, in lower case, and what they are here."""

_FIRST_WORD = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled message, masked. `intent` is None where the row has none; `out_of_scope` rows have none either.

    `part` is where the data's own split puts the row, None where it has none. A `near` row is out of scope because its
    intent was withheld from training.
    """

    text: str
    intent: str | None
    sentiment: str | None
    group: str
    out_of_scope: bool = False
    part: SplitPart | None = None
    near: bool = False


class RowLocation(NamedTuple):
    """Where a row stands: the file's name and the line, counted from 1, that the row ends on."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def read_examples(path: Path, columns: Columns = DEFAULT_COLUMNS) -> tuple[Example, ...]:
    """Read a file, or every file of a folder in order of name; see `tables.FORMATS`.

    Raises:
        DataError: listing each row that is wrong as `file:line: what`, the first twenty in full.
    """
    examples: list[Example] = []
    problems: list[str] = []
    for location, result in read_rows(path, columns):
        if isinstance(result, str):
            problems.append(f"{location}: {result}")
        else:
            examples.append(result)
    if problems:
        listed = "\n  ".join(problems[:REPORTED_ROWS])
        more = f"\n  and {len(problems) - REPORTED_ROWS} more" if len(problems) > REPORTED_ROWS else ""
        raise DataError(f"{len(problems)} rows of {path.name} cannot be used:\n  {listed}{more}")
    if not examples:
        raise DataError(f"{path} holds no rows.", hint=f"Give {SUPPORTED_FILES}, with a text column.")
    if columns.out_of_scope != OUT_OF_SCOPE and not any(example.out_of_scope for example in examples):
        raise DataError(f"No row of {path.name} has the label '{columns.out_of_scope}', named as out of scope.")
    return tuple(examples)


def read_rows(path: Path, columns: Columns = DEFAULT_COLUMNS) -> Iterator[tuple[RowLocation, Example | str]]:
    """Each row with its place: as an example, or what is wrong with it.

    In a folder, a file without a split column gives its rows the part that its name begins with: train, val, test.

    Raises:
        DataError: when there is nothing at `path`, or it lacks a column that is named or needed.
    """
    tables = tuple(read_tables(path))
    check_columns(columns, [(table.file.name, table.columns) for table in tables if table.rows and table.columns])
    for table in tables:
        part = _part_of_name(table) if path.is_dir() and columns.split not in table.columns else None
        for line, row in table.rows:
            result = row if isinstance(row, str) else _parse_row(row, columns, f"{table.stem}-{line}", part)
            yield RowLocation(table.file.name, line), result


def list_intents(examples: Sequence[Example], declared: Sequence[str]) -> tuple[str, ...]:
    """The intents that the rows have: those of the taxonomy in its order, then the others by name."""
    present = {example.intent for example in examples if example.intent is not None}
    return (*(label for label in declared if label in present), *sorted(present - set(declared)))


def data_hash(examples: Sequence[Example]) -> str:
    """A SHA-256 over the rows as they are used, so that the same data has the same name wherever it lies.

    Part and nearness count where a row has them, so that data without them keeps the name that it had before.
    """
    digest = hashlib.sha256()
    for example in examples:
        row = (example.text, example.intent, example.sentiment, example.group, example.out_of_scope)
        optional = (example.part, example.near) if example.part or example.near else ()
        digest.update(json.dumps((*row, *optional), ensure_ascii=True).encode() + b"\n")
    return digest.hexdigest()


def _part_of_name(table: Table) -> SplitPart | None:
    word = _FIRST_WORD.match(table.stem.lower())
    return PART_OF_NAME.get(word[0]) if word else None


def _parse_row(row: Mapping[str, Any], columns: Columns, default_group: str, part: SplitPart | None) -> Example | str:
    """The row as an example, or what is wrong with it."""
    text, sentiment, named_part = row.get(columns.text), row.get(columns.sentiment) or None, row.get(columns.split)
    if not isinstance(text, str) or not text.strip():
        return "has no text"
    if len(text) > MAX_TEXT_CHARACTERS:
        return f"has {len(text)} characters; at most {MAX_TEXT_CHARACTERS} are understood"
    intent = _parse_label(row.get(columns.intent))
    if intent is not None and not isinstance(intent, str):
        return "has an intent that is not text"
    if sentiment is not None and sentiment not in SENTIMENTS:
        return f"has sentiment '{sentiment}'; use one of {', '.join(SENTIMENTS)}"
    if intent is None and sentiment is None:
        return "has neither intent nor sentiment"
    if named_part and (part := PART_OF_NAME.get(str(named_part).strip().lower())) is None:
        return f"has split '{named_part}'; use train, calibration or test"
    out_of_scope = intent in (columns.out_of_scope, OUT_OF_SCOPE)
    return Example(
        text=mask(text).text,
        intent=None if out_of_scope else intent,
        sentiment=sentiment,
        group=str(row.get(columns.group) or default_group),
        out_of_scope=out_of_scope,
        part=part,
    )


def _parse_label(value: Any) -> Any:
    """A number is a label's name, as it is in CSV; blanks are none."""
    name = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return None if name is None or (isinstance(name, str) and not name.strip()) else name
