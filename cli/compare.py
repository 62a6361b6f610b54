"""`frontdesk compare A B`: two bundles side by side on the held-out messages of the second. Changes nothing."""

from __future__ import annotations

from typing import Annotated

import typer

SHOWN_CHANGES = 5


def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="A version, in the champion's place.")],
    second: Annotated[str, typer.Argument(metavar="B", help="A version, in the challenger's place.")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Print what the gate would say if B challenged A, and the intents that change most."""
    import json
    from dataclasses import asdict

    from rich.console import Console
    from rich.table import Table

    from cli.verdict import show
    from frontdesk.config import load
    from model_store.bundle import open_bundle
    from model_store.gate import intent_changes, judge
    from training.comparison import measure

    settings, console = load(), Console()
    bundles = [open_bundle(settings.bundles / version) for version in (first, second)]
    before, after = measure(*bundles)
    assert before is not None  # measure gives a champion for a champion
    verdict = judge(before, after, settings.promotion)
    moved = [found for found in intent_changes(before, after) if found.change]
    largest = sorted(moved, key=lambda found: -abs(found.change))[:SHOWN_CHANGES]
    if as_json:
        told = {"passed": verdict.passed, **asdict(verdict), "intent_changes": [asdict(found) for found in largest]}
        typer.echo(json.dumps(told, indent=2))
        return
    show(verdict, console)
    for check in verdict.checks:
        console.print(f"{check.name}: {check.sentence}", highlight=False, soft_wrap=True)
    table = Table("intent", "rows", first, second, "change", title="largest changes", box=None)
    for found in largest:
        figures = (f"{found.champion:.2f}", f"{found.challenger:.2f}", f"{found.change:+.2f}")
        table.add_row(found.intent, str(found.rows), *figures)
    console.print(table if largest else "No intent changes.")
