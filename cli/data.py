"""`frontdesk data`: check labelled messages before training, and write a taxonomy of their labels."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import column_options as flags

if TYPE_CHECKING:
    from training.data.row_issues import RowIssue

app = typer.Typer(help="Check labelled messages.", no_args_is_help=True)


@app.callback()
def data() -> None:
    """Check labelled messages."""


@app.command()
@flags.with_column_options
def check(
    path: Annotated[Path, typer.Argument(help=flags.PATH_HELP)],
    *,
    columns: flags.ColumnNames,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List rows that cannot be used, and suspicious ones: repeated, on both sides of a split, doubtful, broken.

    Exit code 1 if a row cannot be used; notes alone give 0.
    """
    from rich.console import Console

    from frontdesk.errors import DataError
    from training.data.column_mapping import ColumnMapping
    from training.data.data_check import find_row_issues
    from training.data.examples import read_rows

    with Console(stderr=True).status("reading") as status:
        rows = list(read_rows(path, ColumnMapping(**columns)))
        if not rows:
            raise DataError(f"{path} holds no rows.", hint=f"Give {flags.PATH_HELP}")
        issues = find_row_issues(rows, status.update)
    if as_json:
        typer.echo(_as_json(len(rows), issues))
    else:
        for issue in issues:
            typer.echo(f"{issue.location}: {issue.kind}: {issue.message}")
        typer.echo(_summary(len(rows), issues))
    if any(issue.kind == "error" for issue in issues):
        raise typer.Exit(1)


@app.command()
@flags.with_column_options
def taxonomy(
    path: Annotated[Path, typer.Argument(help=flags.PATH_HELP)],
    *,
    columns: flags.ColumnNames,
) -> None:
    """Write a taxonomy of all labels to standard output. Edit it, then use it with `frontdesk train --taxonomy`.

    An intent without a policy is recognized and never automated.
    """
    from training.data.column_mapping import ColumnMapping
    from training.data.examples import read_examples
    from training.data.taxonomy_scaffold import render_taxonomy

    examples = read_examples(path, ColumnMapping(**columns))
    typer.echo(render_taxonomy(examples), nl=False)


def _as_json(rows: int, issues: Sequence[RowIssue]) -> str:
    kinds = Counter(issue.kind for issue in issues)
    summary = {
        "rows": rows,
        "errors": kinds["error"],
        "notes": kinds["note"],
        "rules": dict(Counter(issue.rule for issue in issues).most_common()),
        "complaints": [
            {
                "file": issue.location.file,
                "line": issue.location.line,
                "kind": issue.kind,
                "rule": issue.rule,
                "told": issue.message,
            }
            for issue in issues
        ],
    }
    return json.dumps(summary, indent=2, ensure_ascii=False)


def _summary(rows: int, issues: Sequence[RowIssue]) -> str:
    parts = []
    for kind in ("error", "note"):
        rules = Counter(issue.rule for issue in issues if issue.kind == kind)
        counts = f" ({', '.join(f'{count} {rule}' for rule, count in rules.most_common())})" if rules else ""
        parts.append(f"{rules.total()} {kind}s{counts}")
    return f"{rows} rows: {', '.join(parts)}."
