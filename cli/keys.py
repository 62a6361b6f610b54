"""`frontdesk keys`: the keys of this machine. A server that runs sees a change within a second."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.audit import audit_if_possible

if TYPE_CHECKING:
    from frontdesk.config import Settings
    from frontdesk.security.key_store import KeyFiles
    from frontdesk.storage.sql.reencryption import KeyUse, ReencryptionJob

MIN_UNUSED_S = 60.0
"""Requests that began before a rotation have long been kept by then; a key is used for a second longer at most."""

app = typer.Typer(
    help="The keys that sign tokens, those that seal what is stored, and the one that signs bundles.",
    no_args_is_help=True,
)


Sealing = Annotated[bool, typer.Option("--sealing", help="Of the keys that seal what is stored, not of tokens' keys.")]


@app.command()
def new(sealing: Sealing = False) -> None:
    """Make a key that verifies (or opens) and is not used yet: copy it to every machine, then rotate to it."""
    settings, files = _open_key_files(sealing)
    key = files.add()
    audit_if_possible(settings, "keys.new", key.kid)
    typer.echo(key.kid)


@app.command()
def rotate(
    kid: Annotated[str | None, typer.Argument(help="Default: a new key, made now.")] = None, sealing: Sealing = False
) -> None:
    """Sign (or seal) with another key from now on. What the one before it made stays good until it is retired."""
    settings, files = _open_key_files(sealing)
    key = files.rotate(kid)
    audit_if_possible(settings, "keys.rotate", key.kid)
    typer.echo(key.kid)


@app.command()
def retire(kid: Annotated[str, typer.Argument(help="A key that is not in use.")], sealing: Sealing = False) -> None:
    """Delete a key. Every token that it signed is refused from now on; one that still seals something stays."""
    settings, files = _open_key_files(sealing)
    if sealing and kid in {key.kid for key in files.read().others}:
        check_retirable(settings, kid, files.inactive_s(kid))
    files.retire(kid)
    audit_if_possible(settings, "keys.retire", kid)
    typer.echo(f"{kid} is retired.")


@app.command(name="list")
def list_keys(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list.")] = False, sealing: Sealing = False
) -> None:
    """Which keys there are, the one in use first. Never their secrets."""
    _, files = _open_key_files(sealing)
    ring, (active_use, other_use) = files.read(), ("seals", "opens") if sealing else ("signs", "verifies")
    rows = [{"kid": ring.active.kid, "use": active_use}, *({"kid": key.kid, "use": other_use} for key in ring.others)]
    if as_json:
        typer.echo(json.dumps(rows))
    else:
        for row in rows:
            typer.echo(f"{row['kid']}  {row['use']}")


@app.command()
def reseal() -> None:
    """Seal with the current key what earlier ones have sealed: the database, and this host's spool. Servers may run.

    Ctrl-C stops it; the same command does what is left.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from frontdesk.config import load

    settings, console = load(), Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("rows, left"), TimeRemainingColumn())
    with open_reencryption_job(settings) as job, Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=job.rows())
        result = job.run(lambda rows: bar.advance(task, rows))
        key_use = job.key_use()
        current, others = job.field_cipher.current.kid, [key.kid for key in job.field_cipher.earlier.values()]
    audit_if_possible(settings, "keys.reseal", current)
    typer.echo(f"{result.values} values were sealed anew with the key {current}.")
    if result.unreadable:
        typer.echo(f"{result.unreadable} values could not be opened: their key is not here, or they were changed.")
    for kid in others:
        reason = reason_to_keep(key_use, kid)
        typer.echo(
            f"The key {kid} is still needed: {reason}." if reason else f"Nothing here needs the key {kid} any more."
        )
        if not reason:
            typer.echo(f"  Once the same is said on every host: frontdesk keys retire {kid} --sealing")


@app.command()
def bundle() -> None:
    """The public key of this machine's promotions, for security.bundle_keys of others."""
    from frontdesk.config import load
    from model_store.signature import load_signer

    typer.echo(load_signer(load().keys).public)


@app.command()
def sign(folder: Annotated[Path, typer.Argument(help="A bundle that is not among those of this home.")]) -> None:
    """Let a bundle be served that model.bundle names. `frontdesk promote` signs those of this home."""
    from frontdesk.config import load
    from model_store.bundle import open_bundle
    from model_store.signature import load_signer

    opened = open_bundle(folder)
    settings = load()
    load_signer(settings.keys).sign(opened.path, opened.manifest)
    audit_if_possible(settings, "bundle.sign", opened.version)
    typer.echo(f"{opened.version} is signed.")


def _open_key_files(sealing: bool) -> tuple[Settings, KeyFiles]:
    from frontdesk.config import load
    from frontdesk.security.key_store import KeyFiles, KeyPurpose

    settings = load()
    return settings, KeyFiles(settings.keys, KeyPurpose.FIELD_ENCRYPTION if sealing else KeyPurpose.SIGNING)


def check_retirable(settings: Settings, kid: str, inactive_s: float) -> None:
    """Raises ConfigurationError where something sealed with the key is left, or may still be on its way."""
    from frontdesk.errors import ConfigurationError
    from frontdesk.storage.spool.spool_file import delete_expired_keys

    if inactive_s < MIN_UNUSED_S:
        raise ConfigurationError(
            f"The key {kid} was put aside {inactive_s:.0f} seconds ago, and requests may still be using it.",
            hint=f"Try again in {MIN_UNUSED_S - inactive_s:.0f} seconds.",
        )
    with open_reencryption_job(settings) as job:
        for engine in (job.spool, job.database):
            delete_expired_keys(engine, datetime.now(UTC) - timedelta(seconds=settings.storage.idempotency_ttl_s))
        if reason := reason_to_keep(job.key_use(), kid):
            raise ConfigurationError(f"The key {kid} is still needed: {reason}.", hint="See: frontdesk keys reseal")


def reason_to_keep(key_use: KeyUse, kid: str) -> str:
    """By what; nothing where a key may go."""
    parts = []
    if values := key_use.sealed[kid]:
        parts.append(f"{values} values are sealed with it")
    if keys := key_use.fingerprints[kid]:
        parts.append(f"{keys} Idempotency-Keys know their request by it, until storage.idempotency_ttl_s is over")
    return " and ".join(parts)


@contextmanager
def open_reencryption_job(settings: Settings) -> Iterator[ReencryptionJob]:
    """Raises StorageUnavailable where the database or the spool does not answer; what was sealed anew stays so."""
    from sqlalchemy.exc import SQLAlchemyError

    from frontdesk.errors import StorageUnavailable
    from frontdesk.security.field_encryption import read_field_cipher
    from frontdesk.storage.database import migrate, open_database
    from frontdesk.storage.db_errors import error_name
    from frontdesk.storage.spool.spool_file import Spool
    from frontdesk.storage.sql.reencryption import ReencryptionJob

    try:
        migrate(settings.database_url)
        database, spool = open_database(settings.database_url), Spool.open(settings.home)
        try:
            yield ReencryptionJob(database, spool.engine, read_field_cipher(settings.keys))
        finally:
            spool.close()
            database.dispose()
    except SQLAlchemyError as error:
        raise StorageUnavailable(
            f"The database did not answer ({error_name(error)}).",
            hint="Nothing is lost: once it is back, the same command does what is left.",
        ) from None
