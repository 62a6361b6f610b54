"""Print the verdict of the promotion gate and the aliases in MLflow, for `train`, `promote`, `rollback` and `compare`.

`model_store/promote.py` decides and promotes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from frontdesk.config import Settings
    from model_store.bundle import Bundle
    from model_store.promote import GateEvaluator, PromotionResult
    from model_store.promotion_gate import BundleMetrics, GateCheck, PromotionVerdict


def create_console_gate_evaluation(console: Console) -> GateEvaluator:
    """Return an Evaluation that compares bundles on this machine and prints the verdict.

    Training libraries are imported only when it is used; a forced promotion does not use it.
    """
    from model_store.promote import GateEvaluator

    def check_loadable(bundle: Bundle) -> None:
        from runners.ensemble.ensemble import Ensemble

        Ensemble.load(bundle)

    def measure(champion: Bundle | None, challenger: Bundle) -> tuple[BundleMetrics | None, BundleMetrics]:
        from training.evaluation import comparison

        with console.status("running champion and challenger on the same held-out messages"):
            return comparison.measure_for_promotion_gate(champion, challenger)

    def report(verdict: PromotionVerdict, floor_reason: str) -> None:
        show_verdict(verdict, console)
        if verdict.champion is None:
            console.print(f"Only the minimum requirements apply: {floor_reason}", highlight=False, soft_wrap=True)

    return GateEvaluator(check_loadable=check_loadable, measure=measure, report=report)


def show_verdict(verdict: PromotionVerdict, console: Console) -> None:
    """Print the checks as a table, then the notes."""
    from rich.table import Table
    from rich.text import Text

    table = Table("check", "champion", "challenger", "limit", "", title=f"{verdict.rows} held-out messages", box=None)
    for check in verdict.checks:
        name, *figures = format_check(check)
        table.add_row(Text(name), *figures, "passed" if check.passed else "[bold red]refused[/]")
    console.print(table)
    for note in verdict.notes:
        console.print(note, highlight=False, markup=False, soft_wrap=True)


def format_check(check: GateCheck) -> tuple[str, str, str, str]:
    """Return name, champion, challenger and limit. Counts are integers, other values have three digits."""
    before, after = (
        "" if value is None else str(value) if isinstance(value, int) else f"{value:.3f}"
        for value in (check.champion, check.challenger)
    )
    return check.name, before, after, f"{check.limit:.3g}"


def refusal_message(verdict: PromotionVerdict) -> str:
    """Return the message for a refused challenger, with one line for each failed check."""
    lines = "".join(f"\n  {check.name}: {check.sentence}" for check in verdict.failed_checks)
    return f"The gate refuses {verdict.challenger}:{lines}"


def show_registry_update(settings: Settings, result: PromotionResult, console: Console) -> None:
    """Print which version in MLflow has the alias, or why the registry was not updated."""
    line = f"In MLflow, {settings.training.experiment} {result.registry_version} has the alias {result.role}."
    if result.registry_error:
        line = f"The registry was not updated: {result.registry_error}."
    console.print(line, highlight=False, soft_wrap=True)
