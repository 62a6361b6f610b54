"""`frontdesk models` and `frontdesk promote`: which bundles there are, and which one is served."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def models(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """List the bundles of this machine, the champion marked."""
    from rich.console import Console
    from rich.table import Column, Table

    from frontdesk.config import load
    from frontdesk.errors import BundleError
    from model_store.manifest import Manifest
    from model_store.promotion import champion_path, versions

    settings = load()
    try:
        champion = champion_path(settings.bundles).name
    except BundleError:
        champion = ""
    manifests = [Manifest.read(settings.bundles / version) for version in versions(settings.bundles)]
    if as_json:
        rows = [{"champion": m.version == champion, **json.loads(m.canonical())} for m in manifests]
        typer.echo(json.dumps(rows, indent=2))
        return
    if not manifests:
        typer.echo("There are no bundles yet. Train one with: frontdesk train")
        return
    table = Table(
        "",
        Column("version", no_wrap=True, min_width=21),
        "made",
        "profile",
        "data",
        "intents",
        "accuracy",
        "log loss",
        box=None,
    )
    for manifest in manifests:
        figures = manifest.metrics["intent"]["ensemble"]
        table.add_row(
            "champion" if manifest.version == champion else "",
            manifest.version,
            manifest.created_at[:16].replace("T", " "),
            manifest.profile,
            str(manifest.data["source"]),
            str(len(manifest.intents)),
            f"{figures['accuracy']:.3f}",
            f"{figures['log_loss']:.3f}",
        )
    Console().print(table)


def promote(version: Annotated[str, typer.Argument(help="A version of `frontdesk models`.")]) -> None:
    """Serve another bundle from the next start on. It is verified first."""
    from frontdesk.config import load
    from model_store.bundle import open_bundle
    from model_store.promotion import promote as point_to

    settings = load()
    bundle = open_bundle(settings.bundles / version)
    point_to(settings.bundles, bundle.version)
    typer.echo(f"{bundle.version} is the champion now; a server that starts will serve it.")
