"""A row of a table, and the lookup of columns by name."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from frontdesk.errors import DataError

_INVISIBLE = "\ufeff\u200b\u200e\u200f\u2060"


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of a row, aligned with `names`.

    `line` is the line on which the row ends, counted from 1; of an Excel sheet the number of the row in the sheet, and
    of a Parquet file, which has no lines, the number of the row. `problem` says why the row cannot be read, or is ''.
    """

    line: int
    names: tuple[str, ...]
    cells: tuple[Any, ...]
    problem: str = ""

    def cell(self, name: str) -> Any:
        """Return the cell of the column `name`, or None where the row has no such column.

        Raises:
            DataError: two columns have this name.
        """
        position = find_column(self.names, name)
        return self.cells[position] if position is not None and position < len(self.cells) else None


def normalise_name(name: str) -> str:
    """Return the name without case, surrounding spaces and invisible characters."""
    return name.strip().strip(_INVISIBLE).strip().casefold()


@lru_cache(maxsize=4096)
def find_column(names: tuple[str, ...], name: str) -> int | None:
    """Return the position of the column `name`, compared by `normalise_name`; None for an unknown or empty name.

    Raises:
        DataError: two columns have this name.
    """
    normalised = normalise_name(name)
    if not normalised:
        return None
    positions = [position for position, candidate in enumerate(names) if normalise_name(candidate) == normalised]
    if len(positions) > 1:
        numbers = " and ".join(str(position + 1) for position in positions)
        raise DataError(
            f"Columns {numbers} are both named '{name}'.", hint="Rename or remove one of them, and try again."
        )
    return positions[0] if positions else None


def find_header(records: Sequence[Sequence[str]], expected: Collection[str]) -> int:
    """Return the number of the record with the names of the columns, counted from 0.

    It is the first record with a value. Titles above it are skipped: records of one value, if a record of several
    values with an expected name follows. 0 if no record has a value.

    Args:
        records: the first records of a table.
        expected: names of columns that the caller needs.
    """
    names = [{normalise_name(cell) for cell in record} - {""} for record in records]
    first = next((number for number, values in enumerate(names) if values), 0)
    expected_names = {normalise_name(name) for name in expected}
    for number in range(first, len(names)):
        if len(names[number]) > 1:
            return number if number == first or names[number] & expected_names else first
    return first


def list_columns(names: Sequence[str], limit: int = 30) -> str:
    """Return the names for a message, without unnamed columns; long lists are cut."""
    named = ["".join(c if c.isprintable() else "?" for c in name) for name in names if name.strip()]
    more = f" and {len(named) - limit} more" if len(named) > limit else ""
    return (", ".join(name if len(name) <= 60 else f"{name[:57]}..." for name in named[:limit]) or "none") + more
