"""Cells that stand for "no value": empty ones, and the words that spreadsheets and programs write into them."""

from __future__ import annotations

import math

MISSING_WORDS = frozenset({"nan", "null", "n/a", "-", "--", "\u2013", "\u2014", "#n/a", "<na>", "(null)", "\\n"})
"""In lower case, without surrounding spaces. `none` is not among them: it is a label in some data sets."""


def is_blank(cell: object) -> bool:
    """Return whether the cell is empty: None, NaN, or text without a visible character."""
    return (
        cell is None or (isinstance(cell, float) and math.isnan(cell)) or (isinstance(cell, str) and not cell.strip())
    )


def is_missing(cell: object) -> bool:
    """Return whether the cell is empty or a word that stands for a missing value."""
    return is_blank(cell) or (isinstance(cell, str) and cell.strip().casefold() in MISSING_WORDS)
