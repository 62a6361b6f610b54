"""`frontdesk evaluate`: how good a sealed bundle is on any labelled file."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from training.appraisal import Appraisal


def evaluate(
    bundle: Annotated[str, typer.Argument(help="A version of `frontdesk models`, or the path of a bundle.")],
    data: Annotated[Path, typer.Option(help="A labelled .jsonl or .csv file, or a folder of them.")],
    intent: Annotated[str, typer.Option(help="The column that holds the intent.")] = "intent",
    unknown_is_out_of_scope: Annotated[
        bool, typer.Option("--unknown-is-out-of-scope", help="Count labels that the bundle lacks as out of scope.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Figures of a bundle on labelled messages, its worst intents, what it confuses, and how long a text takes.

    Rows that the bundle was trained on flatter it: give it others.
    """
    from rich.console import Console

    from frontdesk.config import load
    from model_store.bundle import open_bundle
    from runners.ensemble import Ensemble
    from training.appraisal import appraise
    from training.data import read_examples

    settings = load()
    examples = read_examples(data, intent)
    with Console(stderr=True).status(f"asking the bundle about {len(examples)} messages"):
        path = Path(bundle) if Path(bundle).is_dir() else settings.bundles / bundle
        opened = open_bundle(path)
        ensemble = Ensemble.load(opened, settings.model.onnx_threads)
        found = appraise(ensemble, examples, unknown_is_out_of_scope=unknown_is_out_of_scope)
    if as_json:
        typer.echo(json.dumps({"version": opened.version, **asdict(found)}, indent=2, ensure_ascii=False))
    else:
        _show(found, opened.version, Console(), unknown_is_out_of_scope=unknown_is_out_of_scope)


def _show(found: Appraisal, version: str, console: Console, *, unknown_is_out_of_scope: bool) -> None:
    console.print(f"[bold]{version}[/] on {found.rows} messages", highlight=False)
    if found.unknown:
        fate = "counted as out of scope" if unknown_is_out_of_scope else "left out of the intent figures"
        named = ", ".join(f"{label} ({count})" for label, count in found.unknown.items())
        told = f"{sum(found.unknown.values())} rows have an intent that the bundle does not know, {fate}: {named}"
        console.print(told, highlight=False, markup=False, soft_wrap=True)
    _show_figures(found.figures, console)
    _show_intents(found, console)
    _show_confused(found, console)
    latency = found.latency
    console.print(
        f"A text takes {latency.p50_ms:.2f} ms alone (95th percentile {latency.p95_ms:.2f} ms over {latency.texts} "
        f"texts), {latency.batched_ms:.2f} ms in full batches.",
        highlight=False,
    )


def _show_figures(figures: dict[str, Any], console: Console) -> None:
    from rich.table import Table

    for task in ("intent", "sentiment"):
        if not figures[task]:
            console.print(f"No row has a label for {task} that the bundle knows.", highlight=False)
            continue
        table = Table(task, "accuracy", "macro-F1", "log loss", "ECE", box=None)
        for name, row in figures[task].items():
            cells = [f"{row[figure]:.3f}" for figure in ("accuracy", "macro_f1", "log_loss", "ece")]
            table.add_row(name, *cells, style="bold" if name == "ensemble" else "")
        console.print(table)
    scope, sets, automation = figures["scope"], figures["conformal"], figures["automation"]
    console.print(
        f"Out of scope: {scope['recall']:.1%} found at {scope['false_alarm_rate']:.1%} false alarms. "
        f"Plausible intents: {sets['mean_set_size']:.1f} on average, the right one among them in "
        f"{sets['coverage']:.1%}. Over the automation threshold: {automation['share']:.1%} of messages, "
        f"{automation['error']:.1%} of them wrong.",
        highlight=False,
    )


def _show_intents(found: Appraisal, console: Console) -> None:
    from rich.table import Column, Table

    if not found.intents:
        return
    table = Table("intent, worst first", Column("rows", justify="right"), Column("accuracy", justify="right"), box=None)
    for row in found.intents:
        table.add_row(row.intent, str(row.rows), f"{row.accuracy:.1%}")
    console.print(table)


def _show_confused(found: Appraisal, console: Console) -> None:
    from rich.table import Column, Table
    from rich.text import Text

    if not found.confused:
        return
    table = Table("intent", "taken for", Column("rows", justify="right"), "for example (masked)", box=None)
    for pair in found.confused:
        table.add_row(pair.intent, pair.taken_for, str(pair.rows), Text(pair.example))
    console.print(table)
