"""`frontdesk models`: list the bundles, with the champion and the previous champion."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def models(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """List the bundles of this machine, and mark the champion and the previous champion."""
    from rich.console import Console
    from rich.table import Column, Table

    from frontdesk.config import load_settings
    from frontdesk.errors import BundleError
    from model_store.manifest import Manifest
    from model_store.promotion import champion_path, previous_champion, versions

    settings = load_settings()
    try:
        champion = champion_path(settings.bundles).name
    except BundleError:
        champion = ""
    previous_version = previous_champion(settings.bundles)
    manifests = [Manifest.read(settings.bundles / version) for version in versions(settings.bundles)]
    if as_json:
        rows = [
            {"champion": m.version == champion, "previous": m.version == previous_version, **json.loads(m.canonical())}
            for m in manifests
        ]
        typer.echo(json.dumps(rows, indent=2))
        return
    if not manifests:
        typer.echo("There are no bundles yet. Train one with: frontdesk train")
        return
    table = Table(
        "",
        Column("version", no_wrap=True, min_width=21),
        "created",
        "profile",
        "data",
        "intents",
        "accuracy",
        "log loss",
        box=None,
    )
    for manifest in manifests:
        metrics = manifest.metrics["intent"]["ensemble"]
        table.add_row(
            {champion: "champion", previous_version: "previous"}.get(manifest.version, ""),
            manifest.version,
            manifest.created_at[:16].replace("T", " "),
            manifest.profile,
            str(manifest.data["source"]),
            str(len(manifest.intents)),
            f"{metrics['accuracy']:.3f}",
            f"{metrics['log_loss']:.3f}",
        )
    Console().print(table)
