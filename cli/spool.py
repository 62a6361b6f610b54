"""`frontdesk spool`: rows of this host's spool that the database refused, for a person to decide. Servers may run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from cli.audit import audit_first, audit_if_possible

if TYPE_CHECKING:
    from frontdesk.config import Settings
    from frontdesk.storage.spool.spool_file import Spool

app = typer.Typer(help="What waits on this host, and what the database refused.", no_args_is_help=True)

Numbers = Annotated[list[int] | None, typer.Argument(help="Numbers out of `frontdesk spool list`.")]
All = Annotated[bool, typer.Option("--all", help="Every row that was refused.")]


@app.command(name="list")
def list_refused(as_json: Annotated[bool, typer.Option("--json", help="One JSON list.")] = False) -> None:
    """What the database refused: number, when, its error's name, and whose answer it is. Never a customer's words."""
    from frontdesk.config import load

    with _opened(load()) as spool:
        waiting, _ = spool.backlog()
        rows = [
            {
                "number": one.sequence,
                "refused_at": one.refused_at.isoformat(),
                "error": one.error,
                "tenant": one.tenant,
                "query_id": one.query_id,
            }
            for one in spool.refused()
        ]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        typer.echo("  ".join(str(value) for value in row.values()))
    typer.echo(f"{len(rows)} were refused, {waiting} wait for the database.")


@app.command()
def retry(numbers: Numbers = None, every: All = False) -> None:
    """Offer rows to the database again, behind those that wait: after what it refused them for was mended."""
    from frontdesk.config import load

    with _opened(load()) as spool:
        wanted = [one.sequence for one in spool.refused() if every or one.sequence in (numbers or ())]
        spool.retry(wanted)
    typer.echo(f"{len(wanted)} rows wait for the database again.")


@app.command()
def drop(
    numbers: Numbers = None,
    every: All = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete rows for good: answers that were acknowledged are lost. The audit log names them first."""
    from frontdesk.config import load

    settings = load()
    with _opened(settings) as spool:
        wanted = [one for one in spool.refused() if every or one.sequence in (numbers or ())]
        if wanted and not yes:
            typer.confirm(f"Delete {len(wanted)} acknowledged answers for good?", abort=True)
        audit_first(settings, "spool.drop", [one.query_id for one in wanted])
        spool.drop([one.sequence for one in wanted])
        audit_if_possible(settings, "spool.drop.outcome", f"{len(wanted)} rows")
    typer.echo(f"{len(wanted)} rows are gone.")


@contextmanager
def _opened(settings: Settings) -> Iterator[Spool]:
    from frontdesk.storage.spool.spool_file import Spool

    spool = Spool.open(settings.home)
    try:
        yield spool
    finally:
        spool.close()
