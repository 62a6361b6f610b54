"""`frontdesk retention`: what is older than `storage.retention_days` allows, and its removal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from frontdesk.storage.retention import Retention, RetentionReport

app = typer.Typer(help="Remove what is older than storage.retention_days allows.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]


@app.command()
def report(as_json: Json = False) -> None:
    """How many rows a run would remove now, by table. Nothing is changed."""
    with _opened() as retention, _database_errors():
        made = retention.report()
    _show(made, "would go", as_json=as_json)


@app.command()
def run(as_json: Json = False) -> None:
    """Remove it now. Servers may run; they do the same once a day. The audit log has an entry of each run.

    Exit code 1: the database or the file of events could not be written. What was removed by then is removed.
    """
    import getpass

    with _opened() as retention, _database_errors():
        made = retention.run(subject=f"command line: {getpass.getuser()}")
    _show(made, "removed", as_json=as_json)


def _show(report: RetentionReport, what: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(report.to_json())
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("table", "days", what, box=None)
    for row in report.tables:
        days = "keep" if row.days is None else f"{row.days:g}"
        table.add_row(row.table, days, "" if row.days is None else str(row.rows))
    console = Console()
    console.print(table)
    last = "never" if report.last_run_at is None else report.last_run_at.isoformat(timespec="seconds")
    console.print(f"Last run: {last}", highlight=False)


@contextmanager
def _opened() -> Iterator[Retention]:
    from bentos.keeping import open_retention
    from frontdesk.config import load
    from frontdesk.security.audit import audit_key
    from frontdesk.storage.audit_trail import AuditTrail
    from frontdesk.storage.database import migrate, open_database

    settings = load()
    with _database_errors():
        migrate(settings.database_url)
    engine = open_database(settings.database_url)
    try:
        yield open_retention(settings, engine, AuditTrail(audit_key(settings.keys).link))
    finally:
        engine.dispose()


@contextmanager
def _database_errors() -> Iterator[None]:
    from sqlalchemy.exc import SQLAlchemyError

    from frontdesk.errors import StorageUnavailable

    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        raise StorageUnavailable(f"Retention did not finish ({type(error).__name__}).", hint="Try again.") from None
