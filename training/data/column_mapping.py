"""Names of the columns in a team's own files, and the errors for missing columns.

The flags of `frontdesk train`, `evaluate` and `data check` have the names of the fields of `ColumnMapping`. Names of
columns are compared without case and surrounding spaces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from frontdesk.errors import DataError
from frontdesk.taxonomy import OUT_OF_SCOPE
from training.data.tables.rows import find_column, list_columns, normalise_name

LIKELY_TEXTS = ("utterance", "message", "query", "sentence", "question", "body", "description", "content")
LIKELY_INTENTS = ("category", "label", "class", "labels", "queue")


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """Names of the columns; '' for a field that the data does not have.

    Attributes:
        text: several columns if a message consists of several cells, such as subject and body.
        out_of_scope: not a column: the label of messages that fit no intent.
    """

    text: tuple[str, ...] = ("text",)
    intent: str = "intent"
    sentiment: str = "sentiment"
    group: str = "group"
    split: str = "split"
    out_of_scope: str = OUT_OF_SCOPE

    @property
    def named(self) -> tuple[str, ...]:
        """The names of all columns."""
        return tuple(name for name in (*self.text, self.intent, self.sentiment, self.group, self.split) if name)


DEFAULT_COLUMNS = ColumnMapping()


def check_columns(columns: ColumnMapping, files: Sequence[tuple[str, Sequence[str]]]) -> None:
    """Check that the files have the columns that `columns` names.

    Every file needs the text columns. A column with a non-default name must be in at least one file. At least one label
    column (intent or sentiment) is required.

    Args:
        columns: expected names.
        files: (file name, names of its columns).

    Raises:
        DataError: a column is missing, or two columns of a file have one name; the message lists the columns of the
            file, the hint has the flag to use.
    """
    for name, file_columns in files:
        for text in columns.text:
            if not _has_column(name, file_columns, text):
                raise _missing_column_error(name, file_columns, "text", text, LIKELY_TEXTS)
    for field in ("intent", "sentiment", "group", "split"):
        column = getattr(columns, field)
        is_present = [_has_column(name, file_columns, column) for name, file_columns in files]
        if files and not any(is_present) and column not in ("", getattr(DEFAULT_COLUMNS, field)):
            raise _missing_column_error(*files[0], field, column, LIKELY_INTENTS if field == "intent" else ())
    all_columns = {normalise_name(column) for _, file_columns in files for column in file_columns}
    mapped = {normalise_name(name) for name in (*columns.text, columns.sentiment, columns.group, columns.split)}
    candidates = [column for column in LIKELY_INTENTS if column in all_columns - mapped]
    has_intent, has_sentiment = (
        normalise_name(name) in all_columns - {""} for name in (columns.intent, columns.sentiment)
    )
    if files and not has_intent and (candidates or not has_sentiment):
        raise _missing_column_error(*files[0], "intent", columns.intent, candidates)


def _has_column(file: str, file_columns: Sequence[str], column: str) -> bool:
    try:
        return find_column(tuple(file_columns), column) is not None
    except DataError as error:
        raise DataError(f"{file}: {error.message}", hint=error.hint) from None


def _missing_column_error(
    file: str, file_columns: Sequence[str], field: str, column: str, candidates: Sequence[str]
) -> DataError:
    names = {normalise_name(name): name for name in file_columns}
    guess = next((names[candidate] for candidate in candidates if candidate in names), "COLUMN")
    message = f"{file} has no column '{column}'. It has: {list_columns(file_columns)}."
    return DataError(message, hint=f"Say which one holds the {field}: --{field} {guess}")
