"""Tables of text cells, rendered as HTML by the page and as Markdown by the model card."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class ReportTable(NamedTuple):
    """A table. All cells are text.

    Attributes:
        title: of the table.
        headers: of the columns; empty for a table of names and values.
        rows: the cells.
        note: explanation below the table.
        highlighted: first cell of the most important row.
        bar_columns: columns with shares, which the page shows with bars.
        text_columns: columns without numbers.
    """

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    highlighted: str = ""
    bar_columns: frozenset[int] = frozenset()
    text_columns: frozenset[int] = frozenset({0})


def name_value_table(title: str, rows: Iterable[tuple[str, str]], note: str = "") -> ReportTable:
    """A table of names and values, without headers."""
    return ReportTable(title, (), tuple(rows), note, text_columns=frozenset({0, 1}))


def percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def drop_empty_columns(table: ReportTable) -> ReportTable:
    """Remove empty columns at the end of a table, for metrics that older bundles do not have."""
    filled = max(column for row in table.rows for column, cell in enumerate(row) if cell) + 1
    return table._replace(headers=table.headers[:filled], rows=tuple(row[:filled] for row in table.rows))
