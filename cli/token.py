"""`frontdesk token`: a development token, signed with this machine's own key; `token inspect`: what one says."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

app = typer.Typer(help="Mint a token for the API, or look into one.", invoke_without_command=True)


@app.callback()
def token(
    context: typer.Context,
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
    if context.invoked_subcommand is not None:
        return
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


@app.command()
def inspect(
    token: Annotated[str, typer.Argument(help="The token; - reads it from standard input, out of process lists.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show what a token says, and whether this server would believe it; exit code 1 where it would not."""
    from rich.console import Console

    from bentos.wiring import token_keys
    from frontdesk.config import load
    from frontdesk.errors import Unauthenticated
    from frontdesk.security.tokens import verify

    settings = load()
    text = sys.stdin.read().strip() if token == "-" else token  # noqa: S105 - a dash is no secret
    verdict = "good"
    try:
        verify(text, token_keys(settings), settings.security)
    except Unauthenticated as error:
        verdict = error.message
    shown = {"verdict": verdict, "header": _part(text, 0), "claims": _part(text, 1)}
    if as_json:
        typer.echo(json.dumps(shown))
    else:
        console = Console(highlight=False, soft_wrap=True)
        for name, value in shown.items():
            console.print(f"[bold]{name}[/]", end=" ")
            console.print(json.dumps(value, indent=2) if isinstance(value, dict) else value, markup=False)
    raise typer.Exit(0 if verdict == "good" else 1)


def _part(token: str, place: int) -> dict[str, Any] | None:
    """What a part of the token says, believed or not; None where it says nothing that can be read."""
    import base64

    try:
        part = token.split(".")[place]
        said = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None
