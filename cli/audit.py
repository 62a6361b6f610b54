"""`frontdesk audit`: was the audit log changed, and what shows later that it was cut off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from frontdesk.config import Settings
    from frontdesk.security.audit import AuditKey, Checkpoint

UNREACHABLE, INCOMPLETE_FILE = 3, 4
"""Exit codes of `verify`, beside 1 for a log that was changed."""

app = typer.Typer(help="The audit log: verify it, and sign how far it has come.", no_args_is_help=True)


@app.command()
def verify(
    checkpoint: Annotated[
        list[Path] | None, typer.Option(help="A file of checkpoints that was kept elsewhere; repeat for several.")
    ] = None,
) -> None:
    """Look at every entry and checkpoint; exit code 1 where any was edited, taken out, put in, moved, cut off, damaged.

    The checkpoints that servers of this host have written to <home>/audit-checkpoints.jsonl are looked at too: exit
    code 4 where nothing else is wrong but that file lacks checkpoints that the database has. Exit code 3: the database
    cannot be reached or read.
    """
    import socket

    from bentos.audit import checked, checkpoints_in, should_be_in_file
    from bentos.checkpoints import FILE_NAME
    from frontdesk.config import load
    from frontdesk.errors import DataError, StorageUnavailable
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
    key = audit_key(settings.keys)
    try:
        with _opened(settings) as engine, reading(engine) as connection:
            findings = _missing_tables(connection)
            seen = None if findings else checked(connection, key, elsewhere)
    except StorageUnavailable as error:
        typer.echo(f"Nothing was verified. {error.message}", err=True)
        raise typer.Exit(UNREACHABLE) from None
    for finding in findings if seen is None else seen.findings:
        typer.echo(_visible(finding))
    if seen is None or seen.findings:
        raise typer.Exit(1)
    count = seen.checkpoints + len(elsewhere)
    typer.echo(f"{seen.entries} entries and {count} checkpoints are as they were written.")
    expected = should_be_in_file(seen.kept, settings.storage.hosts, socket.gethostname())
    _tell_of_file(settings, expected)


def _tell_of_file(settings: Settings, expected: Sequence[Checkpoint]) -> None:
    """Exit where this host's file lacks what it should hold; with several hosts, where it holds nothing at all."""
    from bentos.audit import lacking
    from bentos.checkpoints import FILE_NAME

    file = settings.home / FILE_NAME
    missing = lacking(expected, file)
    if not missing or (settings.storage.hosts > 1 and len(missing) < len(expected)):
        return
    state = "lacks" if file.exists() else "is not there, and lacks"
    typer.echo(
        f"{file} {state} {len(missing)} checkpoints that the database has, the first of {missing[0].created_at}: "
        "it was removed, cut off or changed, another host or home signed, or a process ended while it wrote. "
        "Once you know why, frontdesk audit checkpoint --complete-file adds them.",
        err=True,
    )
    raise typer.Exit(INCOMPLETE_FILE)


def _missing_tables(connection: Connection) -> list[str]:
    from sqlalchemy import inspect

    there = inspect(connection)
    return [
        f"The table {name} was taken out of the database."
        for name in ("audit_log", "audit_checkpoints")
        if not there.has_table(name)
    ]


