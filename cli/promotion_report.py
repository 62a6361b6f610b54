"""The gate on this machine: how its verdict and MLflow's aliases are shown by `train`, `promote` and `rollback`.

`model_store/promote.py` decides and acts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from frontdesk.config import Settings
    from model_store.bundle import Bundle
    from model_store.promote import Evaluation, PromotionResult
    from model_store.promotion_gate import BundleMetrics, GateCheck, Verdict


def console_evaluation(console: Console) -> Evaluation:
    """Compare bundles on this machine, and show the verdict on `console`. A forced promotion imports none of this."""
    from model_store.promote import Evaluation

    def check_loadable(bundle: Bundle) -> None:
        from runners.ensemble.ensemble import Ensemble

        Ensemble.load(bundle)

    def measure(champion: Bundle | None, challenger: Bundle) -> tuple[BundleMetrics | None, BundleMetrics]:
        from training.evaluation import comparison

        with console.status("running champion and challenger on the same held-out messages"):
            return comparison.measure(champion, challenger)

    def report(verdict: Verdict, why_floor: str) -> None:
        show_verdict(verdict, console)
        if verdict.champion is None:
            console.print(f"Only the floor counts: {why_floor}", highlight=False, soft_wrap=True)

    return Evaluation(check_loadable=check_loadable, measure=measure, report=report)


def show_verdict(verdict: Verdict, console: Console) -> None:
    """The checks as a table, then what to know when reading them."""
    from rich.table import Table

    table = Table("check", "champion", "challenger", "limit", "", title=f"{verdict.rows} held-out messages", box=None)
    for check in verdict.checks:
        table.add_row(*format_check(check), "passed" if check.passed else "[bold red]refused[/]")
    console.print(table)
    for note in verdict.notes:
        console.print(note, highlight=False, soft_wrap=True)


def format_check(check: GateCheck) -> tuple[str, str, str, str]:
    """Name, champion, challenger and limit: counts as whole numbers, figures with three digits."""
    before, after = (
        "" if value is None else str(value) if isinstance(value, int) else f"{value:.3f}"
        for value in (check.champion, check.challenger)
    )
    return check.name, before, after, f"{check.limit:.3g}"


def refusal_message(verdict: Verdict) -> str:
    """What the gate refuses and by which figures, a line each."""
    lines = "".join(f"\n  {check.name}: {check.sentence}" for check in verdict.failed_checks)
    return f"The gate refuses {verdict.challenger}:{lines}"


def show_registry(settings: Settings, result: PromotionResult, console: Console) -> None:
    """Tell which version in MLflow has the alias now, or why none has."""
    line = f"In MLflow, {settings.training.experiment} {result.registry_version} has the alias {result.role}."
    if result.registry_error:
        line = f"The registry was not told: {result.registry_error}."
    console.print(line, highlight=False, soft_wrap=True)
