"""The flags that say where a team's own files hold what: the same ones for every command that reads labelled rows."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from training.data.column_mapping import Columns

PATH = "A .csv, .jsonl or .parquet file (.gz too), or a folder of them."

Text = Annotated[str, typer.Option(metavar="COLUMN", help="The column that holds the message.")]
Intent = Annotated[str, typer.Option(metavar="COLUMN", help="The column that holds the intent.")]
Sentiment = Annotated[str, typer.Option(metavar="COLUMN", help="The column that holds the sentiment.")]
Split = Annotated[
    str,
    typer.Option(
        metavar="COLUMN", help="The column that says train, val or test. Without it, files train.*, val* and test.* do."
    ),
]
Group = Annotated[
    str, typer.Option(metavar="COLUMN", help="The column that holds together rows which no split may part.")
]
OutOfScope = Annotated[str, typer.Option(metavar="LABEL", help="The intent that marks what fits none.")]


def flags(columns: Columns) -> list[str]:
    """The flags that say what is not as usual."""
    from training.data.column_mapping import STANDARD

    named = {field.name: getattr(columns, field.name) for field in fields(columns)}
    unusual = ((name, value) for name, value in named.items() if value != getattr(STANDARD, name))
    return [word for name, value in unusual for word in (f"--{name.replace('_', '-')}", value)]
