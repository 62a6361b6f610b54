"""`frontdesk keys`: the keys of this machine. A server that runs sees a change of those of tokens within a second."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cli.audit import note

app = typer.Typer(help="The keys that sign tokens, and the one that signs bundles.", no_args_is_help=True)


@app.command()
def new() -> None:
    """Make a key that verifies and does not sign yet: copy it to every machine, then rotate to it."""
    from frontdesk.config import load
    from frontdesk.security.keys import add_key

    settings = load()
    key = add_key(settings.keys)
    note(settings, "keys.new", key.kid)
    typer.echo(key.kid)


@app.command()
def rotate(kid: Annotated[str | None, typer.Argument(help="Default: a new key, made now.")] = None) -> None:
    """Sign with another key from now on. Tokens of the one before it stay good until it is retired."""
    from frontdesk.config import load
    from frontdesk.security import keys

    settings = load()
    key = keys.rotate(settings.keys, kid)
    note(settings, "keys.rotate", key.kid)
    typer.echo(key.kid)


@app.command()
def retire(kid: Annotated[str, typer.Argument(help="A key that does not sign any more.")]) -> None:
    """Delete a key: every token that it signed is refused from now on."""
    from frontdesk.config import load
    from frontdesk.security import keys

    settings = load()
    keys.retire(settings.keys, kid)
    note(settings, "keys.retire", kid)
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


@app.command()
def bundle() -> None:
    """The public key of this machine's promotions, for security.bundle_keys of others."""
    from frontdesk.config import load
    from model_store.signature import signer

    typer.echo(signer(load().keys).public)


@app.command()
def sign(folder: Annotated[Path, typer.Argument(help="A bundle that is not among those of this home.")]) -> None:
    """Let a bundle be served that model.bundle names. `frontdesk promote` signs those of this home."""
    from frontdesk.config import load
    from model_store.bundle import open_bundle
    from model_store.signature import signer

    opened = open_bundle(folder)
    settings = load()
    signer(settings.keys).sign(opened.path)
    note(settings, "bundle.sign", opened.version)
    typer.echo(f"{opened.version} is signed.")
