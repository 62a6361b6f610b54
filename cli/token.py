"""`frontdesk token`: a development token, signed with this machine's own key."""

from __future__ import annotations

from typing import Annotated

import typer


def token(
    subject: Annotated[str, typer.Option(help="Who the token speaks for.")] = "developer",
    tenant: Annotated[str, typer.Option(help="Whose rows it may see and write.")] = "default",
    scope: Annotated[
        list[str] | None, typer.Option(help="A scope to grant; repeat for several. Default: all but admin.")
    ] = None,
    ttl_s: Annotated[
        int | None, typer.Option(min=1, help="Its life in seconds. Default: from the configuration.")
    ] = None,
) -> None:
    """Print a token for the API. The key is made on first run and readable by its owner alone."""
    from frontdesk.config import load
    from frontdesk.security.keys import signing_key
    from frontdesk.security.tokens import SCOPES, mint

    settings = load()
    scopes = tuple(scope) if scope else tuple(known for known in SCOPES if known != "admin")
    typer.echo(
        mint(
            signing_key(settings.keys),
            settings.security,
            subject=subject,
            tenant=tenant,
            scopes=scopes,
            ttl_s=ttl_s or settings.security.token_ttl_s,
        )
    )
