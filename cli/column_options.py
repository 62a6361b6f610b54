"""Options for the column names of a team's own files, shared by all commands that read labelled rows."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import fields
from inspect import Parameter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from training.data.column_mapping import ColumnMapping

FILE_HELP = "A .csv, .tsv, .txt, .jsonl, .json, .xlsx or .parquet file (.gz too)."
PATH_HELP = f"{FILE_HELP[:-1]}, or a folder of them."
COLUMN_HELP = {
    "text": "The column that holds the message. Repeat the option to join several, such as subject and body.",
    "intent": "The column that holds the intent.",
    "sentiment": "The column that holds the sentiment.",
    "split": "The column with train, val or test. Default: by the file names train.*, val* and test.*.",
    "group": "The column whose equal values must stay in the same part of a split.",
    "out_of_scope": "The label of messages that fit no intent.",
}

LabelMapFile = Annotated[
    Path | None,
    typer.Option(
        "--label-map",
        metavar="FILE",
        help="New names of labels: lines `label: intent` (.yaml), or a table with the columns label and intent. "
        "Rows of a label without an intent are not used.",
    ),
]
TextColumns = Annotated[list[str] | None, typer.Option(metavar="COLUMN", help=COLUMN_HELP["text"], show_default="text")]

ColumnNames = dict[str, Any]
"""Fields of `training.data.column_mapping.ColumnMapping`, which is not installed on a machine that only serves."""


def with_column_options(command: Callable[..., None]) -> Callable[..., None]:
    """Replace the keyword parameter `columns` of a command by one option for each column."""
    parameters: list[Parameter] = []
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        parameters += map(_column_option, COLUMN_HELP) if parameter.name == "columns" else [parameter]

    @functools.wraps(command)
    def with_options(**options: Any) -> None:
        columns = {name: options.pop(name) for name in COLUMN_HELP}
        columns["text"] = text_columns(columns["text"])
        command(**options, columns=columns)

    with_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # read by typer
    with_options.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return with_options


def text_columns(names: list[str] | None) -> tuple[str, ...]:
    """Return the columns of the message that `--text` names."""
    return tuple(names or ("text",))


def non_default_options(columns: ColumnMapping, label_map: Path | None = None) -> list[str]:
    """Return the command line options for columns with a name other than the default, and for the label map."""
    from training.data.column_mapping import DEFAULT_COLUMNS

    named = {field.name: getattr(columns, field.name) for field in fields(columns)}
    unusual = {name: value for name, value in named.items() if value != getattr(DEFAULT_COLUMNS, name)}
    text_options = [word for name in unusual.pop("text", ()) for word in ("--text", name)]
    options = [word for name, value in unusual.items() for word in (f"--{name.replace('_', '-')}", value)]
    return text_options + options + (["--label-map", str(label_map)] if label_map else [])


def _column_option(name: str) -> Parameter:
    if name == "text":
        return Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=TextColumns)
    option = typer.Option(metavar="LABEL" if name == "out_of_scope" else "COLUMN", help=COLUMN_HELP[name])
    return Parameter(name, Parameter.KEYWORD_ONLY, default=name, annotation=Annotated[str, option])
