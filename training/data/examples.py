"""Labelled messages: read, validated and masked. Invalid rows are reported together, by line.

A row has a text and any of intent, sentiment, group and split, in the columns that `ColumnMapping` names. Rows of one
group (paraphrases of one message) are always in the same part of a split. A row without text or without any label is
not used; it is counted with the reason and is not an error. The package `tables` reads the file formats, and
`row_parser.py` the cells.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from frontdesk.errors import DataError
from frontdesk.masking.masked_message import MaskedMessage, mask_message
from frontdesk.taxonomy import OUT_OF_SCOPE
from frontdesk.types import Message
from training.data.column_mapping import DEFAULT_COLUMNS, ColumnMapping, check_columns
from training.data.label_map import LabelMap
from training.data.row_parser import PART_OF_NAME, InvalidRowError, ParsedRow, RowParser, SplitPart
from training.data.tables import SUPPORTED, Table, normalise_name, open_tables

STARTER_CORPUS = Path(__file__).parents[1] / "starter" / "corpus"
REPORTED_ROWS = 20
NO_LABELS: LabelMap = {}

_FIRST_WORD = re.compile(r"[a-z]+")

Mask = Callable[[Message], MaskedMessage]


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
    """File name and line of a row: the line on which the row ends, counted from 1; 0 for the whole file.

    `item` tells apart the rows of a JSON array that end on one line, counted from 0.
    """

    file: str
    line: int
    item: int = 0

    def __str__(self) -> str:
        line = f":{self.line}" if self.line else ""
        return f"{self.file}{line}" + (f" (row {self.item + 1})" if self.item else "")


@dataclass(frozen=True, slots=True)
class RowRemark:
    """A reason why a row, or one of its values, is not used. It is counted and is not an error."""

    message: str


class RemarkCounts:
    """Remarks by message: the number of rows, and the location of the first."""

    def __init__(self) -> None:
        self._counts: dict[str, tuple[RowLocation, int]] = {}

    def add(self, location: RowLocation, remark: RowRemark) -> None:
        first, count = self._counts.get(remark.message, (location, 0))
        self._counts[remark.message] = (first, count + 1)

    def summarize(self) -> Iterator[tuple[RowLocation, str]]:
        """Yield the first location of each remark, and the message with the number of rows if there are several."""
        for message, (first, count) in self._counts.items():
            yield first, f"{message} ({count} rows)" if count > 1 else message


RowResult = Example | RowRemark | str
"""An example, a remark, or the description of an error for which training refuses the row."""


def read_examples(
    path: Path,
    columns: ColumnMapping = DEFAULT_COLUMNS,
    label_map: LabelMap = NO_LABELS,
    on_remark: Callable[[str], None] = lambda _: None,
    mask: Mask = mask_message,
) -> tuple[Example, ...]:
    """Read a file, or all files of a folder in order of name; see `tables.SUPPORTED`.

    Args:
        label_map: new names of labels.
        on_remark: called once for each reason why rows are not used, with their number.
        mask: masks the messages, as a server does that serves the bundle.

    Raises:
        DataError: rows are invalid; the message lists the first twenty as `file:line: problem`.
    """
    examples: list[Example] = []
    problems: list[str] = []
    remarks = RemarkCounts()
    for location, result in read_rows(path, columns, label_map, mask):
        if isinstance(result, Example):
            examples.append(result)
        elif isinstance(result, RowRemark):
            remarks.add(location, result)
        else:
            problems.append(f"{location}: {result}")
    if len(problems) == 1:
        raise DataError(problems[0])
    if problems:
        listed = "\n  ".join(problems[:REPORTED_ROWS])
        more = f"\n  and {len(problems) - REPORTED_ROWS} more" if len(problems) > REPORTED_ROWS else ""
        raise DataError(f"{len(problems)} rows of {path.name} cannot be used:\n  {listed}{more}")
    for location, message in remarks.summarize():
        on_remark(f"{location}: {message}")
    if not examples:
        raise DataError(f"{path} has no rows that can be used.", hint=f"Give {SUPPORTED}, with a text column.")
    check_out_of_scope_label(path, columns, is_present=any(example.out_of_scope for example in examples))
    return tuple(examples)


def check_out_of_scope_label(path: Path, columns: ColumnMapping, *, is_present: bool) -> None:
    """Check that the data has the label that the user named as out of scope.

    Raises:
        DataError: another label than the default was named, and no row has it.
    """
    if columns.out_of_scope != OUT_OF_SCOPE and not is_present:
        raise DataError(f"No row of {path.name} has the label '{columns.out_of_scope}', named as out of scope.")


def read_rows(
    path: Path,
    columns: ColumnMapping = DEFAULT_COLUMNS,
    label_map: LabelMap = NO_LABELS,
    mask: Mask = mask_message,
) -> Iterator[tuple[RowLocation, RowResult]]:
    """Yield the results of each row with its location; a row with several labels yields an example for each.

    In a folder, rows of a file without a split column get the part with which the file name begins: train, val, test.

    Raises:
        DataError: `path` does not exist, or a required or named column is missing.
    """
    opened, unsupported = open_tables(path, columns.named)
    tables = [table for table in opened if next(table.rows(), None) is not None]
    check_columns(columns, [(table.name, table.columns) for table in tables if table.columns])
    for name in unsupported:
        yield RowLocation(name, 0), RowRemark(f"is not read; give {SUPPORTED}")
    stems = Counter(_stem(table) for table in opened)
    for table in tables:
        has_split = columns.split and normalise_name(columns.split) in map(normalise_name, table.columns)
        part = _split_part_from_file_name(table) if path.is_dir() and not has_split else None
        stem = _stem(table) if stems[_stem(table)] == 1 else table.name
        parser = RowParser(columns, label_map, part)
        location = RowLocation(table.name, 0)
        for row in table.rows():
            location = RowLocation(table.name, row.line, location.item + 1 if row.line == location.line else 0)
            group = f"{stem}-{row.line}" + (f"-{location.item + 1}" if location.item else "")
            try:
                parsed = parser.parse(row, str(location))
            except InvalidRowError as error:
                yield location, str(error)
                continue
            if parsed.remark:
                yield location, RowRemark(parsed.remark)
            for example in _to_examples(parsed, columns, group, mask):
                yield location, example


def _to_examples(row: ParsedRow, columns: ColumnMapping, default_group: str, mask: Mask) -> Iterator[Example]:
    """Yield an example for each label of the row. Training data is masked here and nowhere else."""
    if row.message is None or not row.is_used:
        return
    text = mask(row.message).own.text
    labels: Sequence[str | None] = row.labels or (None,)
    for label in labels:
        out_of_scope = label in (columns.out_of_scope, OUT_OF_SCOPE)
        yield Example(
            text=text,
            intent=None if out_of_scope else label,
            sentiment=row.sentiment,
            group=default_group if row.group is None else row.group,
            out_of_scope=out_of_scope,
            part=row.part,
        )


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


def _stem(table: Table) -> str:
    """Name of the table without the suffix of its format."""
    name = re.sub(r"\.gz$", "", table.name, flags=re.IGNORECASE)
    return re.sub(r"\.\w+(?=$|\[)", "", name)


def _split_part_from_file_name(table: Table) -> SplitPart | None:
    """The part with which the file name begins, or else the name of a folder above it."""
    for name in reversed(Path(table.name).parts):
        word = _FIRST_WORD.match(name.lower())
        if word and word[0] in PART_OF_NAME:
            return PART_OF_NAME[word[0]]
    return None
