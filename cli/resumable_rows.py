"""Messages of a file of any size for `frontdesk classify`, and the same rows with added columns.

Rows are streamed, and reading can resume after any number of rows. A row that cannot be read has a problem and does not
end the file. `row_writers.py` writes the output.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from cli.message_columns import MessageColumns, UnreadableMessageError
from cli.row_writers import RowWriter, create_writer
from frontdesk.errors import DataError
from frontdesk.messages import IncomingMessage
from training.data.column_mapping import LIKELY_TEXTS
from training.data.tables import STANDARD_INPUT, SUPPORTED, Row, Table, find_column, normalise_name, open_table
from training.data.tables.json_table import JsonTable
from training.data.tables.rows import list_columns
from training.data.tables.source import Source


@dataclass(frozen=True, slots=True)
class InputRow:
    """A message and its row. `problem` is why the row cannot be read, or ''; it never contains the text."""

    message: IncomingMessage | None
    original: Row
    problem: str = ""


@dataclass(frozen=True, slots=True)
class RowFile:
    """A table whose rows are messages.

    Attributes:
        columns: of the message.
        added: names of the new columns.
    """

    table: Table
    columns: MessageColumns
    added: tuple[str, ...]
    writer: RowWriter

    @property
    def output_header(self) -> bytes:
        """The start of the output, before the rows."""
        return self.writer.header

    @property
    def suffix(self) -> str:
        """The suffix of an output file."""
        return self.writer.suffix

    @property
    def read_bytes(self) -> int:
        """Bytes of the input that were read."""
        return self.table.source.progress

    @property
    def size(self) -> int:
        """Bytes of the input."""
        return self.table.source.size

    def rows(self, skip: int = 0) -> Iterator[InputRow]:
        """Read the rows after the first `skip`."""
        for row in islice(self.table.rows(), skip, None):
            yield self._to_input_row(row)

    def format_row(self, row: InputRow, added: Mapping[str, Any]) -> bytes:
        """Return the row with the new values, as bytes of the output."""
        return self.writer.format_row(row.original, added)

    def check_labels(self, labels: Sequence[str]) -> None:
        """Check that the names of intents can be written, before any work is done.

        Raises:
            DataError: the encoding of the file lacks a character of a name.
        """
        for label in labels:
            self.writer.format_row(Row(0, (), ()), {**dict.fromkeys(self.added), self.added[0]: label})

    def _to_input_row(self, row: Row) -> InputRow:
        """Take the message out of a row."""
        if row.problem:
            return InputRow(None, row, row.problem)
        if existing := [name for name in self.added if name in row.names]:
            return InputRow(None, row, f"has '{existing[0]}' already")
        try:
            return InputRow(self.columns.read(row), row)
        except DataError as error:
            return InputRow(None, row, error.message)
        except UnreadableMessageError as error:
            return InputRow(None, row, str(error))


def open_rows(path: Path, message: MessageColumns, added: Sequence[str], spool: Path | None = None) -> RowFile:
    """Open a file, or standard input for `STANDARD_INPUT`.

    Args:
        message: the columns that hold the message.
        added: the columns that will be added.
        spool: folder for the copy of standard input.

    Raises:
        DataError: the file or a column does not exist, several tables fit, or a column to be added exists already.
    """
    if path != STANDARD_INPUT and not path.exists():
        raise DataError(f"There is no file at {path}.", hint=f"Give {SUPPORTED.partition(', or')[0]}, or - .")
    if path.is_dir():
        raise DataError(f"{path} is a folder.", hint="classify reads one file at a time.")
    tables = open_table(Source(path, spool=spool), message.named, every_column=True)
    if len(tables) > 1:
        names = ", ".join(table.name for table in tables)
        raise DataError(f"{path.name} has several sheets with messages: {names}.", hint="Save one as CSV UTF-8.")
    if not tables:
        raise DataError(f"{path.name} has no cells.", hint="The first row must name the columns.")
    (table,) = tables
    _check_columns(table, message.named, added)
    return RowFile(table, message, tuple(added), create_writer(table, tuple(added)))


def _check_columns(table: Table, text: Sequence[str], added: Sequence[str]) -> None:
    columns = table.columns
    if not any(name.strip() for name in columns):
        if isinstance(table.reader, JsonTable):
            return
        raise DataError(f"{table.name} has no rows.", hint="The first row must name the columns.")
    for name in text:
        try:
            is_present = find_column(columns, name) is not None
        except DataError as error:
            raise DataError(f"{table.name}: {error.message}", hint=error.hint) from None
        if not is_present:
            present = {normalise_name(column): column for column in columns}
            guess = next((present[likely] for likely in LIKELY_TEXTS if likely in present), "COLUMN")
            raise DataError(
                f"{table.name} has no column '{name}'. It has: {list_columns(columns)}.",
                hint=f"Say which one holds the message: --text {guess}",
            )
    if existing := [name for name in added if name in columns]:
        raise DataError(
            f"{table.name} has a column '{existing[0]}' already.",
            hint="Give the new columns a prefix, such as --prefix predicted_",
        )
