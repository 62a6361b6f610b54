"""`frontdesk compare A B`: two bundles side by side on the held-out messages of the second. Changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from training.evaluation.comparison_stats import BundleComparison, Difference, IntentDifference, MetricPair

MAX_SHOWN_LOSSES, MAX_SHOWN_GAINS = 15, 5
"""Intents that are shown; those whose change is beyond chance always are."""


def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="A version, in the champion's place.")],
    second: Annotated[str, typer.Argument(metavar="B", help="A version, in the challenger's place.")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, with every intent.")] = False,
) -> None:
    """What differs between A and B, which of it is beyond chance, and what the gate would say if B challenged A.

    Both are asked about B's held-out messages. Intervals are paired bootstrap (95 %, 2,000 resamples), p-values are
    McNemar's exact ones; those of intents are corrected for the number of intents (Holm).
    """
    import json
    from dataclasses import asdict

    from rich.console import Console

    from bentos.wiring.model import open_bundle_at
    from cli.promotion_report import show_verdict
    from frontdesk.config import load
    from model_store.promotion_gate import decide_promotion
    from training.evaluation.comparison import load_comparison_rows, measure_bundles
    from training.evaluation.comparison_stats import compare_bundles

    settings, console = load(), Console()
    bundles = [open_bundle_at(settings, settings.bundles / version) for version in (first, second)]
    with Console(stderr=True).status("running both on the same held-out messages"):
        before, after = measure_bundles(bundles, load_comparison_rows(bundles[1]))
    verdict = decide_promotion(before.candidate, after.candidate, settings.promotion)
    found = compare_bundles(before, after)
    if as_json:
        typer.echo(json.dumps({"passed": verdict.passed, **asdict(verdict), **asdict(found)}, indent=2))
        return
    console.print(f"A  [bold]{first}[/]\nB  [bold]{second}[/]\n", highlight=False)
    _show_tasks(found, console)
    _show_figures(found.figures, console)
    _show_intents(found.intents, console)
    show_verdict(verdict, console)


def _show_tasks(found: BundleComparison, console: Console) -> None:
    from rich.table import Column, Table

    numbers = [Column(head, justify="right") for head in ("A", "B", "B - A")]
    table = Table("", *numbers, "95 % interval", "", box=None)
    for task in found.tasks:
        table.add_row(f"{task.task}, accuracy", *_cells(task.accuracy, higher_is_better=True))
        table.add_row(f"{task.task}, log loss", *_cells(task.log_loss, higher_is_better=False))
    console.print(table)
    for task in found.tasks:
        console.print(
            f"{task.task}: of {task.rows} rows A alone is right on {task.champion_alone}, B alone on "
            f"{task.challenger_alone}: {_p(task.p_value)}",
            highlight=False,
            soft_wrap=True,
        )
    console.print()


def _cells(found: Difference, *, higher_is_better: bool) -> tuple[str, str, str, str, str]:
    figures = (f"{found.champion:.3f}", f"{found.challenger:.3f}", f"{found.change:+.3f}")
    beyond = found.low > 0 or found.high < 0
    told = _told(beyond_chance=beyond, better=(found.change > 0) == higher_is_better)
    return (*figures, f"{found.low:+.3f} to {found.high:+.3f}", told)


def _told(*, beyond_chance: bool, better: bool) -> str:
    if not beyond_chance:
        return "[dim]may be chance[/]"
    return "[bold green]better[/]" if better else "[bold red]worse[/]"


def _show_figures(figures: tuple[MetricPair, ...], console: Console) -> None:
    from rich.table import Column, Table

    table = Table("", Column("A", justify="right"), Column("B", justify="right"), box=None)
    for figure in figures:
        table.add_row(figure.name, *(_value(value, figure.unit) for value in (figure.champion, figure.challenger)))
    console.print(table)
    console.print()


def _value(value: float | None, unit: str) -> str:
    if value is None:
        return "none"
    if unit == "%":
        return f"{value:.1%}"
    return f"{value:.1f} {unit}" if unit else f"{value:.3f}"


def _show_intents(intents: tuple[IntentDifference, ...], console: Console) -> None:
    from rich.table import Column, Table
    from rich.text import Text

    shown = _worth_showing(intents)
    if not shown:
        console.print("No intent changes.\n")
        return
    heads = ("rows", "A", "B", "B - A", "A alone", "B alone", "p (Holm)")
    title = f"{len(shown)} of {sum(found.change != 0 for found in intents)} intents that change, largest loss first"
    numbers = [Column(head, justify="right", no_wrap=True) for head in heads]
    table = Table("intent", *numbers, "", title=title, title_justify="left", box=None, padding=(0, 1, 0, 0))
    for found in shown:
        table.add_row(
            Text(found.intent, overflow="fold"),
            str(found.rows),
            *(f"{found.champion:.2f}", f"{found.challenger:.2f}", f"{found.change:+.2f}"),
            *(str(found.champion_alone), str(found.challenger_alone), f"{found.adjusted:.3f}"),
            _told(beyond_chance=found.beyond_chance, better=found.change > 0),
        )
    console.print(table)
    console.print()


def _worth_showing(intents: tuple[IntentDifference, ...]) -> list[IntentDifference]:
    losses = [found for found in intents if found.change < 0]
    gains = [found for found in reversed(intents) if found.change > 0]
    chosen = {found.intent for found in (*losses[:MAX_SHOWN_LOSSES], *gains[:MAX_SHOWN_GAINS])}
    return [found for found in intents if found.change and (found.intent in chosen or found.beyond_chance)]


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"
