"""`frontdesk evaluate`: measure a bundle on a labelled file."""

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
    label_map: flags.LabelMapFile = None,
    all_rows: Annotated[
        bool, typer.Option("--all", help="All rows, even if the data has a split. Default: its test rows.")
    ] = False,
    unknown_is_out_of_scope: Annotated[
        bool,
        typer.Option("--unknown-is-out-of-scope", help="Count labels that the bundle does not have as out of scope."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Print the metrics of a bundle on labelled messages: totals, worst intents, confusions, and time per text.

    Use rows that the bundle was not trained on; others give metrics that are too good.
    """
    from rich.console import Console

    from bentos.wiring.model import open_bundle_at
    from frontdesk.config import load_settings
    from frontdesk.masking.masker import check_masking_version, load_masker
    from runners.ensemble.ensemble import Ensemble
    from training.data.column_mapping import ColumnMapping
    from training.data.examples import read_examples
    from training.data.label_map import read_label_map
    from training.evaluation.bundle_evaluation import evaluate_bundle

    settings = load_settings()
    labelled_rows = read_examples(
        data,
        ColumnMapping(**columns),
        read_label_map(label_map),
        lambda remark: typer.echo(remark, err=True),
        load_masker(settings.masking.name_tagger).mask,
    )
    test_rows = () if all_rows else tuple(row for row in labelled_rows if row.part == "test")
    examples = test_rows or labelled_rows
    with Console(stderr=True).status(f"classifying {len(examples)} messages"):
        path = Path(bundle) if Path(bundle).is_dir() else settings.bundles / bundle
        opened_bundle = open_bundle_at(settings, path)
        check_masking_version(
            opened_bundle.version, opened_bundle.manifest.masking_version, settings.masking.name_tagger
        )
        ensemble = Ensemble.load(opened_bundle, settings.model.onnx_threads)
        evaluation = evaluate_bundle(ensemble, examples, unknown_is_out_of_scope=unknown_is_out_of_scope)
    if as_json:
        result = {"version": opened_bundle.version, "of_rows": len(labelled_rows), **asdict(evaluation)}
        typer.echo(json.dumps(result, indent=2, ensure_ascii=False))
    else:
        if len(examples) < len(labelled_rows):
            typer.echo(f"The {len(examples)} test rows of {len(labelled_rows)}; with --all every row.")
        _show_evaluation(evaluation, opened_bundle.version, Console(), unknown_is_out_of_scope=unknown_is_out_of_scope)


def _show_evaluation(
    evaluation: BundleEvaluation, version: str, console: Console, *, unknown_is_out_of_scope: bool
) -> None:
    from rich.markup import escape

    console.print(f"[bold]{escape(version)}[/] on {evaluation.rows} messages", highlight=False)
    if evaluation.unknown:
        treatment = "counted as out of scope" if unknown_is_out_of_scope else "left out of the intent metrics"
        labels = ", ".join(f"{label} ({count})" for label, count in evaluation.unknown.items())
        message = f"{sum(evaluation.unknown.values())} rows have an intent that the bundle lacks, {treatment}: {labels}"
        console.print(message, highlight=False, markup=False, soft_wrap=True)
    show_metrics(evaluation.figures, console)
    _show_intents(evaluation, console)
    _show_confusions(evaluation, console)
    latency = evaluation.latency
    console.print(
        f"A text takes {latency.p50_ms:.2f} ms alone (95th percentile {latency.p95_ms:.2f} ms over {latency.texts} "
        f"texts), {latency.batched_ms:.2f} ms in full batches.",
        highlight=False,
    )


def _show_intents(evaluation: BundleEvaluation, console: Console) -> None:
    from rich.table import Column, Table
    from rich.text import Text

    if not evaluation.intents:
        return
    table = Table("intent, worst first", Column("rows", justify="right"), Column("accuracy", justify="right"), box=None)
    for row in evaluation.intents:
        table.add_row(Text(row.intent), str(row.rows), f"{row.accuracy:.1%}")
    console.print(table)


def _show_confusions(evaluation: BundleEvaluation, console: Console) -> None:
    from rich.table import Column, Table
    from rich.text import Text

    if not evaluation.confused:
        return
    table = Table("intent", "taken for", Column("rows", justify="right"), "for example (masked)", box=None)
    for pair in evaluation.confused:
        table.add_row(Text(pair.intent), Text(pair.taken_for), str(pair.rows), Text(pair.example))
    console.print(table)
