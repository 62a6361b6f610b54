"""`frontdesk promote` and `frontdesk rollback`: which bundle is served from the next start on."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.audit import audit_if_possible


def promote(
    version: Annotated[str, typer.Argument(help="A version of `frontdesk models`.")],
    force: Annotated[
        str, typer.Option("--force", metavar="REASON", help="Promote whatever the gate says; the reason is recorded.")
    ] = "",
) -> None:
    """Serve another bundle from the next start on, if it is not worse than the champion. It is verified first."""
    from rich.console import Console

    from cli.promotion_report import console_evaluation, refusal_message, show_registry
    from frontdesk.config import load
    from frontdesk.errors import BundleError
    from model_store.bundle import open_bundle
    from model_store.promote import promote_bundle

    settings, console = load(), Console(stderr=True)
    bundle = open_bundle(settings.bundles / version)
    result = promote_bundle(settings, bundle, console_evaluation(console), audit_if_possible, force_reason=force)
    if result.failed_verdict:
        raise BundleError(
            refusal_message(result.failed_verdict),
            field="gate",
            hint=f"The champion stays. To override, with a reason: frontdesk promote {version} --force REASON",
        )
    show_registry(settings, result, console)
    typer.echo(f"{result.version} is the champion now; a server that starts will serve it.")


def rollback(
    reason: Annotated[str, typer.Option(help="Why, for the history.")] = "rolled back without a reason given",
) -> None:
    """Serve the champion before this one again, from the next start on. Again, and it goes one further back."""
    from rich.console import Console

    from cli.promotion_report import show_registry
    from frontdesk.config import load
    from model_store.promote import roll_back

    settings = load()
    result = roll_back(settings, reason, audit_if_possible)
    show_registry(settings, result, Console(stderr=True))
    typer.echo(f"{result.version} is the champion again; a server that starts will serve it.")
