"""`frontdesk data`: check labelled messages before training, and write a taxonomy of their labels."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import column_options as flags

if TYPE_CHECKING:
    from training.data.examples import RowLocation, RowResult
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
    label_map: flags.LabelMapFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List rows that cannot be used, and suspicious ones: repeated, on both sides of a split, doubtful, broken.

    Exit code 1 if a row cannot be used; notes alone give 0.
    """
    from rich.console import Console
    from rich.markup import escape

    from frontdesk.errors import DataError
    from training.data.column_mapping import ColumnMapping
    from training.data.data_check import find_row_issues
    from training.data.examples import check_out_of_scope_label, read_rows
    from training.data.label_map import read_label_map
    from training.data.tables import SUPPORTED

    with Console(stderr=True).status("reading") as status:
        mapping = ColumnMapping(**columns)
        rows = _CountedRows(read_rows(path, mapping, read_label_map(label_map)))
        issues = find_row_issues(rows, lambda step: status.update(escape(step)))
    if not rows.count:
        raise DataError(f"{path} has no rows.", hint=f"Give {SUPPORTED}.")
    check_out_of_scope_label(path, mapping, is_present=rows.has_out_of_scope)
    if as_json:
        typer.echo(_as_json(rows.count, issues))
    else:
        for issue in issues:
            typer.echo(f"{issue.location}: {issue.kind}: {issue.message}")
        typer.echo(_summary(rows.count, issues))
    if any(issue.kind == "error" for issue in issues):
        raise typer.Exit(1)


@app.command()
@flags.with_column_options
def taxonomy(
    path: Annotated[Path, typer.Argument(help=flags.PATH_HELP)],
    *,
    columns: flags.ColumnNames,
    label_map: flags.LabelMapFile = None,
) -> None:
    """Write a taxonomy of all labels to standard output. Edit it, then use it with `frontdesk train --taxonomy`.

    An intent without a policy is recognized and never automated.
    """
    from training.data.column_mapping import ColumnMapping
    from training.data.examples import read_examples
    from training.data.label_map import read_label_map
    from training.data.taxonomy_scaffold import render_taxonomy

    examples = read_examples(
        path, ColumnMapping(**columns), read_label_map(label_map), lambda remark: typer.echo(remark, err=True)
    )
    typer.echo(render_taxonomy(examples), nl=False)


class _CountedRows:
    """Iterates over the results of `read_rows` and counts the rows; one row may have several results.

    `has_out_of_scope` is whether a row has the label of messages that fit no intent.
    """

    def __init__(self, results: Iterator[tuple[RowLocation, RowResult]]) -> None:
        self._results = results
        self.count = 0
        self.has_out_of_scope = False

    def __iter__(self) -> Iterator[tuple[RowLocation, RowResult]]:
        previous: RowLocation | None = None
        for location, result in self._results:
            self.count += location != previous and location.line > 0
            previous = location
            self.has_out_of_scope = self.has_out_of_scope or getattr(result, "out_of_scope", False)
            yield location, result


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
