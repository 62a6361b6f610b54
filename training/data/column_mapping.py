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
    for name, found in files:
        if columns.text not in found:
            raise _missing(name, found, "text", columns.text, LIKELY_TEXTS)
    everywhere = {column for _, found in files for column in found}
    for field in ("intent", "sentiment", "group", "split"):
        column = getattr(columns, field)
        if files and column not in everywhere and column not in ("", getattr(DEFAULT_COLUMNS, field)):
            raise _missing(*files[0], field, column, LIKELY_INTENTS if field == "intent" else ())
    taken = {columns.text, columns.sentiment, columns.group, columns.split}
    likely = [column for column in LIKELY_INTENTS if column in everywhere - taken]
    labelled = {columns.intent, columns.sentiment} & everywhere
    if files and columns.intent not in everywhere and (likely or not labelled):
        raise _missing(*files[0], "intent", columns.intent, likely)


def _missing(file: str, found: Sequence[str], field: str, column: str, likely: Sequence[str]) -> DataError:
    guess = next((name for name in likely if name in found), "COLUMN")
    told = f"{file} has no column '{column}'. It has: {', '.join(found) or 'none'}."
    return DataError(told, hint=f"Say which one holds the {field}: --{field} {guess}")
