"""Cells of CSV that no spreadsheet takes for a formula (OWASP, CSV injection), and the way back.

A spreadsheet may split a file at another separator than it was written with: many locales use the semicolon, and a
pasted file is split at tabs. So a sign that begins a formula gets an apostrophe not only at the beginning of a cell but
also behind every semicolon, tab and line break, with blanks and quotation marks in between. Spreadsheets also take the
full-width forms of the signs. Pure.
"""

from __future__ import annotations

import re

_BREAKS = ";\t\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029"
_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b"
_FILLING = "\\s\"'\u200b-\u200f\u2060\u00ad\ufeff"
_AT_START = re.compile(rf"([{_FILLING}]*)([{_SIGNS}])")
_BEHIND_BREAK = re.compile(rf"([{_BREAKS}][{_FILLING}]*)([{_SIGNS}])")
_GUARDED_AT_START = re.compile(rf"([{_FILLING}]*)'([{_SIGNS}])")
_GUARDED_BEHIND_BREAK = re.compile(rf"([{_BREAKS}][{_FILLING}]*)'([{_SIGNS}])")
_CONTROL = re.compile(r"'*[\t\r\n]")
_GUARDED_CONTROL = re.compile(r"'+[\t\r\n]")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)*")


def guarded(cell: str) -> str:
    """The cell with an apostrophe before whatever a spreadsheet would take for a formula; numbers stay as they are."""
    if _NUMBER.fullmatch(cell):
        return cell
    begins = _AT_START.match(cell)
    start, rest = ("", cell) if begins is None else (f"{begins[1]}'{begins[2]}", cell[begins.end() :])
    safe = start + _BEHIND_BREAK.sub(r"\1'\2", rest)
    return f"'{safe}" if _CONTROL.match(safe) else safe


def unguarded(cell: str) -> str:
    """The cell that `guarded` was given."""
    bare = cell[1:] if _GUARDED_CONTROL.match(cell) else cell
    begins = _GUARDED_AT_START.match(bare)
    start, rest = ("", bare) if begins is None else (begins[1] + begins[2], bare[begins.end() :])
    return start + _GUARDED_BEHIND_BREAK.sub(r"\1\2", rest)
