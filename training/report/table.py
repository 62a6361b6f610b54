"""A table of words: what the page makes HTML of and the model card Markdown, so that both name every figure alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Table(NamedTuple):
    """Cells are words. The first head may be empty; `strong` is the first cell of the row that matters most.

    `bars` are the columns of shares that a page may underlay with bars, `words` those that hold no figures.
    """

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    strong: str = ""
    bars: frozenset[int] = frozenset()
    words: frozenset[int] = frozenset({0})


def pairs(title: str, rows: Iterable[tuple[str, str]], note: str = "") -> Table:
    """A table of names and values, without heads."""
    return Table(title, (), tuple(rows), note, words=frozenset({0, 1}))


def share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def trimmed(table: Table) -> Table:
    """The table without columns at its end that hold nothing: older bundles have no such figures."""
    filled = max(column for row in table.rows for column, cell in enumerate(row) if cell) + 1
    return table._replace(heads=table.heads[:filled], rows=tuple(row[:filled] for row in table.rows))
