"""`frontdesk keys`: manage the keys of this machine. A running server uses a change within a second."""

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
    from frontdesk.storage.sql.reencryption import EncryptionKeyUse, ReencryptionJob

MIN_UNUSED_S = 60.0
"""Time that must pass between a rotation and the retirement of the old key.

A running server uses the old key for at most a second after the rotation; requests that used it are stored by then.
"""

app = typer.Typer(
    help="The keys that sign tokens, encrypt stored text, and sign bundles.",
    no_args_is_help=True,
)


Sealing = Annotated[bool, typer.Option("--sealing", help="Use the keys that encrypt stored text, not those of tokens.")]


@app.command()
def new(sealing: Sealing = False) -> None:
    """Create a key that only verifies (or decrypts). Copy it to every machine, then rotate to it."""
    settings, files = _open_key_files(sealing)
    key = files.add()
    audit_if_possible(settings, "keys.new", key.kid)
    typer.echo(key.kid)


@app.command()
def rotate(
    kid: Annotated[str | None, typer.Argument(help="Default: a new key.")] = None, sealing: Sealing = False
) -> None:
    """Sign (or encrypt) with another key. Tokens and text of the previous key stay valid until it is retired."""
    settings, files = _open_key_files(sealing)
    key = files.rotate(kid)
    audit_if_possible(settings, "keys.rotate", key.kid)
    typer.echo(key.kid)


@app.command()
def retire(
    kid: Annotated[str, typer.Argument(help="A key that does not sign or encrypt any more.")], sealing: Sealing = False
) -> None:
    """Delete a key. All tokens that it signed are refused. A key that still encrypts text cannot be deleted."""
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
    """List the keys, the one in use first. Never prints secrets."""
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
    """Re-encrypt the database and this host's spool with the current key. Servers may run.

    After Ctrl-C, the same command resumes.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from frontdesk.config import load_settings

    settings, console = load_settings(), Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("rows, left"), TimeRemainingColumn())
    with open_reencryption_job(settings) as job, Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=job.count_rows_to_process())
        result = job.run(lambda rows: bar.advance(task, rows))
        key_use = job.key_use()
        current, others = job.field_cipher.current.kid, [key.kid for key in job.field_cipher.earlier.values()]
    audit_if_possible(settings, "keys.reseal", current)
    typer.echo(f"{result.values} values were re-encrypted with the key {current}.")
    if result.unreadable:
        typer.echo(f"{result.unreadable} values could not be decrypted: their key is missing, or they were changed.")
    for kid in others:
        reason = reason_to_keep(key_use, kid)
        typer.echo(
            f"The key {kid} is still needed: {reason}."
            if reason
            else f"The key {kid} is not needed on this host any more."
        )
        if not reason:
            typer.echo(f"  Once every host reports this, run: frontdesk keys retire {kid} --sealing")


@app.command()
def bundle() -> None:
    """Print the public key that signs bundles here, for security.bundle_keys of other machines."""
    from frontdesk.config import load_settings
    from model_store.signature import load_signer

    typer.echo(load_signer(load_settings().keys).public)


@app.command()
def sign(folder: Annotated[Path, typer.Argument(help="The folder of a bundle outside of this home.")]) -> None:
    """Sign a bundle so that model.bundle can name it. `frontdesk promote` signs bundles of this home."""
    from frontdesk.config import load_settings
    from model_store.bundle import open_bundle
    from model_store.signature import load_signer

    opened = open_bundle(folder)
    settings = load_settings()
    load_signer(settings.keys).sign(opened.path, opened.manifest)
    audit_if_possible(settings, "bundle.sign", opened.version)
    typer.echo(f"{opened.version} is signed.")


def _open_key_files(sealing: bool) -> tuple[Settings, KeyFiles]:
    from frontdesk.config import load_settings
    from frontdesk.security.key_store import KeyFiles, KeyPurpose

    settings = load_settings()
    return settings, KeyFiles(settings.keys, KeyPurpose.FIELD_ENCRYPTION if sealing else KeyPurpose.SIGNING)


def check_retirable(settings: Settings, kid: str, inactive_s: float) -> None:
    """Check that an encryption key is not needed any more.

    Raises:
        ConfigurationError: text encrypted with it is left, or a request may still store some.
    """
    from frontdesk.errors import ConfigurationError
    from frontdesk.storage.spool.spool_file import delete_expired_idempotency_keys

    if inactive_s < MIN_UNUSED_S:
        raise ConfigurationError(
            f"The key {kid} was replaced {inactive_s:.0f} seconds ago, and requests may still be using it.",
            hint=f"Try again in {MIN_UNUSED_S - inactive_s:.0f} seconds.",
        )
    with open_reencryption_job(settings) as job:
        for engine in (job.spool, job.database):
            delete_expired_idempotency_keys(
                engine, datetime.now(UTC) - timedelta(seconds=settings.storage.idempotency_ttl_s)
            )
        if reason := reason_to_keep(job.key_use(), kid):
            raise ConfigurationError(f"The key {kid} is still needed: {reason}.", hint="See: frontdesk keys reseal")


def reason_to_keep(key_use: EncryptionKeyUse, kid: str) -> str:
    """Return why a key is still needed; '' if it can be retired."""
    parts = []
    if values := key_use.sealed[kid]:
        parts.append(f"{values} values are encrypted with it")
    if keys := key_use.fingerprints[kid]:
        parts.append(
            f"{keys} Idempotency-Keys have a request fingerprint of it, until storage.idempotency_ttl_s has passed"
        )
    return " and ".join(parts)


@contextmanager
def open_reencryption_job(settings: Settings) -> Iterator[ReencryptionJob]:
    """Yield a job on the database and the spool of this host.

    Raises:
        StorageUnavailable: the database or the spool does not answer. Values that were re-encrypted stay so.
    """
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
            hint="Nothing is lost: once it is available, the same command resumes.",
        ) from None
