"""A table of words: what the page makes HTML of and the model card Markdown, so that both name every figure alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Table(NamedTuple):
    """Cells are words. The first head may be empty; `highlighted` is the first cell of the row that matters most.

    `bar_columns` are the columns of shares that a page may underlay with bars, `text_columns` those that hold no figures.
    """

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    highlighted: str = ""
    bar_columns: frozenset[int] = frozenset()
    text_columns: frozenset[int] = frozenset({0})


def name_value_table(title: str, rows: Iterable[tuple[str, str]], note: str = "") -> Table:
    """A table of names and values, without heads."""
    return Table(title, (), tuple(rows), note, text_columns=frozenset({0, 1}))


def percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def drop_empty_columns(table: Table) -> Table:
    """The table without columns at its end that hold nothing: older bundles have no such figures."""
    filled = max(column for row in table.rows for column, cell in enumerate(row) if cell) + 1
    return table._replace(headers=table.headers[:filled], rows=tuple(row[:filled] for row in table.rows))
