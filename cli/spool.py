"""`frontdesk spool`: list, retry or drop rows of this host's spool that the database refused. Servers may run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from cli.audit import audit_if_possible, commit_audit_entries

if TYPE_CHECKING:
    from frontdesk.config import Settings
    from frontdesk.storage.spool.spool_file import Spool

app = typer.Typer(help="Rows of this host's spool that the database refused.", no_args_is_help=True)

Numbers = Annotated[list[int] | None, typer.Argument(help="Numbers from `frontdesk spool list`.")]
All = Annotated[bool, typer.Option("--all", help="All refused rows.")]


@app.command(name="list")
def list_refused(as_json: Annotated[bool, typer.Option("--json", help="One JSON list.")] = False) -> None:
    """List refused rows: number, time, name of the error, tenant and query id. Never shows text of customers."""
    from frontdesk.config import load_settings

    with _open_spool(load_settings()) as spool:
        waiting, _ = spool.backlog()
        rows = [
            {
                "number": refused_row.sequence,
                "refused_at": refused_row.refused_at.isoformat(),
                "error": refused_row.error,
                "tenant": refused_row.tenant,
                "query_id": refused_row.query_id,
            }
            for refused_row in spool.refused()
        ]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        typer.echo("  ".join(str(value) for value in row.values()))
    typer.echo(f"{len(rows)} rows were refused, {waiting} wait for the database.")


@app.command()
def retry(numbers: Numbers = None, every: All = False) -> None:
    """Queue refused rows for the database again, after the rows that wait. Fix the cause of the refusal first."""
    from frontdesk.config import load_settings

    with _open_spool(load_settings()) as spool:
        sequences = [row.sequence for row in spool.refused() if every or row.sequence in (numbers or ())]
        spool.retry_refused(sequences)
    typer.echo(f"{len(sequences)} rows wait for the database again.")


@app.command()
def drop(
    numbers: Numbers = None,
    every: All = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Delete refused rows permanently. Acknowledged answers are lost. The audit log is written first."""
    from frontdesk.config import load_settings

    settings = load_settings()
    with _open_spool(settings) as spool:
        selected = [row for row in spool.refused() if every or row.sequence in (numbers or ())]
        if selected and not yes:
            typer.confirm(f"Delete {len(selected)} acknowledged answers permanently?", abort=True)
        commit_audit_entries(settings, "spool.drop", [row.query_id for row in selected])
        spool.drop_refused([row.sequence for row in selected])
        audit_if_possible(settings, "spool.drop.outcome", f"{len(selected)} rows")
    typer.echo(f"{len(selected)} rows were deleted.")


@contextmanager
def _open_spool(settings: Settings) -> Iterator[Spool]:
    from frontdesk.storage.spool.spool_file import Spool

    spool = Spool.open(settings.home)
    try:
        yield spool
    finally:
        spool.close()
