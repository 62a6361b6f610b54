"""Which column of a team's own files holds what, and what is said where it is not there.

The flags of `frontdesk train`, `evaluate` and `data check` have the names of the fields. Knows nothing of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from frontdesk.errors import DataError
from frontdesk.taxonomy import OUT_OF_SCOPE

LIKELY_TEXTS = ("utterance", "message", "query", "sentence", "question", "body", "content")
LIKELY_INTENTS = ("category", "label", "class", "labels")


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of the columns. `out_of_scope` is none: it is the label that marks what fits no intent."""

    text: str = "text"
    intent: str = "intent"
    sentiment: str = "sentiment"
    group: str = "group"
    split: str = "split"
    out_of_scope: str = OUT_OF_SCOPE


DEFAULT_COLUMNS = Columns()


def check_columns(columns: Columns, files: Sequence[tuple[str, Sequence[str]]]) -> None:
    """Ask whether the files, each a name and its columns, have what `columns` names.

    Every file needs the text. A column that was named needs to be in one of them, and so does one of the labels.

    Raises:
        DataError: saying which columns there are, and the flag to use.
    """
    for name, file_columns in files:
        if columns.text not in file_columns:
            raise _missing(name, file_columns, "text", columns.text, LIKELY_TEXTS)
    all_columns = {column for _, file_columns in files for column in file_columns}
    for field in ("intent", "sentiment", "group", "split"):
        column = getattr(columns, field)
        if files and column not in all_columns and column not in ("", getattr(DEFAULT_COLUMNS, field)):
            raise _missing(*files[0], field, column, LIKELY_INTENTS if field == "intent" else ())
    mapped = {columns.text, columns.sentiment, columns.group, columns.split}
    candidates = [column for column in LIKELY_INTENTS if column in all_columns - mapped]
    label_columns = {columns.intent, columns.sentiment} & all_columns
    if files and columns.intent not in all_columns and (candidates or not label_columns):
        raise _missing(*files[0], "intent", columns.intent, candidates)


def _missing(file: str, present: Sequence[str], field: str, column: str, candidates: Sequence[str]) -> DataError:
    guess = next((name for name in candidates if name in present), "COLUMN")
    message = f"{file} has no column '{column}'. It has: {', '.join(present) or 'none'}."
    return DataError(message, hint=f"Say which one holds the {field}: --{field} {guess}")
