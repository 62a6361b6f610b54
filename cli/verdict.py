"""The gate on this machine: two bundles are measured, judged, shown as a table, and the registry is told.

Where the decision is made: `model_store/gate.py`. Here is what `train`, `promote`, `rollback` and `compare` share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rich.console import Console

    from frontdesk.config import Settings
    from model_store.bundle import Bundle
    from model_store.gate import Check, Verdict


def judged(settings: Settings, challenger: Bundle, console: Console) -> Verdict:
    """Hold the challenger against the champion, or against the floor where no champion can run; show the table."""
    from model_store.gate import judge
    from training.evaluation.comparison import measure

    with console.status("running champion and challenger on the same held-out messages"):
        champion, why_not = _champion(settings)
        before, after = measure(champion, challenger)
        verdict = judge(before, after, settings.promotion)
    show(verdict, console)
    if champion is None:
        console.print(f"Only the floor counts: {why_not}", highlight=False, soft_wrap=True)
    return verdict


def show(verdict: Verdict, console: Console) -> None:
    """The checks as a table, then what to know when reading them."""
    from rich.table import Table

    table = Table("check", "champion", "challenger", "limit", "", title=f"{verdict.rows} held-out messages", box=None)
    for check in verdict.checks:
        table.add_row(*cells(check), "passed" if check.passed else "[bold red]refused[/]")
    console.print(table)
    for note in verdict.notes:
        console.print(note, highlight=False, soft_wrap=True)


def cells(check: Check) -> tuple[str, str, str, str]:
    """Name, champion, challenger and limit: counts as whole numbers, figures with three digits."""
    before, after = (
        "" if value is None else str(value) if isinstance(value, int) else f"{value:.3f}"
        for value in (check.champion, check.challenger)
    )
    return check.name, before, after, f"{check.limit:.3g}"


def refusal(verdict: Verdict) -> str:
    """What the gate refuses and by which figures, a line each."""
    lines = "".join(f"\n  {check.name}: {check.sentence}" for check in verdict.refused_by)
    return f"The gate refuses {verdict.challenger}:{lines}"


def tell_registry(settings: Settings, alias: Literal["champion", "challenger"], version: str, console: Console) -> None:
    """Move MLflow's alias in step. The pointer on this machine is what counts, so a failure is said, not raised."""
    from model_store.registry import RegistryNotTold, mark_bundle

    experiment = settings.training.experiment
    try:
        number = mark_bundle(alias, version, tracking_uri=settings.tracking_uri, experiment=experiment)
    except RegistryNotTold as error:
        console.print(f"The registry was not told: {error}.", highlight=False, soft_wrap=True)
    else:
        console.print(f"In MLflow, {experiment} {number} has the alias {alias}.", highlight=False, soft_wrap=True)


def _champion(settings: Settings) -> tuple[Bundle | None, str]:
    """The champion where it can run here, else why it cannot: it could not be served either."""
    from frontdesk.errors import BundleError
    from model_store.promotion import champion_path
    from model_store.signature import open_signed
    from runners.ensemble.ensemble import Ensemble

    try:
        bundle = open_signed(champion_path(settings.bundles), settings.keys, settings.security.bundle_keys)
        Ensemble.load(bundle)
    except BundleError as error:
        return None, error.message
    return bundle, ""
