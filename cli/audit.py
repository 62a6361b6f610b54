"""`frontdesk audit`: verify, list and sign the audit log. Other commands write their audit entries with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from frontdesk.audit.chain import AuditKey, Checkpoint
    from frontdesk.config import Settings

EXIT_UNREACHABLE, EXIT_INCOMPLETE_FILE = 3, 4
"""Exit codes of `verify`, in addition to 1 for a log that was changed."""

app = typer.Typer(help="Verify, list and sign the audit log.", no_args_is_help=True)


@app.command()
def verify(
    checkpoint: Annotated[
        list[Path] | None, typer.Option(help="A file of checkpoints from another machine; repeatable.")
    ] = None,
) -> None:
    """Verify every entry and checkpoint; exit code 1 if any was edited, removed, inserted, moved, cut off or damaged.

    Also verifies the checkpoints that servers of this host have written to <home>/audit-checkpoints.jsonl. Exit code 4:
    the log is intact, but that file lacks checkpoints that the database has. Exit code 3: the database cannot be
    reached or read.
    """
    import socket

    from frontdesk.audit.chain import load_audit_key
    from frontdesk.audit.checkpoints import FILE_NAME, expected_in_file, read_checkpoint_file
    from frontdesk.audit.log import check_log
    from frontdesk.config import load_settings
    from frontdesk.errors import DataError, StorageUnavailable
    from frontdesk.storage.database import begin_reading

    settings = load_settings()
    external, unreadable = read_checkpoint_file(settings.home / FILE_NAME)
    if unreadable:
        typer.echo(
            f"{unreadable} lines of {settings.home / FILE_NAME} cannot be read: incomplete after a crash, or changed.",
            err=True,
        )
    for path in checkpoint or ():
        file_checkpoints, damaged = read_checkpoint_file(path)
        if damaged or not path.exists():
            raise DataError("A file of checkpoints does not exist, or contains an invalid checkpoint.")
        external += file_checkpoints
    key = load_audit_key(settings.keys)
    try:
        with _open_engine(settings) as engine, begin_reading(engine) as connection:
            findings = _missing_tables(connection)
            verification = None if findings else check_log(connection, key, external)
    except StorageUnavailable as error:
        typer.echo(f"Nothing was verified. {error.message}", err=True)
        raise typer.Exit(EXIT_UNREACHABLE) from None
    for finding in findings if verification is None else verification.findings:
        typer.echo(_escape_unprintable(finding))
    if verification is None or verification.findings:
        raise typer.Exit(1)
    count = verification.checkpoints + len(external)
    typer.echo(f"{verification.entries} entries and {count} checkpoints are as they were written.")
    expected = expected_in_file(verification.stored, settings.storage.hosts, socket.gethostname())
    _check_checkpoint_file(settings, expected)


def _check_checkpoint_file(settings: Settings, expected: Sequence[Checkpoint]) -> None:
    """Exit if this host's file lacks expected checkpoints; with several hosts, only if it has none of them."""
    from frontdesk.audit.checkpoints import FILE_NAME, missing_from_file

    file = settings.home / FILE_NAME
    missing = missing_from_file(expected, file)
    if not missing or (settings.storage.hosts > 1 and len(missing) < len(expected)):
        return
    state = "lacks" if file.exists() else "does not exist, and lacks"
    typer.echo(
        f"{file} {state} {len(missing)} checkpoints that the database has, the first of {missing[0].created_at}: "
        "the file was removed, cut off or changed, another host or home signed them, or a process was killed while it "
        "wrote. Once the cause is known, run: frontdesk audit checkpoint --complete-file",
        err=True,
    )
    raise typer.Exit(EXIT_INCOMPLETE_FILE)


def _missing_tables(connection: Connection) -> list[str]:
    """Return a finding for each audit table that the database lacks."""
    from sqlalchemy import inspect

    inspector = inspect(connection)
    return [
        f"The table {name} was removed from the database."
        for name in ("audit_log", "audit_checkpoints")
        if not inspector.has_table(name)
    ]


