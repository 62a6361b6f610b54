"""Cells without a value: empty ones, and the words that spreadsheets and programs write for a missing value."""

from __future__ import annotations

import math
import unicodedata

MISSING_TEXTS = frozenset({"nan", "null", "n/a", "-", "--", "\u2013", "\u2014", "#n/a", "<na>", "(null)", "\\n"})
"""Words for a missing value in any column, in lower case, without surrounding spaces."""

MISSING_LABELS = MISSING_TEXTS | {
    *("none", "na", "n.a.", "#na", "nil", "undefined", "(blank)", "(none)", "?", "-nan", "1.#qnan", "#n/a n/a"),
    *("#name?", "#ref!", "#value!", "#null!", "#div/0!", "#num!"),  # errors of spreadsheets
}
"""Words for a missing value in columns of labels, groups and splits. A message may consist of one of them."""

_BLANK_LETTERS = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and symbols without a visible shape: fillers of Hangul, and the empty Braille pattern."""


_INVISIBLE = {"Zs", "Zl", "Zp", "Cc", "Cf"}
"""Unicode categories of spaces, control and format characters."""


def is_blank(cell: object) -> bool:
    """Return whether the cell is empty: None, NaN, or text without a visible character."""
    if isinstance(cell, str):
        return not cell.strip() or (not cell.isascii() and not any(map(_is_visible, cell)))
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def is_missing_text(cell: object) -> bool:
    """Return whether the cell of a message is blank or a word for a missing value."""
    return is_blank(cell) or (isinstance(cell, str) and cell.strip().casefold() in MISSING_TEXTS)


def is_missing(cell: object) -> bool:
    """Return whether the cell of a label, group or split is blank or a word for a missing value."""
    return is_blank(cell) or (isinstance(cell, str) and cell.strip().casefold() in MISSING_LABELS)


def _is_visible(character: str) -> bool:
    return character not in _BLANK_LETTERS and unicodedata.category(character) not in _INVISIBLE
