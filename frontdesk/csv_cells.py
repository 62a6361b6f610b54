"""Escape CSV cells against formula injection (OWASP, CSV injection), and reverse the escaping. Pure.

A spreadsheet may split a file at another separator than it was written with: many locales use the semicolon, and pasted
text is split at tabs. An apostrophe is therefore inserted before a formula character at the start of a cell and after
every semicolon, tab and line break, also after spaces and quotation marks. Spreadsheets also accept full-width forms of
the formula characters.
"""

from __future__ import annotations

import re

_SEPARATORS = ";\t\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029"
_FORMULA_CHARACTERS = "=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b"
_PADDING = "\\s\"'\u200b-\u200f\u2060\u00ad\ufeff"
_AT_START = re.compile(rf"([{_PADDING}]*)([{_FORMULA_CHARACTERS}])")
_AFTER_SEPARATOR = re.compile(rf"([{_SEPARATORS}][{_PADDING}]*)([{_FORMULA_CHARACTERS}])")
_ESCAPED_AT_START = re.compile(rf"([{_PADDING}]*)'([{_FORMULA_CHARACTERS}])")
_ESCAPED_AFTER_SEPARATOR = re.compile(rf"([{_SEPARATORS}][{_PADDING}]*)'([{_FORMULA_CHARACTERS}])")
_CONTROL = re.compile(r"'*[\t\r\n]")
_ESCAPED_CONTROL = re.compile(r"'+[\t\r\n]")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)*")


def escape_csv_cell(cell: str) -> str:
    """Return the cell with an apostrophe before every formula character; numbers are left unchanged."""
    if _NUMBER.fullmatch(cell):
        return cell
    match = _AT_START.match(cell)
    start, rest = ("", cell) if match is None else (f"{match[1]}'{match[2]}", cell[match.end() :])
    escaped = start + _AFTER_SEPARATOR.sub(r"\1'\2", rest)
    return f"'{escaped}" if _CONTROL.match(escaped) else escaped


def unescape_csv_cell(cell: str) -> str:
    """Return the cell before `escape_csv_cell` was applied."""
    unquoted = cell[1:] if _ESCAPED_CONTROL.match(cell) else cell
    match = _ESCAPED_AT_START.match(unquoted)
    start, rest = ("", unquoted) if match is None else (match[1] + match[2], unquoted[match.end() :])
    return start + _ESCAPED_AFTER_SEPARATOR.sub(r"\1\2", rest)
