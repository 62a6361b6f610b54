"""Cells of one labelled row as typed values: message, labels, sentiment, group and part of the split.

Sentiment, split and column names are compared without case and surrounding spaces, labels are not. Words for missing
values (`nan`, `N/A`, ...) are neither messages nor labels.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from frontdesk.errors import DataError, InvalidQuery
from frontdesk.messages.limits import MAX_FIELD_CHARACTERS, parse_message
from frontdesk.taxonomy import OUT_OF_SCOPE, SENTIMENTS
from frontdesk.types import Act, IncomingMessage, Message
from training.data.column_mapping import ColumnMapping
from training.data.escaped_line_breaks import restore_line_breaks
from training.data.label_map import LabelMap
from training.data.missing_values import is_blank, is_missing, is_missing_text
from training.data.tables import Row, normalise_name
from training.data.tables.encoding import has_undecodable_bytes

SplitPart = Literal["train", "calibration", "test"]

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

MAX_LABEL_CHARACTERS = 100
"""The API takes names of intents up to this length in corrections and filters."""

_CONTROL = {"Cc", "Cs", "Zl", "Zp"}
"""Unicode categories of control characters, lone surrogates, and separators of lines and paragraphs."""


class InvalidRowError(ValueError):
    """A row that training refuses. The message is the reason."""


@dataclass(frozen=True, slots=True)
class ParsedRow:
    """Typed values of one row.

    Attributes:
        message: the message, split into parts and not masked; None for a row without one.
        labels: as named by the label map; empty if the row has no usable label.
        group: None if the row has none.
        remark: why the row or one of its values is not used, or ''.
    """

    message: Message | None = None
    labels: tuple[str, ...] = ()
    sentiment: str | None = None
    group: str | None = None
    part: SplitPart | None = None
    remark: str = ""

    @property
    def is_used(self) -> bool:
        """Whether the row has a message and a label or sentiment."""
        return bool(self.message and (self.labels or self.sentiment))


@dataclass(slots=True)
class RowParser:
    """Parser for the rows of one table.

    Attributes:
        part: the part of the split of rows that name none.
        refused_labels: each label that cannot be used, with the location of its first row.
    """

    columns: ColumnMapping
    label_map: LabelMap
    part: SplitPart | None
    refused_labels: dict[str, str] = field(default_factory=dict)

    def parse(self, row: Row, location: str) -> ParsedRow:
        """Return the values of the row.

        Raises:
            InvalidRowError: the row cannot be read or has a value that cannot be used.
        """
        if row.problem:
            raise InvalidRowError(row.problem)
        try:
            return self._parse(row, location)
        except DataError as error:  # two keys of one JSON object that differ only in case
            raise InvalidRowError(error.message) from None

    def _parse(self, row: Row, location: str) -> ParsedRow:
        text = self._text(row)
        if not text:
            return ParsedRow(remark="has no text and is not used")
        message = _parse_message(text)
        if remark := _NOT_USED.get(message.act):
            return ParsedRow(remark=remark)
        sentiment, part = self._sentiment(row), self._part(row)
        labels, remark = self._labels(row)
        for label in labels:
            if problem := describe_label_problem(label):
                first = self.refused_labels.setdefault(label, location)
                if first == location:
                    raise InvalidRowError(problem)
                return ParsedRow(remark=f"has the label of {first}, which cannot be used")
        if not labels and not sentiment:
            remark = f"{remark}, and no sentiment: the row is not used" if remark else _UNLABELLED
        group = row.cell(self.columns.group)
        return ParsedRow(message, tuple(labels), sentiment, None if is_missing(group) else str(group), part, remark)

    def _text(self, row: Row) -> str:
        """Return the text columns joined by blank lines, without missing ones."""
        cells = [cell for name in self.columns.text if not is_missing_text(cell := row.cell(name))]
        if not all(isinstance(cell, str) for cell in cells):
            raise InvalidRowError("has a text that is not text")
        text = restore_line_breaks("\n\n".join(cells))
        if has_undecodable_bytes(text):
            raise InvalidRowError("is not UTF-8")
        if "\x00" in text:
            raise InvalidRowError("has NUL characters")
        if len(text) > MAX_FIELD_CHARACTERS:
            raise InvalidRowError(f"has {len(text)} characters; at most {MAX_FIELD_CHARACTERS} are supported")
        return text

    def _sentiment(self, row: Row) -> str | None:
        value = row.cell(self.columns.sentiment)
        if is_missing(value):
            return None
        name = normalise_name(str(value))
        if name not in SENTIMENTS:
            raise InvalidRowError(f"has sentiment '{_excerpt(value)}'; use one of {', '.join(SENTIMENTS)}")
        return name

    def _part(self, row: Row) -> SplitPart | None:
        value = row.cell(self.columns.split)
        if is_missing(value):
            return self.part
        part = PART_OF_NAME.get(normalise_name(str(value)))
        if part is None:
            raise InvalidRowError(f"has split '{_excerpt(value)}'; use train, calibration or test")
        return part

    def _labels(self, row: Row) -> tuple[list[str], str]:
        """Return the labels in the row's order, and a remark if a value stands for no label."""
        value = row.cell(self.columns.intent)
        labels, remark = list[str](), ""
        for name in [value] if isinstance(value, str) and value in self.label_map else split_labels(value):
            intent = self.label_map.get(name)
            if intent == "":
                remark = f"has the label '{_excerpt(name)}', which the label map leaves out"
            elif intent is None and name != self.columns.out_of_scope and is_missing(name):
                remark = f"has intent '{_excerpt(name.strip())}', which stands for a missing value"
            elif (intent or name) not in labels:
                labels.append(intent or name)
        if len(labels) > 1 and {self.columns.out_of_scope, OUT_OF_SCOPE} & set(labels):
            raise InvalidRowError(f"has '{_excerpt(value)}': a message that fits no intent has no other label")
        return labels, remark


