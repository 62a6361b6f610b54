"""Structural limits of large JSON bodies, checked before parsing, and the bytes of each item of a batch.

A parser creates a Python object for each `{}`: 8 MB of them take 500 MB and block the event loop for seconds. Counting
takes milliseconds. Strings are excluded from the counts, because messages may contain any number of braces and commas.

Every public function that scans a body is a generator that yields between its steps, for `frontdesk.time_slicing`.
This module is independent of the fields of a query.
"""

from __future__ import annotations

import re

from bentos.schemas.json_text import not_json
from frontdesk.errors import InvalidQuery
from frontdesk.time_slicing import CooperativeSteps

MAX_BATCH_ITEMS = 256
MAX_STRUCTURAL_CHARACTERS = MAX_BATCH_ITEMS * 64
"""Limit of `{`, `[` and `,` outside strings. A query with all fields, 11 headers and a few turns has about 50."""
MAX_QUOTES = MAX_BATCH_ITEMS * 256
"""Limit of quotation marks. A query with all fields, 11 headers and a few turns has about 200."""
MAX_BYTES_OUTSIDE_STRINGS = 1_048_576
"""Limit of bytes outside strings: whitespace, numbers and punctuation."""
MAX_STRING_BYTES = 262_144
"""Limit of one string: as long as one message may be."""
LONG_STRING_BYTES = 1000
WINDOW_BYTES = 1_048_576

_SHORTER = "A message has at most 65,536 characters."
_BLANKS = b" \t\r\n"
_LIST_BEGINS = re.compile(rb"[ \t\r\n]*:[ \t\r\n]*\[")
_SIGNS = re.compile(rb"[\[\]{},]")
_LIST = 0
"""Nesting depth inside the list of items."""


def check_json_structure(raw: bytes) -> CooperativeSteps[list[bytes]]:
    """Split a body at its quotation marks; refuse one with more structure than any valid batch.

    Returns:
        The parts between quotation marks: text outside strings at even indices, contents of strings at odd ones.
        Escaped quotation marks and backslashes are replaced by dots.

    Raises:
        InvalidQuery: too many objects, lists, fields or strings, or a string that does not end.
    """
    plain = raw
    if b"\\" in raw:
        plain = yield from _replace_json_escapes(raw)
    quotes = plain.count(b'"')
    if quotes > MAX_QUOTES:
        raise _too_much_json_structure()
    if quotes % 2:
        raise not_json()
    yield
    pieces = plain.split(b'"')
    outside = b"".join(pieces[::2])
    yield
    signs = outside.count(b"{") + outside.count(b"[") + outside.count(b",")
    if signs > MAX_STRUCTURAL_CHARACTERS or len(outside) > MAX_BYTES_OUTSIDE_STRINGS:
        raise _too_much_json_structure()
    return pieces


def _replace_json_escapes(raw: bytes) -> CooperativeSteps[bytes]:
    """The body with escaped backslashes and quotation marks replaced by dots; the length is the same."""
    windows = []
    start = 0
    while start < len(raw):
        window = raw[start : start + WINDOW_BYTES]
        if (len(window) - len(window.rstrip(b"\\"))) % 2:  # the last backslash escapes the byte after the window
            window = raw[start : start + WINDOW_BYTES + 1]
        start += len(window)
        windows.append(window.replace(b"\\\\", b"..").replace(b'\\"', b".."))
        yield
    return b"".join(windows)


def extract_long_strings(
    raw: bytes, pieces: list[bytes], marker: str
) -> CooperativeSteps[tuple[bytes, dict[str, bytes]]]:
    """The body with each long string replaced by a short name, and the original strings by name.

    The parser blocks the event loop, for 20 ms with 8 MB of escapes. The strings can be parsed one by one instead.

    Args:
        raw: the body.
        pieces: the result of `check_json_structure`.
        marker: prefix of the names; must be unpredictable for callers.

    Raises:
        InvalidQuery: a string has more than `MAX_STRING_BYTES`.
    """
    parts, strings, offset = [], {}, 0
    for index, piece in enumerate(pieces):
        content = raw[offset : offset + len(piece)]
        offset += len(piece) + 1
        if index % 2 and len(content) > MAX_STRING_BYTES:
            raise InvalidQuery(f"The body has a string of more than {MAX_STRING_BYTES} bytes.", hint=_SHORTER)
        if index % 2 and len(content) > LONG_STRING_BYTES:
            strings[name := f"{marker}{index}"] = b'"' + content + b'"'
            content = name.encode()
        parts.append(content)
        yield
    return b'"'.join(parts), strings


def split_json_list_items(raw: bytes, pieces: list[bytes], name: bytes) -> CooperativeSteps[list[bytes] | None]:
    """The bytes of each item of `{"name": [...]}`; None if the body has another form.

    Only brackets and commas are checked, so an item may be invalid JSON. The body is valid if and only if all items
    are valid.

    Args:
        raw: the body.
        pieces: the result of `check_json_structure`.
        name: name of the list.
    """
    if len(pieces) < 3 or pieces[0].strip(_BLANKS) != b"{" or pieces[1] != name:
        return None
    opening = _LIST_BEGINS.match(pieces[2])
    if opening is None:
        return None
    offset = len(pieces[0]) + len(pieces[1]) + 2
    start, depth, position = offset + opening.end(), _LIST, opening.end()
    items: list[bytes] = []
    for index in range(2, len(pieces), 2):
        piece = pieces[index]
        for sign in _SIGNS.finditer(piece, position):
            bracket = sign[0]
            if bracket in b"[{":
                depth += 1
            elif bracket != b"," and depth > _LIST:
                depth -= 1
            elif depth == _LIST:
                end = offset + sign.start()
                items.append(raw[start:end])
                start = end + 1
                if bracket == b"]":
                    is_last = index == len(pieces) - 1 and piece[sign.end() :].strip(_BLANKS) == b"}"
                    return items if is_last and items[0].strip(_BLANKS) else None
                if bracket == b"}":
                    return None
                if len(items) == MAX_BATCH_ITEMS:
                    raise too_many_items(name.decode())
        offset += len(piece) + 1 + (len(pieces[index + 1]) + 1 if index + 1 < len(pieces) else 0)
        position = 0
        yield
    return None


def too_many_items(name: str) -> InvalidQuery:
    """Error for a list `name` with more than `MAX_BATCH_ITEMS` items."""
    violation = (name, f"should have at most {MAX_BATCH_ITEMS} items")
    return InvalidQuery(f"{' '.join(violation)}.", violations=(violation,), hint="Send several batches.")


def _too_much_json_structure() -> InvalidQuery:
    return InvalidQuery(
        "The body has more objects, lists and fields than any valid body.",
        hint=f"Send at most {MAX_BATCH_ITEMS} items, each with the fields of /docs.",
    )
