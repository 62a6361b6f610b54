"""Labelled messages: read, validated and masked. Invalid rows are reported together, by line.

A row has a text and any of intent, sentiment, group and split, in the columns that `ColumnMapping` names. Rows of one
group (paraphrases of one message) are always in the same part of a split. `table_readers.py` reads the file formats.
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
from training.data.column_mapping import DEFAULT_COLUMNS, ColumnMapping, check_columns
from training.data.table_readers import SUPPORTED_FILES, DataTable, read_tables

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
"""Common names of the parts of a split, in lower case, and the part that each means."""

_FIRST_WORD = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled message, masked.

    Attributes:
        intent: None if the row has no intent, and for rows with `out_of_scope`.
        part: the part of the data's own split, None if the data has no split.
        near: the row is out of scope because its intent was withheld from training.
    """

    text: str
    intent: str | None
    sentiment: str | None
    group: str
    out_of_scope: bool = False
    part: SplitPart | None = None
    near: bool = False


class RowLocation(NamedTuple):
    """File name and line of a row: the line on which the row ends, counted from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def read_examples(path: Path, columns: ColumnMapping = DEFAULT_COLUMNS) -> tuple[Example, ...]:
    """Read a file, or all files of a folder in order of name; see `table_readers.FORMATS`.

    Raises:
        DataError: rows are invalid; the message lists the first twenty as `file:line: problem`.
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


def read_rows(path: Path, columns: ColumnMapping = DEFAULT_COLUMNS) -> Iterator[tuple[RowLocation, Example | str]]:
    """Yield each row with its location: as an example, or as a description of what is wrong with it.

    In a folder, rows of a file without a split column get the part with which the file name begins: train, val, test.

    Raises:
        DataError: `path` does not exist, or a required or named column is missing.
    """
    tables = tuple(read_tables(path))
    check_columns(columns, [(table.file.name, table.columns) for table in tables if table.rows and table.columns])
    for table in tables:
        part = _split_part_from_file_name(table) if path.is_dir() and columns.split not in table.columns else None
        for line, row in table.rows:
            result = row if isinstance(row, str) else _parse_row(row, columns, f"{table.stem}-{line}", part)
            yield RowLocation(table.file.name, line), result


def list_intents(examples: Sequence[Example], declared: Sequence[str]) -> tuple[str, ...]:
    """List the intents of the rows: intents of the taxonomy in its order, then all others by name."""
    present = {example.intent for example in examples if example.intent is not None}
    return (*(label for label in declared if label in present), *sorted(present - set(declared)))


def data_hash(examples: Sequence[Example]) -> str:
    """SHA-256 of the rows after masking, independent of file names and formats.

    `part` and `near` are included only for rows that have them, so the hash of data without them never changed.
    """
    digest = hashlib.sha256()
    for example in examples:
        row = (example.text, example.intent, example.sentiment, example.group, example.out_of_scope)
        optional = (example.part, example.near) if example.part or example.near else ()
        digest.update(json.dumps((*row, *optional), ensure_ascii=True).encode() + b"\n")
    return digest.hexdigest()


def _split_part_from_file_name(table: DataTable) -> SplitPart | None:
    word = _FIRST_WORD.match(table.stem.lower())
    return PART_OF_NAME.get(word[0]) if word else None


def _parse_row(
    row: Mapping[str, Any], columns: ColumnMapping, default_group: str, part: SplitPart | None
) -> Example | str:
    """Convert a row to an example, or describe what is wrong with it."""
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
    """Convert a label to text. A number becomes its text, as in CSV; a blank label becomes None."""
    name = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return None if name is None or (isinstance(name, str) and not name.strip()) else name
