"""`frontdesk promote` and `frontdesk rollback`: which bundle is served from the next start on."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.audit import note


def promote(
    version: Annotated[str, typer.Argument(help="A version of `frontdesk models`.")],
    force: Annotated[
        str, typer.Option("--force", metavar="REASON", help="Promote whatever the gate says; the reason is recorded.")
    ] = "",
) -> None:
    """Serve another bundle from the next start on, if it is not worse than the champion. It is verified first."""
    from rich.console import Console

    from cli.verdict import judged, refusal, tell_registry
    from frontdesk.config import load
    from frontdesk.errors import BundleError
    from model_store import promotion
    from model_store.bundle import open_bundle
    from model_store.signature import signer

    settings, console = load(), Console(stderr=True)
    bundle = open_bundle(settings.bundles / version)
    if force:
        reason = f"forced: {force}"
    else:
        verdict = judged(settings, bundle, console)
        if not verdict.passed:
            raise BundleError(
                refusal(verdict),
                field="gate",
                hint=f"The champion stays. To override, with a reason: frontdesk promote {version} --force REASON",
            )
        reason = f"passed the gate against {verdict.champion or 'the floor'}"
    signer(settings.keys).sign(bundle.path, bundle.manifest)
    promotion.promote(settings.bundles, bundle.version, reason)
    note(settings, "bundle.promote", bundle.version)
    tell_registry(settings, "champion", bundle.version, console)
    typer.echo(f"{bundle.version} is the champion now; a server that starts will serve it.")


def rollback(
    reason: Annotated[str, typer.Option(help="Why, for the history.")] = "rolled back without a reason given",
) -> None:
    """Serve the champion before this one again, from the next start on. Again, and it goes one further back."""
    from rich.console import Console

    from cli.verdict import tell_registry
    from frontdesk.config import load
    from frontdesk.errors import BundleError
    from model_store import promotion
    from model_store.signature import open_signed

    settings = load()
    if (target := promotion.previous(settings.bundles)) is not None:
        try:
            open_signed(settings.bundles / target, settings.keys, settings.security.bundle_keys)
        except BundleError as error:
            hint = "Choose another: frontdesk models, then frontdesk promote VERSION"
            raise BundleError(f"Cannot roll back: {error.message}", field=error.field, hint=hint) from None
    version = promotion.rollback(settings.bundles, reason)
    note(settings, "bundle.rollback", version)
    tell_registry(settings, "champion", version, Console(stderr=True))
    typer.echo(f"{version} is the champion again; a server that starts will serve it.")
