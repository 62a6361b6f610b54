"""`frontdesk audit`: was the audit log changed, and what shows later that it was cut off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from frontdesk.config import Settings
    from frontdesk.security.audit import Checkpoint

app = typer.Typer(help="The audit log: verify it, and sign how far it has come.", no_args_is_help=True)


@app.command()
def verify(
    checkpoint: Annotated[
        list[Path] | None, typer.Option(help="A file of checkpoints that was kept elsewhere; repeat for several.")
    ] = None,
) -> None:
    """Look at every entry and checkpoint; exit code 1 where any was edited, taken out, put in, moved or cut off."""
    from frontdesk.config import load
    from frontdesk.errors import DataError
    from frontdesk.security.audit import AuditRow, Checkpoint, audit_key
    from frontdesk.security.audit import verify as findings_of
    from frontdesk.storage.database import reading
    from frontdesk.storage.sql.audit import all_checkpoints, all_entries
    from frontdesk.types import AuditEntry

    settings = load()
    count = 0

    def row(kept: Any) -> AuditRow:
        nonlocal count
        count += 1
        place = {name: kept[name] for name in ("chain", "sequence", "previous_hash", "hash")}
        return AuditRow(entry=AuditEntry(**{name: kept[name] for name in kept if name not in place}), **place)

    try:
        elsewhere = [
            Checkpoint.from_json(line) for path in checkpoint or () for line in path.read_text().splitlines() if line
        ]
    except (ValueError, TypeError, KeyError, AttributeError):
        raise DataError("A file of checkpoints holds something that is none.") from None
    with _opened(settings) as engine, reading(engine) as connection:
        kept, damaged = _read(all_checkpoints(connection))
        rows = (row(one) for one in all_entries(connection))
        findings = damaged + findings_of(rows, kept, audit_key(settings.keys), elsewhere)
    for finding in findings:
        typer.echo(finding)
    if findings:
        raise typer.Exit(1)
    typer.echo(f"{count} entries and {len(kept) + len(elsewhere)} checkpoints are as they were written.")


@app.command()
def checkpoint() -> None:
    """Sign the head of every chain, keep that beside the log, and print it: append it to a file on another machine."""
    from datetime import UTC, datetime

    from frontdesk.config import load
    from frontdesk.identifiers import uuid7
    from frontdesk.security.audit import BEGINNING, audit_key
    from frontdesk.storage.database import begin_writing
    from frontdesk.storage.sql.audit import all_checkpoints, chain_heads, insert_checkpoint

    settings = load()
    now = datetime.now(UTC)
    with _opened(settings) as engine, begin_writing(engine) as connection:
        kept, _ = _read(all_checkpoints(connection))
        previous = kept[-1].digest() if kept else BEGINNING
        made = audit_key(settings.keys).checkpoint(uuid7(), now, chain_heads(connection), previous)
        insert_checkpoint(connection, made.id, made.to_json(), now)
    typer.echo(made.to_json())


def _read(written: list[str]) -> tuple[list[Checkpoint], list[str]]:
    """Those that can be read, and a sentence for each that cannot."""
    from frontdesk.security.audit import Checkpoint

    kept, damaged = [], []
    for content in written:
        try:
            kept.append(Checkpoint.from_json(content))
        except (ValueError, TypeError, KeyError, AttributeError):
            damaged.append("A checkpoint in the database is damaged.")
    return kept, damaged


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
    import getpass
    from datetime import UTC, datetime

    from sqlalchemy.exc import SQLAlchemyError

    from frontdesk.security.audit import audit_key
    from frontdesk.storage.audit_trail import AuditTrail
    from frontdesk.storage.database import begin_writing
    from frontdesk.types import AuditEntry

    entry = AuditEntry("", f"command line: {getpass.getuser()}", action, target, "{}", datetime.now(UTC))
    try:
        with _opened(settings) as engine, begin_writing(engine) as connection:
            AuditTrail(audit_key(settings.keys).link).append(connection, [entry])
    except SQLAlchemyError as error:
        typer.echo(f"The audit log could not be written ({type(error).__name__}).", err=True)
