"""Names of the columns in a team's own files, and the errors for missing columns.

The flags of `frontdesk train`, `evaluate` and `data check` have the names of the fields of `ColumnMapping`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from frontdesk.errors import DataError
from frontdesk.taxonomy import OUT_OF_SCOPE

LIKELY_TEXTS = ("utterance", "message", "query", "sentence", "question", "body", "content")
LIKELY_INTENTS = ("category", "label", "class", "labels")


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """Names of the columns. `out_of_scope` is not a column: it is the label of messages that fit no intent."""

    text: str = "text"
    intent: str = "intent"
    sentiment: str = "sentiment"
    group: str = "group"
    split: str = "split"
    out_of_scope: str = OUT_OF_SCOPE


DEFAULT_COLUMNS = ColumnMapping()


def check_columns(columns: ColumnMapping, files: Sequence[tuple[str, Sequence[str]]]) -> None:
    """Check that the files have the columns that `columns` names.

    Every file needs the text column. A column with a non-default name must be in at least one file. At least one label
    column (intent or sentiment) is required.

    Args:
        columns: expected names.
        files: (file name, names of its columns).

    Raises:
        DataError: a column is missing; the message lists the columns of the file, the hint has the flag to use.
    """
    for name, file_columns in files:
        if columns.text not in file_columns:
            raise _missing_column_error(name, file_columns, "text", columns.text, LIKELY_TEXTS)
    all_columns = {column for _, file_columns in files for column in file_columns}
    for field in ("intent", "sentiment", "group", "split"):
        column = getattr(columns, field)
        if files and column not in all_columns and column not in ("", getattr(DEFAULT_COLUMNS, field)):
            raise _missing_column_error(*files[0], field, column, LIKELY_INTENTS if field == "intent" else ())
    mapped = {columns.text, columns.sentiment, columns.group, columns.split}
    candidates = [column for column in LIKELY_INTENTS if column in all_columns - mapped]
    label_columns = {columns.intent, columns.sentiment} & all_columns
    if files and columns.intent not in all_columns and (candidates or not label_columns):
        raise _missing_column_error(*files[0], "intent", columns.intent, candidates)


def _missing_column_error(
    file: str, present: Sequence[str], field: str, column: str, candidates: Sequence[str]
) -> DataError:
    guess = next((name for name in candidates if name in present), "COLUMN")
    message = f"{file} has no column '{column}'. It has: {', '.join(present) or 'none'}."
    return DataError(message, hint=f"Say which one holds the {field}: --{field} {guess}")
