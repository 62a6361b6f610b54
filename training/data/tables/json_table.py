"""JSON objects as rows: one a line, as an array, one after another, or as a list in an object around them.

Values are decoded one by one from a buffer, so that memory does not depend on the size of the file. ijson is no
alternative: it refuses NaN, which Python writes, and gives no line numbers.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Set
from dataclasses import dataclass, replace
from typing import Any

from training.data.tables.encoding import Encoding, TextLines, detect_encoding
from training.data.tables.rows import Row, normalise_name
from training.data.tables.source import Source

MAX_VALUE_CHARACTERS = 1 << 28
"""Characters of one JSON value; an object around all rows is one value."""

_NO_OBJECT = "is not a JSON object"
_BLANK = " \t\r\n"
_BLANKS = re.compile("[ \\t\\r\\n]*")
_FILLED_CHARACTERS = 1 << 16


class _DuplicateKeyError(ValueError):
    """An object has a key twice; `args` is the key."""


@dataclass(frozen=True, slots=True)
class JsonTable:
    """Rows are objects, and columns their keys. Values keep their types."""

    source: Source
    encoding: Encoding
    is_lines: bool
    expected: frozenset[str] = frozenset()
    columns: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.source.name

    @classmethod
    def open(cls, source: Source, expected: Collection[str]) -> JsonTable:
        """Detect encoding and layout, and read rows until each expected column has occurred, at worst all rows.

        Of a name in several spellings, `columns` has the first.
        """
        encoding = detect_encoding(source, unicode_only=True)  # RFC 8259, 8.1
        expected_names = frozenset(map(normalise_name, expected))
        with encoding.lines(source) as lines:
            is_lines = _has_a_row_a_line(source, lines, expected_names)
        table = cls(source, encoding, is_lines, expected_names)
        names, missing = dict[str, str](), expected_names or {""}
        for row in table.rows():
            for name in row.names:
                names.setdefault(normalise_name(name), name)
            if missing <= names.keys():
                break
        return replace(table, columns=tuple(names.values()))

    def rows(self) -> Iterator[Row]:
        """Read the objects; anything else is a row with a problem."""
        with self.encoding.lines(self.source) as lines:
            values = _values_by_line(lines) if self.is_lines else _unwrapped(_values(lines), self.expected)
            for line, value in values:
                yield _row(line, value)


def _row(line: int, value: object) -> Row:
    if isinstance(value, _DuplicateKeyError):
        return Row(line, (), (), f"has the key '{value.args[0]}' twice")
    if not isinstance(value, dict):
        return Row(line, (), (), str(value) if isinstance(value, _Broken) else _NO_OBJECT)
    return Row(line, tuple(value), tuple(value.values()))


class _Broken(str):
    """The problem of text that is not JSON."""

    __slots__ = ()


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        ((key, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise _DuplicateKeyError(key)
    return record


_DECODER = json.JSONDecoder(object_pairs_hook=_unique_keys)


def _has_a_row_a_line(source: Source, lines: TextLines, expected: Set[str]) -> bool:
    """Whether each line is a row. The suffix decides if the first line does not."""
    first = next((line for line in lines if line.strip()), "").strip(_BLANK)
    if first.startswith("["):
        return False
    if not first.startswith("{"):
        return True
    value = _decoded(first)
    if isinstance(value, dict):
        return _find_list(value, expected) is None or any(line.strip() for line in lines)
    return not source.name.lower().removesuffix(".gz").endswith(".json") and not source.is_spooled


def _values_by_line(lines: TextLines) -> Iterator[tuple[int, object]]:
    for number, line in enumerate(lines, start=1):
        text = line.strip(_BLANK)
        if text:
            yield number, _decoded(text)


def _decoded(text: str) -> object:
    try:
        return _DECODER.decode(text)
    except _DuplicateKeyError as error:
        return error
    except (ValueError, RecursionError):
        return _Broken(_NO_OBJECT)


def _values(lines: TextLines) -> Iterator[tuple[int, object]]:
    """Yield the values of an array, or one after another, each with the line on which it ends."""
    buffer, in_array = _Buffer(lines), False
    while character := buffer.next_character():
        if character == ("," if in_array else "["):
            in_array = True
            buffer.position += 1
        elif in_array and character == "]":
            in_array = False
            buffer.position += 1
        else:
            value = buffer.decode()
            yield buffer.line, value
            if isinstance(value, _Broken):
                return
    if in_array:
        yield buffer.line, _Broken("is inside a JSON array that the file does not end: the rest is missing")


class _Buffer:
    """Text, read as far as the value at `position` needs. `line` is the line number at `position`."""

    def __init__(self, lines: TextLines) -> None:
        self._lines = lines
        self._text = ""
        self.position, self.line = 0, 1

    def next_character(self) -> str:
        """Skip blanks and return the next character, or '' at the end of the file."""
        while True:
            blanks = _BLANKS.match(self._text, self.position)
            assert blanks is not None, "the pattern matches everywhere"
            self._move_to(blanks.end())
            if self.position < len(self._text) or not self._fill():
                return self._text[self.position : self.position + 1]

    def decode(self) -> object:
        """Decode the value at `position` and move after it."""
        while True:
            try:
                value, end = self._decode()
            except (ValueError, RecursionError):
                end = 0
            if 0 < end < len(self._text):
                break
            if len(self._text) - self.position > MAX_VALUE_CHARACTERS or not self._fill():
                break
        if not end:
            return _Broken("begins something that is not JSON; nothing after it was read")
        self._move_to(end)
        return value

    def _decode(self) -> tuple[object, int]:
        try:
            return _DECODER.raw_decode(self._text, self.position)
        except _DuplicateKeyError as error:
            return error, json.JSONDecoder().raw_decode(self._text, self.position)[1]

    def _move_to(self, position: int) -> None:
        self.line += self._text.count("\n", self.position, position)
        self.position = position

    def _fill(self) -> bool:
        """Drop decoded text and double the rest; return False at the end of the file."""
        rest = self._text[self.position :]
        more = self._lines.read(max(_FILLED_CHARACTERS, len(rest)))
        self._text, self.position = rest + more, 0
        return more != ""


def _unwrapped(values: Iterator[tuple[int, object]], expected: Set[str]) -> Iterator[tuple[int, object]]:
    """Yield the values; of a single object with a list of objects (the answer of an API), the items of the list.

    Items of a list have no lines of their own: they are numbered from 1.
    """
    first = next(values, None)
    if first is None:
        return
    second = next(values, None)
    rows = _find_list(first[1], expected) if second is None else None
    if rows is not None:
        yield from enumerate(rows, start=1)
        return
    yield first
    if second is not None:
        yield second
        yield from values


def _find_list(value: object, expected: Set[str]) -> list[object] | None:
    """Return the list of objects in an object; of several, the one with most of the expected columns, or None."""
    lists = list(_lists_of_objects(value)) if isinstance(value, dict) else []
    if len(lists) < 2:
        return lists[0] if lists else None
    matches = [len(expected & set(map(normalise_name, rows[0]))) for rows in lists]
    best = max(matches)
    return lists[matches.index(best)] if best and matches.count(best) == 1 else None


def _lists_of_objects(value: dict[str, Any], depth: int = 3) -> Iterator[list[Any]]:
    for item in value.values():
        if isinstance(item, list) and item and isinstance(item[0], dict):
            yield item
        elif isinstance(item, dict) and depth > 1:
            yield from _lists_of_objects(item, depth - 1)
