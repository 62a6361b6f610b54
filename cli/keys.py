"""`frontdesk keys`: the keys that sign tokens on this machine. A server that runs sees a change within a second."""

from __future__ import annotations

import json
from typing import Annotated

import typer

app = typer.Typer(help="The keys that sign tokens.", no_args_is_help=True)


@app.command()
def new() -> None:
    """Make a key that verifies and does not sign yet: copy it to every machine, then rotate to it."""
    from frontdesk.config import load
    from frontdesk.security.keys import add_key

    typer.echo(add_key(load().keys).kid)


@app.command()
def rotate(kid: Annotated[str | None, typer.Argument(help="Default: a new key, made now.")] = None) -> None:
    """Sign with another key from now on. Tokens of the one before it stay good until it is retired."""
    from frontdesk.config import load
    from frontdesk.security import keys

    typer.echo(keys.rotate(load().keys, kid).kid)


@app.command()
def retire(kid: Annotated[str, typer.Argument(help="A key that does not sign any more.")]) -> None:
    """Delete a key: every token that it signed is refused from now on."""
    from frontdesk.config import load
    from frontdesk.security import keys

    keys.retire(load().keys, kid)
    typer.echo(f"{kid} is retired.")


@app.command(name="list")
def list_keys(as_json: Annotated[bool, typer.Option("--json", help="One JSON list.")] = False) -> None:
    """Which keys there are, the one that signs first. Never their secrets."""
    from frontdesk.config import load
    from frontdesk.security.keys import read_keyring

    ring = read_keyring(load().keys)
    rows = [{"kid": ring.active.kid, "use": "signs"}, *({"kid": key.kid, "use": "verifies"} for key in ring.others)]
    if as_json:
        typer.echo(json.dumps(rows))
    else:
        for row in rows:
            typer.echo(f"{row['kid']}  {row['use']}")
