"""`frontdesk retention`: report and delete data that is older than `storage.retention_days` allows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from frontdesk.storage.erasure.retention import Retention, RetentionReport

app = typer.Typer(help="Report and delete data that is older than storage.retention_days allows.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]


@app.command()
def report(as_json: Json = False) -> None:
    """Print how many rows of each table a run would remove now. Changes nothing."""
    with _open_retention() as retention, _database_errors():
        result = retention.preview()
    _show_report(result, "would be removed", as_json=as_json)


@app.command()
def run(as_json: Json = False) -> None:
    """Remove expired rows now and write an audit entry. Servers may run; one of them does the same once a day.

    Exit code 1: the database or the events file could not be written. Rows removed before that stay removed.
    """
    import getpass

    with _open_retention() as retention, _database_errors():
        result = retention.run(subject=f"command line: {getpass.getuser()}")
    _show_report(result, "removed", as_json=as_json)


def _show_report(report: RetentionReport, rows_heading: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(report.to_json())
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("table", "days", rows_heading, box=None)
    for row in report.tables:
        days = "keep" if row.days is None else f"{row.days:g}"
        table.add_row(row.table, days, "" if row.days is None else str(row.rows))
    console = Console()
    console.print(table)
    last_run = "never" if report.last_run_at is None else report.last_run_at.isoformat(timespec="seconds")
    console.print(f"Last run: {last_run}", highlight=False)


@contextmanager
def _open_retention() -> Iterator[Retention]:
    from bentos.wiring.storage import open_retention
    from frontdesk.audit.chain import load_audit_key
    from frontdesk.config import load_settings
    from frontdesk.storage.database import migrate, open_database
    from frontdesk.storage.sql.audit_trail import AuditTrail

    settings = load_settings()
    with _database_errors():
        migrate(settings.database_url)
    engine = open_database(settings.database_url)
    try:
        yield open_retention(settings, engine, AuditTrail(load_audit_key(settings.keys).entry_hash))
    finally:
        engine.dispose()


@contextmanager
def _database_errors() -> Iterator[None]:
    """Raise StorageUnavailable for an error of the database or of the events file."""
    from sqlalchemy.exc import SQLAlchemyError

    from frontdesk.errors import StorageUnavailable

    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        raise StorageUnavailable(f"Retention did not finish ({type(error).__name__}).", hint="Try again.") from None