def _escape_unprintable(finding: str) -> str:
    """Return the text with control characters escaped: names in the database must not control the terminal."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in finding)


def _unreachable_message(error: Exception) -> str:
    return f"The database cannot be reached or read ({type(error).__name__})."


@app.command()
def checkpoint(
    complete_file: Annotated[
        bool, typer.Option("--complete-file", help="Add the checkpoints that this host's file lacks.")
    ] = False,
) -> None:
    """Sign the head of every chain, store the checkpoint with the log, and print it for a file on another machine.

    Servers also sign new entries periodically (security.audit_checkpoint_s).
    """
    from frontdesk.audit.chain import load_audit_key
    from frontdesk.audit.checkpoints import FILE_NAME, append_line, missing_from_file, store_checkpoint
    from frontdesk.audit.log import check_log
    from frontdesk.config import load_settings
    from frontdesk.errors import DataError
    from frontdesk.storage.database import begin_reading

    settings = load_settings()
    if complete_file:
        key, file = load_audit_key(settings.keys), settings.home / FILE_NAME
        with _open_engine(settings) as engine, begin_reading(engine) as connection:
            verification = check_log(connection, key, [])
        if verification.findings:
            raise DataError("The audit log is not as it was written.", hint="See: frontdesk audit verify")
        missing = missing_from_file(verification.stored, file)
        commit_audit_entries(settings, "audit.file_completed", [str(len(missing))])
        for lacking_checkpoint in missing:
            append_line(file, lacking_checkpoint)
        typer.echo(f"{len(missing)} checkpoints were added to {file}.")
        return
    with _open_engine(settings) as engine:
        new_checkpoint = store_checkpoint(engine, load_audit_key(settings.keys), settings.home / FILE_NAME)
    typer.echo(new_checkpoint.to_json())


@app.command(name="list")
def list_entries(
    customer: Annotated[str | None, typer.Option(help="Entries about this customer's id.")] = None,
    subject: Annotated[str | None, typer.Option(help="Entries of this subject.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Entries of this tenant.")] = None,
    action: Annotated[
        str | None, typer.Option(help="Action, such as erase, export, read, refused, token.minted.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of entries.")] = 100,
) -> None:
    """Print entries as JSON lines, newest first; an operation is followed by its outcome.

    Entries hold fingerprints of customer ids. --customer matches the entries of an id, however a request encoded it:
    answers, reads and erasures of single queries. Lists and exports match if their filter named the customer.
    """
    import json

    from frontdesk.audit.chain import load_audit_key
    from frontdesk.config import load_settings
    from frontdesk.security.pseudonyms import load_pseudonym_key
    from frontdesk.storage.database import begin_reading
    from frontdesk.storage.erasure_subjects import customer_hash
    from frontdesk.storage.sql.audit_log import find_audit_entries, tenants_in_audit_log

    settings = load_settings()
    fingerprints = () if customer is None else _customer_fingerprints(customer, load_audit_key(settings.keys))
    with _open_engine(settings) as engine, begin_reading(engine) as connection:
        if customer is not None:
            fingerprint = load_pseudonym_key(settings.keys).pseudonym
            tenants = [tenant] if tenant is not None else tenants_in_audit_log(connection)
            fingerprints += tuple(customer_hash(fingerprint, name, customer) for name in tenants)
        for row in find_audit_entries(
            connection, fingerprints, subject=subject, tenant=tenant, action=action, limit=limit
        ):
            names = ("tenant", "subject", "action", "target")
            created_at = row["created_at"]
            stamp = None if created_at is None else created_at.isoformat()
            entry = {"created_at": stamp, **{name: row[name] for name in names}}
            typer.echo(json.dumps({**entry, "details": _parse_details(row["details"])}))


def _parse_details(column: str | None) -> object:
    """Return the parsed JSON of a `details` column, or its text if it is damaged."""
    import json

    try:
        return json.loads(column or "null")
    except (ValueError, RecursionError):
        return column


def _customer_fingerprints(customer: str, key: AuditKey) -> tuple[str, ...]:
    """Return the fingerprints of a customer: as an audit target, and as an erasure path, which older entries hold."""
    from urllib.parse import quote

    return key.target_fingerprint("customer", customer), key.fingerprint(f"/v1/customers/{quote(customer, safe='')}")


@contextmanager
def _open_engine(settings: Settings) -> Iterator[Engine]:
    """Migrate the database and yield its engine.

    Raises:
        StorageUnavailable: the database cannot be reached or read.
    """
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
        raise StorageUnavailable(_unreachable_message(error)) from None
    try:
        yield engine
    except SQLAlchemyError as error:
        raise StorageUnavailable(_unreachable_message(error)) from None
    finally:
        engine.dispose()


def audit_if_possible(
    settings: Settings,
    action: str,
    target: str,
    *,
    tenant: str = "",
    details: Mapping[str, object] = MappingProxyType({}),
) -> None:
    """Write an audit entry for a command. If the database is unavailable, print an error and continue."""
    from frontdesk.errors import StorageUnavailable

    try:
        commit_audit_entries(settings, action, [target], tenant=tenant, details=details)
    except StorageUnavailable as error:
        typer.echo(error.message, err=True)


def commit_audit_entries(
    settings: Settings,
    action: str,
    targets: Sequence[str],
    *,
    tenant: str = "",
    details: Mapping[str, object] = MappingProxyType({}),
) -> None:
    """Write audit entries that must be committed before the operation runs.

    Migrates the database only if it has no audit log yet, so that `frontdesk token` stays fast.

    Raises:
        StorageUnavailable: the audit log could not be written.
    """
    import getpass
    import json
    from datetime import UTC, datetime

    from sqlalchemy import inspect
    from sqlalchemy.exc import SQLAlchemyError

    from frontdesk.audit.chain import load_audit_key
    from frontdesk.errors import StorageUnavailable
    from frontdesk.storage.database import begin_writing, migrate, open_database
    from frontdesk.storage.sql.audit_trail import AuditTrail
    from frontdesk.types import AuditEntry

    subject, now = f"command line: {getpass.getuser()}", datetime.now(UTC)
    details_json = json.dumps(dict(details))
    entries = [AuditEntry(tenant, subject, action, target, details_json, now) for target in targets]
    engine = open_database(settings.database_url)
    try:
        if not inspect(engine).has_table("audit_log"):
            migrate(settings.database_url)
        with begin_writing(engine) as connection:
            AuditTrail(load_audit_key(settings.keys).entry_hash).append(connection, entries)
    except SQLAlchemyError as error:
        raise StorageUnavailable(f"The audit log could not be written ({type(error).__name__}).") from None
    finally:
        engine.dispose()
