"""`frontdesk build`: put the champion into BentoML's model store and build a Bento with it."""

from __future__ import annotations

import os

import typer


def build() -> None:
    """Build a Bento that contains the champion, to be served or containerized on any machine."""
    from frontdesk.config import load_settings

    settings = load_settings()
    bentoml_home = os.environ.setdefault("BENTOML_HOME", str(settings.home / "bentoml"))  # BentoML reads it at import
    os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")

    from bentos.bento_build import build_bento
    from bentos.wiring.model import open_trusted_bundle

    bundle = open_trusted_bundle(settings)
    tag = build_bento(bundle)
    typer.echo(f"{tag} contains the bundle {bundle.version}. Next:\n")
    typer.echo(f"  export BENTOML_HOME={bentoml_home}")
    typer.echo(f"  bentoml serve {tag}           # writes to FRONTDESK_HOME, ./var by default")
    typer.echo(f"  bentoml containerize {tag}    # see docs/container.md")
