"""`frontdesk data check`: what is wrong with labelled messages, before a training run finds out."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Look at labelled messages.", no_args_is_help=True)


@app.callback()
def data() -> None:
    """Look at labelled messages."""


@app.command()
def check(
    path: Annotated[Path, typer.Argument(help="A .jsonl or .csv file, or a folder of them.")],
    intent: Annotated[str, typer.Option(help="The column that holds the intent.")] = "intent",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List every row that cannot be used, and those worth a look: repeated, nearly repeated, doubtful, mixed, long.

    Exit code 1 when something cannot be used; notes alone leave it 0.
    """
    from rich.console import Console

    from frontdesk.errors import DataError
    from training.data import read_rows
    from training.data_check import check as complaints_about

    with Console(stderr=True).status("reading"):
        rows = list(read_rows(path, intent))
        if not rows:
            raise DataError(f"{path} holds no rows.", hint="Give a .jsonl or .csv file with a `text` column.")
        complaints = complaints_about(rows)
    counted = Counter(complaint.kind for complaint in complaints)
    if as_json:
        told = [
            {"file": of.place.file, "line": of.place.line, "kind": of.kind, "rule": of.rule, "told": of.told}
            for of in complaints
        ]
        summary = {"rows": len(rows), "errors": counted["error"], "notes": counted["note"], "complaints": told}
        typer.echo(json.dumps(summary, indent=2, ensure_ascii=False))
    else:
        for complaint in complaints:
            typer.echo(f"{complaint.place}: {complaint.kind}: {complaint.told}")
        typer.echo(f"{len(rows)} rows: {counted['error']} errors, {counted['note']} notes.")
    if counted["error"]:
        raise typer.Exit(1)