def _visible(finding: str) -> str:
    """Names out of the database, without signs that a terminal would act on."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in finding)


def _away(error: Exception) -> str:
    return f"The database cannot be reached or read ({type(error).__name__})."


@app.command()
def checkpoint(
    complete_file: Annotated[
        bool, typer.Option("--complete-file", help="Add to this host's file what the database has and it lacks.")
    ] = False,
) -> None:
    """Sign the head of every chain, keep that beside the log, and print it: append it to a file on another machine.

    Servers do that by themselves too, for what is new (security.audit_checkpoint_s).
    """
    from bentos.audit import checked, lacking
    from bentos.checkpoints import FILE_NAME, append_line, keep_checkpoint
    from frontdesk.config import load
    from frontdesk.errors import DataError
    from frontdesk.security.audit import audit_key
    from frontdesk.storage.database import reading

    settings = load()
    if complete_file:
        key, file = audit_key(settings.keys), settings.home / FILE_NAME
        with _opened(settings) as engine, reading(engine) as connection:
            seen = checked(connection, key, [])
        if seen.findings:
            raise DataError("The audit log is not as it was written.", hint="See: frontdesk audit verify")
        missing = lacking(seen.kept, file)
        note_first(settings, "audit.file_completed", [str(len(missing))])
        for one in missing:
            append_line(file, one)
        typer.echo(f"{len(missing)} checkpoints were added to {file}.")
        return
    with _opened(settings) as engine:
        made = keep_checkpoint(engine, audit_key(settings.keys), settings.home / FILE_NAME)
    typer.echo(made.to_json())


@app.command(name="list")
def list_entries(
    customer: Annotated[str | None, typer.Option(help="Entries about this customer's id.")] = None,
    subject: Annotated[str | None, typer.Option(help="Entries of this subject.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Entries of this tenant.")] = None,
    action: Annotated[str | None, typer.Option(help="Such as erase, export, read, refused, token.minted.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="The most entries.")] = 100,
) -> None:
    """Print entries as JSON lines, the newest first; an operation also with its outcome.

    Entries hold fingerprints of customers' ids: --customer finds those of an id, whichever way a request spelt it, with
    answers, reads and erasures of single queries. Lists and exports are found where their filter named the customer.
    """
    import json

    from frontdesk.config import load
    from frontdesk.security.audit import audit_key
    from frontdesk.security.fingerprints import fingerprint_key
    from frontdesk.storage.database import reading
    from frontdesk.storage.sql.audit import all_tenants, find_entries
    from frontdesk.storage.subjects import customer_hash

    settings = load()
    fingerprints = () if customer is None else _fingerprints(customer, audit_key(settings.keys))
    with _opened(settings) as engine, reading(engine) as connection:
        if customer is not None:
            hashed = fingerprint_key(settings.keys).fingerprint
            tenants = [tenant] if tenant is not None else all_tenants(connection)
            fingerprints += tuple(customer_hash(hashed, each, customer) for each in tenants)
        for row in find_entries(connection, fingerprints, subject=subject, tenant=tenant, action=action, limit=limit):
            names = ("tenant", "subject", "action", "target")
            at = row["created_at"]
            entry = {"created_at": None if at is None else at.isoformat(), **{name: row[name] for name in names}}
            typer.echo(json.dumps({**entry, "details": _details(row["details"])}))


def _details(written: str | None) -> object:
    """As JSON says it, or the text itself where somebody has damaged it."""
    import json

    try:
        return json.loads(written or "null")
    except (ValueError, RecursionError):
        return written


def _fingerprints(customer: str, key: AuditKey) -> tuple[str, ...]:
    """Of the customer as a target, and of the path of an erasure, which entries held before targets were canonical."""
    from urllib.parse import quote

    return key.target("customer", customer), key.fingerprint(f"/v1/customers/{quote(customer, safe='')}")


@contextmanager
def _opened(settings: Settings) -> Iterator[Engine]:
    """Raises StorageUnavailable where the database cannot be reached or read."""
    from alembic.util import CommandError
    from sqlalchemy.exc import SQLAlchemyError

    from frontdesk.errors import ConfigurationError, StorageUnavailable
    from frontdesk.storage.database import migrate, open_database

    try:
        migrate(settings.database_url)
        engine = open_database(settings.database_url)
    except ConfigurationError as error:
        raise StorageUnavailable(f"The database cannot be reached or read: {error.message}") from None
    except (SQLAlchemyError, CommandError, OSError) as error:
        raise StorageUnavailable(_away(error)) from None
    try:
        yield engine
    except SQLAlchemyError as error:
        raise StorageUnavailable(_away(error)) from None
    finally:
        engine.dispose()


def note(
    settings: Settings,
    action: str,
    target: str,
    *,
    tenant: str = "",
    details: Mapping[str, object] = MappingProxyType({}),
) -> None:
    """Leave a trace of what was done at the command line. Where the database is away that is said, and no more."""
    from frontdesk.errors import StorageUnavailable

    try:
        note_first(settings, action, [target], tenant=tenant, details=details)
    except StorageUnavailable as error:
        typer.echo(error.message, err=True)


def note_first(
    settings: Settings,
    action: str,
    targets: Sequence[str],
    *,
    tenant: str = "",
    details: Mapping[str, object] = MappingProxyType({}),
) -> None:
    """The same for what must not be done without a trace.

    The tables are only brought up to date where there is no audit log yet: `frontdesk token` must be quick.

    Raises:
        StorageUnavailable: the audit log could not be written.
    """
    import getpass
    import json
    from datetime import UTC, datetime

    from sqlalchemy import inspect
    from sqlalchemy.exc import SQLAlchemyError

    from frontdesk.errors import StorageUnavailable
    from frontdesk.security.audit import audit_key
    from frontdesk.storage.audit_trail import AuditTrail
    from frontdesk.storage.database import begin_writing, migrate, open_database
    from frontdesk.types import AuditEntry

    who, now = f"command line: {getpass.getuser()}", datetime.now(UTC)
    written = json.dumps(dict(details))
    entries = [AuditEntry(tenant, who, action, target, written, now) for target in targets]
    engine = open_database(settings.database_url)
    try:
        if not inspect(engine).has_table("audit_log"):
            migrate(settings.database_url)
        with begin_writing(engine) as connection:
            AuditTrail(audit_key(settings.keys).link).append(connection, entries)
    except SQLAlchemyError as error:
        raise StorageUnavailable(f"The audit log could not be written ({type(error).__name__}).") from None
    finally:
        engine.dispose()
