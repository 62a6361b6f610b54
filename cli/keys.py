"""`frontdesk keys`: the keys of this machine. A server that runs sees a change within a second."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.audit import note
from cli.reseal import check_retirable, reseal

if TYPE_CHECKING:
    from frontdesk.config import Settings
    from frontdesk.security.key_files import KeyFiles

app = typer.Typer(
    help="The keys that sign tokens, those that seal what is stored, and the one that signs bundles.",
    no_args_is_help=True,
)


Sealing = Annotated[bool, typer.Option("--sealing", help="Of the keys that seal what is stored, not of tokens' keys.")]


@app.command()
def new(sealing: Sealing = False) -> None:
    """Make a key that verifies (or opens) and is not used yet: copy it to every machine, then rotate to it."""
    settings, files = _opened(sealing)
    key = files.add()
    note(settings, "keys.new", key.kid)
    typer.echo(key.kid)


@app.command()
def rotate(
    kid: Annotated[str | None, typer.Argument(help="Default: a new key, made now.")] = None, sealing: Sealing = False
) -> None:
    """Sign (or seal) with another key from now on. What the one before it made stays good until it is retired."""
    settings, files = _opened(sealing)
    key = files.rotate(kid)
    note(settings, "keys.rotate", key.kid)
    typer.echo(key.kid)


@app.command()
def retire(kid: Annotated[str, typer.Argument(help="A key that is not in use.")], sealing: Sealing = False) -> None:
    """Delete a key. Every token that it signed is refused from now on; one that still seals something stays."""
    settings, files = _opened(sealing)
    if sealing and kid in {key.kid for key in files.read().others}:
        check_retirable(settings, kid, files.resting_s(kid))
    files.retire(kid)
    note(settings, "keys.retire", kid)
    typer.echo(f"{kid} is retired.")


@app.command(name="list")
def list_keys(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list.")] = False, sealing: Sealing = False
) -> None:
    """Which keys there are, the one in use first. Never their secrets."""
    _, files = _opened(sealing)
    ring, (used, beside) = files.read(), ("seals", "opens") if sealing else ("signs", "verifies")
    rows = [{"kid": ring.active.kid, "use": used}, *({"kid": key.kid, "use": beside} for key in ring.others)]
    if as_json:
        typer.echo(json.dumps(rows))
    else:
        for row in rows:
            typer.echo(f"{row['kid']}  {row['use']}")


app.command(name="reseal")(reseal)


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
    signer(settings.keys).sign(opened.path, opened.manifest)
    note(settings, "bundle.sign", opened.version)
    typer.echo(f"{opened.version} is signed.")


def _opened(sealing: bool) -> tuple[Settings, KeyFiles]:
    from frontdesk.config import load
    from frontdesk.security.key_files import KeyFiles, Purpose

    settings = load()
    return settings, KeyFiles(settings.keys, Purpose.SEALING if sealing else Purpose.SIGNING)
