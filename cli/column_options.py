"""The options that map the columns of a team's own files, the same ones for every command that reads labelled rows."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import fields
from inspect import Parameter
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from training.data.column_mapping import Columns

PATH_HELP = "A .csv, .jsonl or .parquet file (.gz too), or a folder of them."
COLUMN_HELP = {
    "text": "The column that holds the message.",
    "intent": "The column that holds the intent.",
    "sentiment": "The column that holds the sentiment.",
    "split": "The column that says train, val or test. Without it, files train.*, val* and test.* do.",
    "group": "The column that holds together rows which no split may part.",
    "out_of_scope": "The intent that marks what fits none.",
}

ColumnNames = dict[str, str]
"""The fields of `training.data.column_mapping.Columns`, which a machine that only serves does not have."""


def with_column_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command one option for each column in the place of its keyword parameter `columns`."""
    parameters: list[Parameter] = []
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        parameters += map(_option, COLUMN_HELP) if parameter.name == "columns" else [parameter]

    @functools.wraps(command)
    def with_options(**options: Any) -> None:
        columns = {name: options.pop(name) for name in COLUMN_HELP}
        command(**options, columns=columns)

    with_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # read by typer
    with_options.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return with_options


def non_default_options(columns: Columns) -> list[str]:
    """The flags that say what is not as usual."""
    from training.data.column_mapping import DEFAULT_COLUMNS

    named = {field.name: getattr(columns, field.name) for field in fields(columns)}
    unusual = ((name, value) for name, value in named.items() if value != getattr(DEFAULT_COLUMNS, name))
    return [word for name, value in unusual for word in (f"--{name.replace('_', '-')}", value)]


def _option(name: str) -> Parameter:
    option = typer.Option(metavar="LABEL" if name == "out_of_scope" else "COLUMN", help=COLUMN_HELP[name])
    return Parameter(name, Parameter.KEYWORD_ONLY, default=name, annotation=Annotated[str, option])
