"""`frontdesk promote` and `frontdesk rollback`: change the bundle that is served from the next start on."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.audit import audit_if_possible


def promote(
    version: Annotated[str, typer.Argument(help="A version of `frontdesk models`.")],
    force: Annotated[
        str,
        typer.Option(
            "--force", metavar="REASON", help="Promote regardless of the promotion gate; the reason is recorded."
        ),
    ] = "",
) -> None:
    """Verify a bundle and make it the champion from the next start on, if it passes the promotion gate."""
    from rich.console import Console

    from cli.promotion_report import create_console_gate_evaluation, refusal_message, show_registry_update
    from frontdesk.config import load_settings
    from frontdesk.errors import BundleError
    from model_store.bundle import open_bundle
    from model_store.promote import promote_bundle

    settings, console = load_settings(), Console(stderr=True)
    bundle = open_bundle(settings.bundles / version)
    result = promote_bundle(
        settings, bundle, create_console_gate_evaluation(console), audit_if_possible, force_reason=force
    )
    if result.failed_verdict:
        raise BundleError(
            refusal_message(result.failed_verdict),
            field="gate",
            hint=f"The champion stays. To override, with a reason: frontdesk promote {version} --force REASON",
        )
    show_registry_update(settings, result, console)
    typer.echo(f"{result.version} is the champion now; the next server start will serve it.")


def rollback(
    reason: Annotated[str, typer.Option(help="Reason, for the history.")] = "rolled back without a reason given",
) -> None:
    """Return to the previous champion from the next start on. Repeat to go further back."""
    from rich.console import Console

    from cli.promotion_report import show_registry_update
    from frontdesk.config import load_settings
    from model_store.promote import roll_back

    settings = load_settings()
    result = roll_back(settings, reason, audit_if_possible)
    show_registry_update(settings, result, Console(stderr=True))
    typer.echo(f"{result.version} is the champion again; the next server start will serve it.")
