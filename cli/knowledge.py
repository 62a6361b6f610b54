"""`frontdesk knowledge`: check the passages of the knowledge base from which replies are written."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Check the knowledge base.", no_args_is_help=True)


@app.callback()
def knowledge() -> None:
    """Check the knowledge base."""


@app.command()
def check(
    folder: Annotated[
        Path | None, typer.Argument(help="A folder of .md passages. Default: from the configuration.")
    ] = None,
    taxonomy: Annotated[
        Path | None, typer.Option(help="A taxonomy.yaml. Default: that of the champion, or the starter taxonomy.")
    ] = None,
    soon: Annotated[int, typer.Option(min=0, help="Warn this many days before a passage expires.")] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List intents without a passage, passages that have expired or expire soon, and contradicting commitments.

    Exit code 1 if there are errors, 0 if there are only warnings.
    """
    from frontdesk.config import load_settings
    from frontdesk.responses.knowledge_base.articles import STARTER_KNOWLEDGE, Knowledge
    from frontdesk.responses.knowledge_base.lint import find_problems
    from frontdesk.taxonomy import STARTER_TAXONOMY, Taxonomy
    from model_store.promotion import POINTER, champion_path
    from model_store.signature import open_signed

    settings = load_settings()
    passages = Knowledge.read(folder or settings.responses.knowledge or STARTER_KNOWLEDGE)
    has_champion = taxonomy is None and (settings.bundles / POINTER).exists()
    trusted_keys = settings.security.bundle_keys
    bundle = open_signed(champion_path(settings.bundles), settings.keys, trusted_keys) if has_champion else None
    intents = bundle.taxonomy() if bundle else Taxonomy.read(taxonomy or STARTER_TAXONOMY)
    findings = find_problems(passages, intents, datetime.now(UTC).date(), timedelta(days=soon))
    errors = sum(problem.kind == "error" for problem in findings)
    if as_json:
        summary = {"passages": len(passages.passages), "errors": errors, "warnings": len(findings) - errors}
        typer.echo(json.dumps({**summary, "problems": [dataclasses.asdict(problem) for problem in findings]}, indent=2))
    else:
        for problem in findings:
            typer.echo(f"{problem.kind}: {problem.rule}: {problem.told}")  # vocabulary: key of `knowledge check --json`
        typer.echo(f"{len(passages.passages)} passages: {errors} errors, {len(findings) - errors} warnings.")
    if errors:
        raise typer.Exit(1)