_NOT_USED: Mapping[Act, str] = {
    Act.AUTOMATED_MAIL: "is an automated mail and is not used",
    Act.EMPTY: "has no text of the customer's own and is not used",
}


def _parse_message(text: str) -> Message:
    """Split a message into the customer's own text and other parts, as a server does."""
    try:
        return parse_message(IncomingMessage(text))
    except InvalidQuery as error:
        ((_, problem),) = error.violations
        raise InvalidRowError(problem) from None


_UNLABELLED = "has neither intent nor sentiment and is not used"


def split_labels(value: Any) -> list[str]:
    """Return the labels of a cell: the parts between semicolons, or the items of a JSON list. A number is a label.

    Raises:
        InvalidRowError: the cell is neither text nor a number nor a list of texts.
    """
    if is_blank(value):
        return []
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return [str(value)]
    names: list[Any] = value.split(";") if isinstance(value, str) else value if isinstance(value, list) else [value]
    if not all(isinstance(name, str) for name in names):
        raise InvalidRowError("has an intent that is not text")
    if len(names) > 1:
        names = [name.strip() for name in names]
    return [name for name in names if not is_blank(name)]


def describe_label_problem(label: str) -> str:
    """Return why a label cannot be the name of an intent, or ''."""
    remedy = "give it another name in the file, or with --label-map"
    if len(label) > MAX_LABEL_CHARACTERS:
        return (
            f"has a label of {len(label)} characters ('{_excerpt(label)}'); at most {MAX_LABEL_CHARACTERS} can be "
            f"used: {remedy}"
        )
    if any(unicodedata.category(character) in _CONTROL for character in label):
        return f"has a label with a line break or control character ('{_excerpt(label)}'): {remedy}"
    return ""


def _excerpt(value: Any) -> str:
    """Return the start of a cell for a message, on one line."""
    text = "".join(" " if unicodedata.category(character) in _CONTROL else character for character in str(value)[:80])
    return text if len(text) <= 40 else f"{text[:37]}..."
