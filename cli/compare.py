"""`frontdesk compare A B`: compare two bundles on the held-out messages of the second. Changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from training.evaluation.comparison_stats import BundleComparison, IntentDifference, MetricDifference, MetricPair

MAX_SHOWN_LOSSES, MAX_SHOWN_GAINS = 15, 5
"""Maximum numbers of shown intents. Intents whose change is beyond chance are always shown."""


def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="The version in the role of the champion.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The version in the role of the challenger.")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, with every intent.")] = False,
) -> None:
    """Show the differences between A and B, those beyond chance, and the result of the promotion gate for B against A.

    Both classify the held-out messages of B. Intervals are paired bootstrap intervals (95 %, 2,000 resamples). P-values
    are those of the exact McNemar test; p-values of intents are corrected for the number of intents (Holm).
    """
    import json
    from dataclasses import asdict

    from rich.console import Console

    from bentos.wiring.model import open_bundle_at
    from cli.promotion_report import show_verdict
    from frontdesk.config import load_settings
    from model_store.promotion_gate import decide_promotion
    from training.evaluation.comparison import load_comparison_rows, measure_bundles
    from training.evaluation.comparison_stats import compare_bundles

    settings, console = load_settings(), Console()
    bundles = [open_bundle_at(settings, settings.bundles / version) for version in (first, second)]
    with Console(stderr=True).status("running both bundles on the same held-out messages"):
        before, after = measure_bundles(bundles, load_comparison_rows(bundles[1]))
    verdict = decide_promotion(before.candidate, after.candidate, settings.promotion)
    comparison = compare_bundles(before, after)
    if as_json:
        typer.echo(json.dumps({"passed": verdict.passed, **asdict(verdict), **asdict(comparison)}, indent=2))
        return
    console.print(f"A  [bold]{first}[/]\nB  [bold]{second}[/]\n", highlight=False)
    _show_tasks(comparison, console)
    _show_metrics(comparison.figures, console)
    _show_intents(comparison.intents, console)
    show_verdict(verdict, console)


def _show_tasks(comparison: BundleComparison, console: Console) -> None:
    from rich.table import Column, Table

    numbers = [Column(head, justify="right") for head in ("A", "B", "B - A")]
    table = Table("", *numbers, "95 % interval", "", box=None)
    for task in comparison.tasks:
        table.add_row(f"{task.task}, accuracy", *_difference_cells(task.accuracy, higher_is_better=True))
        table.add_row(f"{task.task}, log loss", *_difference_cells(task.log_loss, higher_is_better=False))
    console.print(table)
    for task in comparison.tasks:
        console.print(
            f"{task.task}: of {task.rows} rows A alone is right on {task.champion_alone}, B alone on "
            f"{task.challenger_alone}: {_format_p(task.p_value)}",
            highlight=False,
            soft_wrap=True,
        )
    console.print()


def _difference_cells(difference: MetricDifference, *, higher_is_better: bool) -> tuple[str, str, str, str, str]:
    values = (f"{difference.champion:.3f}", f"{difference.challenger:.3f}", f"{difference.change:+.3f}")
    beyond_chance = difference.low > 0 or difference.high < 0
    label = _significance_label(beyond_chance=beyond_chance, better=(difference.change > 0) == higher_is_better)
    return (*values, f"{difference.low:+.3f} to {difference.high:+.3f}", label)


def _significance_label(*, beyond_chance: bool, better: bool) -> str:
    if not beyond_chance:
        return "[dim]may be chance[/]"
    return "[bold green]better[/]" if better else "[bold red]worse[/]"


def _show_metrics(metrics: tuple[MetricPair, ...], console: Console) -> None:
    from rich.table import Column, Table

    table = Table("", Column("A", justify="right"), Column("B", justify="right"), box=None)
    for metric in metrics:
        table.add_row(
            metric.name, *(_format_value(value, metric.unit) for value in (metric.champion, metric.challenger))
        )
    console.print(table)
    console.print()


def _format_value(value: float | None, unit: str) -> str:
    if value is None:
        return "none"
    if unit == "%":
        return f"{value:.1%}"
    return f"{value:.1f} {unit}" if unit else f"{value:.3f}"


def _show_intents(intents: tuple[IntentDifference, ...], console: Console) -> None:
    from rich.table import Column, Table
    from rich.text import Text

    selected = _select_intents(intents)
    if not selected:
        console.print("No intent changes.\n")
        return
    heads = ("rows", "A", "B", "B - A", "A alone", "B alone", "p (Holm)")
    title = f"{len(selected)} of {sum(each.change != 0 for each in intents)} intents that change, largest loss first"
    numbers = [Column(head, justify="right", no_wrap=True) for head in heads]
    table = Table("intent", *numbers, "", title=title, title_justify="left", box=None, padding=(0, 1, 0, 0))
    for difference in selected:
        table.add_row(
            Text(difference.intent, overflow="fold"),
            str(difference.rows),
            *(f"{difference.champion:.2f}", f"{difference.challenger:.2f}", f"{difference.change:+.2f}"),
            *(str(difference.champion_alone), str(difference.challenger_alone), f"{difference.adjusted:.3f}"),
            _significance_label(beyond_chance=difference.beyond_chance, better=difference.change > 0),
        )
    console.print(table)
    console.print()


def _select_intents(intents: tuple[IntentDifference, ...]) -> list[IntentDifference]:
    losses = [difference for difference in intents if difference.change < 0]
    gains = [difference for difference in reversed(intents) if difference.change > 0]
    selected = {difference.intent for difference in (*losses[:MAX_SHOWN_LOSSES], *gains[:MAX_SHOWN_GAINS])}
    return [
        difference
        for difference in intents
        if difference.change and (difference.intent in selected or difference.beyond_chance)
    ]


def _format_p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"
