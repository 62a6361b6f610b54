"""`frontdesk evaluate`: how good a sealed bundle is on any labelled file."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import column_options as flags
from cli.metric_summary import show_metrics

if TYPE_CHECKING:
    from rich.console import Console

    from training.evaluation.bundle_evaluation import BundleEvaluation


@flags.with_column_options
def evaluate(
    bundle: Annotated[str, typer.Argument(help="A version of `frontdesk models`, or the path of a bundle.")],
    data: Annotated[Path, typer.Option(help=flags.PATH_HELP)],
    *,
    columns: flags.ColumnNames,
    all_rows: Annotated[
        bool, typer.Option("--all", help="Every row, also where the data has a split. Default: its test rows.")
    ] = False,
    unknown_is_out_of_scope: Annotated[
        bool, typer.Option("--unknown-is-out-of-scope", help="Count labels that the bundle lacks as out of scope.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Figures of a bundle on labelled messages, its worst intents, what it confuses, and how long a text takes.

    Rows that the bundle was trained on flatter it: give it others.
    """
    from rich.console import Console

    from bentos.wiring.model import open_bundle_at
    from frontdesk.config import load
    from runners.ensemble.ensemble import Ensemble
    from training.data.column_mapping import Columns
    from training.data.examples import read_examples
    from training.evaluation.bundle_evaluation import evaluate_bundle

    settings = load()
    found_rows = read_examples(data, Columns(**columns))
    test_rows = () if all_rows else tuple(row for row in found_rows if row.part == "test")
    examples = test_rows or found_rows
    with Console(stderr=True).status(f"asking the bundle about {len(examples)} messages"):
        path = Path(bundle) if Path(bundle).is_dir() else settings.bundles / bundle
        opened = open_bundle_at(settings, path)
        ensemble = Ensemble.load(opened, settings.model.onnx_threads)
        found = evaluate_bundle(ensemble, examples, unknown_is_out_of_scope=unknown_is_out_of_scope)
    if as_json:
        told = {"version": opened.version, "of_rows": len(found_rows), **asdict(found)}
        typer.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        if len(examples) < len(found_rows):
            typer.echo(f"The {len(examples)} test rows of {len(found_rows)}; with --all every row.")
        _show(found, opened.version, Console(), unknown_is_out_of_scope=unknown_is_out_of_scope)


def _show(found: BundleEvaluation, version: str, console: Console, *, unknown_is_out_of_scope: bool) -> None:
    console.print(f"[bold]{version}[/] on {found.rows} messages", highlight=False)
    if found.unknown:
        fate = "counted as out of scope" if unknown_is_out_of_scope else "left out of the intent figures"
        named = ", ".join(f"{label} ({count})" for label, count in found.unknown.items())
        told = f"{sum(found.unknown.values())} rows have an intent that the bundle does not know, {fate}: {named}"
        console.print(told, highlight=False, markup=False, soft_wrap=True)
    show_metrics(found.figures, console)
    _show_intents(found, console)
    _show_confused(found, console)
    latency = found.latency
    console.print(
        f"A text takes {latency.p50_ms:.2f} ms alone (95th percentile {latency.p95_ms:.2f} ms over {latency.texts} "
        f"texts), {latency.batched_ms:.2f} ms in full batches.",
        highlight=False,
    )


def _show_intents(found: BundleEvaluation, console: Console) -> None:
    from rich.table import Column, Table

    if not found.intents:
        return
    table = Table("intent, worst first", Column("rows", justify="right"), Column("accuracy", justify="right"), box=None)
    for row in found.intents:
        table.add_row(row.intent, str(row.rows), f"{row.accuracy:.1%}")
    console.print(table)


def _show_confused(found: BundleEvaluation, console: Console) -> None:
    from rich.table import Column, Table
    from rich.text import Text

    if not found.confused:
        return
    table = Table("intent", "taken for", Column("rows", justify="right"), "for example (masked)", box=None)
    for pair in found.confused:
        table.add_row(pair.intent, pair.taken_for, str(pair.rows), Text(pair.example))
    console.print(table)
