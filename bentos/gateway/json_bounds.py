"""What a large JSON body holds, counted before anything is built of it, and the bytes of each item of a batch.

A parser makes a Python object of each `{}`: 8 MB of them cost 500 MB and seconds of the event loop. Counting takes
milliseconds. Strings are taken out first, because messages may hold any number of braces and commas.

Every function is a generator that yields between its steps, for `frontdesk.turns`. Knows no field of a query.
"""

from __future__ import annotations

import re

from frontdesk.errors import InvalidQuery
from frontdesk.turns import Steps

LARGEST_BATCH = 256
MOST_SIGNS = LARGEST_BATCH * 16
"""Of `{`, `[` and `,` outside of strings: a query with every field has nine, and its comma."""
MOST_QUOTES = LARGEST_BATCH * 64
"""A query with every field has 32."""
MOST_BYTES_OUTSIDE = 1_048_576
"""Outside of strings: blanks, numbers and signs."""
MOST_STRING_BYTES = 65_536
"""4,000 characters, each as two escapes, have 48,000."""
LONG_STRING_BYTES = 1000
WINDOW_BYTES = 1_048_576

_SHORTER = "A text has at most 4000 characters."
_BLANKS = b" \t\r\n"
_LIST_BEGINS = re.compile(rb"[ \t\r\n]*:[ \t\r\n]*\[")
_SIGNS = re.compile(rb"[\[\]{},]")
_LIST = 0
"""The depth inside the list of items."""


def check_structure(raw: bytes) -> Steps[list[bytes]]:
    """Refuse a body with more structure than any valid batch has.

    Returns:
        The body cut at the quotation marks of its strings: what is outside of strings at even places, the insides of
        strings at odd ones. Escaped characters that could be taken for a quotation mark are dots.

    Raises:
        InvalidQuery: too many objects, lists, fields or strings, or a string that does not end.
    """
    plain = raw
    if b"\\" in raw:
        plain = yield from _without_escapes(raw)
    quotes = plain.count(b'"')
    if quotes > MOST_QUOTES:
        raise _too_much()
    if quotes % 2:
        raise not_json()
    yield
    pieces = plain.split(b'"')
    outside = b"".join(pieces[::2])
    yield
    signs = outside.count(b"{") + outside.count(b"[") + outside.count(b",")
    if signs > MOST_SIGNS or len(outside) > MOST_BYTES_OUTSIDE:
        raise _too_much()
    return pieces


def _without_escapes(raw: bytes) -> Steps[bytes]:
    """The body with dots in place of escaped backslashes and quotation marks; as long as before."""
    windows = []
    start = 0
    while start < len(raw):
        window = raw[start : start + WINDOW_BYTES]
        if (len(window) - len(window.rstrip(b"\\"))) % 2:  # the last backslash escapes the byte behind the window
            window = raw[start : start + WINDOW_BYTES + 1]
        start += len(window)
        windows.append(window.replace(b"\\\\", b"..").replace(b'\\"', b".."))
        yield
    return b"".join(windows)


def take_long_strings(raw: bytes, pieces: list[bytes], marker: str) -> Steps[tuple[bytes, dict[str, bytes]]]:
    """The body with a short name in place of each long string, and the strings by name, as they were written.

    A parser holds the interpreter until it is done, which takes 20 ms for 8 MB of escapes; strings by themselves can be
    parsed one by one.

    Args:
        raw: the body.
        pieces: what `check_structure` made of it.
        marker: the beginning of the names, which no caller can guess.

    Raises:
        InvalidQuery: a string is longer than any text.
    """
    written, strings, at = [], {}, 0
    for index, piece in enumerate(pieces):
        inside = raw[at : at + len(piece)]
        at += len(piece) + 1
        if index % 2 and len(inside) > MOST_STRING_BYTES:
            raise InvalidQuery(f"The body has a string of more than {MOST_STRING_BYTES} bytes.", hint=_SHORTER)
        if index % 2 and len(inside) > LONG_STRING_BYTES:
            strings[name := f"{marker}{index}"] = b'"' + inside + b'"'
            inside = name.encode()
        written.append(inside)
        yield
    return b'"'.join(written), strings


def split_items(raw: bytes, pieces: list[bytes], name: bytes) -> Steps[list[bytes] | None]:
    """The bytes of each item of `{"name": [...]}`; None where the body is not of this form.

    Only brackets and commas are looked at: an item may still be no JSON. The body is JSON exactly if all items are.

    Args:
        raw: the body.
        pieces: what `check_structure` made of it.
        name: of the list.
    """
    if len(pieces) < 3 or pieces[0].strip(_BLANKS) != b"{" or pieces[1] != name:
        return None
    begins = _LIST_BEGINS.match(pieces[2])
    if begins is None:
        return None
    at = len(pieces[0]) + len(pieces[1]) + 2
    start, depth, place = at + begins.end(), _LIST, begins.end()
    items: list[bytes] = []
    for index in range(2, len(pieces), 2):
        piece = pieces[index]
        for sign in _SIGNS.finditer(piece, place):
            what = sign[0]
            if what in b"[{":
                depth += 1
            elif what != b"," and depth > _LIST:
                depth -= 1
            elif depth == _LIST:
                end = at + sign.start()
                items.append(raw[start:end])
                start = end + 1
                if what == b"]":
                    is_last = index == len(pieces) - 1 and piece[sign.end() :].strip(_BLANKS) == b"}"
                    return items if is_last and items[0].strip(_BLANKS) else None
                if what == b"}":
                    return None
                if len(items) == LARGEST_BATCH:
                    raise too_many_items(name.decode())
        at += len(piece) + 1 + (len(pieces[index + 1]) + 1 if index + 1 < len(pieces) else 0)
        place = 0
        yield
    return None


def too_many_items(name: str) -> InvalidQuery:
    violation = (name, f"should have at most {LARGEST_BATCH} items")
    return InvalidQuery(f"{' '.join(violation)}.", violations=(violation,), hint="Send several batches.")


def not_json() -> InvalidQuery:
    return InvalidQuery("The body is not valid JSON.", hint='Send UTF-8 JSON such as {"text": "Where is my parcel?"}.')


def _too_much() -> InvalidQuery:
    return InvalidQuery(
        "The body holds more objects, lists and fields than any valid body has.",
        hint=f"Send at most {LARGEST_BATCH} items, each with the fields of /docs.",
    )
