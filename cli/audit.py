"""`frontdesk audit`: was the audit log changed, and what shows later that it was cut off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from frontdesk.config import Settings

app = typer.Typer(help="The audit log: verify it, and sign how far it has come.", no_args_is_help=True)


@app.command()
def verify(
    checkpoint: Annotated[
        list[Path] | None, typer.Option(help="A file of checkpoints that was kept elsewhere; repeat for several.")
    ] = None,
) -> None:
    """Look at every entry and checkpoint; exit code 1 where any was edited, taken out, put in, moved or cut off.

    The checkpoints that servers of this host have written to <home>/audit-checkpoints.jsonl are looked at too.
    """
    from bentos.audit import checked, checkpoints_in
    from bentos.checkpoints import FILE_NAME
    from frontdesk.config import load
    from frontdesk.errors import DataError
    from frontdesk.security.audit import audit_key
    from frontdesk.storage.database import reading

    settings = load()
    elsewhere, torn = checkpoints_in(settings.home / FILE_NAME)
    if torn:
        typer.echo(
            f"{torn} lines of {settings.home / FILE_NAME} cannot be read: torn by a crash, or changed.", err=True
        )
    for path in checkpoint or ():
        found, damaged = checkpoints_in(path)
        if damaged or not path.exists():
            raise DataError("A file of checkpoints is not there, or holds something that is none.")
        elsewhere += found
    with _opened(settings) as engine, reading(engine) as connection:
        seen = checked(connection, audit_key(settings.keys), elsewhere)
    for finding in seen.findings:
        typer.echo(finding)
    if seen.findings:
        raise typer.Exit(1)
    count = seen.checkpoints + len(elsewhere)
    typer.echo(f"{seen.entries} entries and {count} checkpoints are as they were written.")


@app.command()
def checkpoint() -> None:
    """Sign the head of every chain, keep that beside the log, and print it: append it to a file on another machine.

    Servers do that by themselves too, for what is new (security.audit_checkpoint_s).
    """
    from bentos.checkpoints import FILE_NAME, keep_checkpoint
    from frontdesk.config import load
    from frontdesk.security.audit import audit_key

    settings = load()
    with _opened(settings) as engine:
        made = keep_checkpoint(engine, audit_key(settings.keys), settings.home / FILE_NAME)
    typer.echo(made.to_json())


@contextmanager
def _opened(settings: Settings) -> Iterator[Engine]:
    from frontdesk.storage.database import migrate, open_database

    migrate(settings.database_url)
    engine = open_database(settings.database_url)
    try:
        yield engine
    finally:
        engine.dispose()


def note(settings: Settings, action: str, target: str) -> None:
    """Leave a trace of what was done at the command line. Where the database is away that is said, and no more."""
    from frontdesk.errors import StorageUnavailable

    try:
        note_first(settings, action, [target])
    except StorageUnavailable as error:
        typer.echo(error.message, err=True)


def note_first(settings: Settings, action: str, targets: Sequence[str]) -> None:
    """The same for what must not be done without a trace.

    Raises:
        StorageUnavailable: the audit log could not be written.
    """
    import getpass
    from datetime import UTC, datetime

    from sqlalchemy.exc import SQLAlchemyError

    from frontdesk.errors import StorageUnavailable
    from frontdesk.security.audit import audit_key
    from frontdesk.storage.audit_trail import AuditTrail
    from frontdesk.storage.database import begin_writing
    from frontdesk.types import AuditEntry

    who, now = f"command line: {getpass.getuser()}", datetime.now(UTC)
    entries = [AuditEntry("", who, action, target, "{}", now) for target in targets]
    try:
        with _opened(settings) as engine, begin_writing(engine) as connection:
            AuditTrail(audit_key(settings.keys).link).append(connection, entries)
    except SQLAlchemyError as error:
        raise StorageUnavailable(f"The audit log could not be written ({type(error).__name__}).") from None
