"""`frontdesk build`: the champion into BentoML's model store, and a Bento that carries it."""

from __future__ import annotations

import os

import typer


def build() -> None:
    """Build a Bento with the champion inside, to be served or put into a container anywhere."""
    from frontdesk.config import load

    settings = load()
    bentoml_home = os.environ.setdefault(
        "BENTOML_HOME", str(settings.home / "bentoml")
    )  # BentoML reads it when imported
    os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")

    from bentos.bento_build import build_bento
    from bentos.wiring.model import open_trusted_bundle

    bundle = open_trusted_bundle(settings)
    tag = build_bento(bundle)
    typer.echo(f"{tag} carries the bundle {bundle.version}. Next:\n")
    typer.echo(f"  export BENTOML_HOME={bentoml_home}")
    typer.echo(f"  bentoml serve {tag}           # writes to FRONTDESK_HOME, ./var by default")
    typer.echo(f"  bentoml containerize {tag}    # see docs/container.md")
