"""`frontdesk keys reseal`, and what has to be true before a sealing key may go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import typer

from cli.audit import note

if TYPE_CHECKING:
    from frontdesk.config import Settings
    from frontdesk.storage.sql.reencryption import KeyUse, ResealJob

SETTLED_S = 60.0
"""Requests that began before a rotation have long been kept by then; a key is used for a second longer at most."""


def reseal() -> None:
    """Seal with the current key what earlier ones have sealed: the database, and this host's spool. Servers may run.

    Ctrl-C stops it; the same command does what is left.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from frontdesk.config import load

    settings, console = load(), Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("rows, left"), TimeRemainingColumn())
    with opened_job(settings) as job, Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=job.rows())
        done = job.run(lambda rows: bar.advance(task, rows))
        use = job.use()
        current, others = job.seal.current.kid, [key.kid for key in job.seal.earlier.values()]
    note(settings, "keys.reseal", current)
    typer.echo(f"{done.values} values were sealed anew with the key {current}.")
    if done.unreadable:
        typer.echo(f"{done.unreadable} values could not be opened: their key is not here, or they were changed.")
    for kid in others:
        why = needed(use, kid)
        typer.echo(f"The key {kid} is still needed: {why}." if why else f"Nothing here needs the key {kid} any more.")
        if not why:
            typer.echo(f"  Once the same is said on every host: frontdesk keys retire {kid} --sealing")


def check_retirable(settings: Settings, kid: str, resting_s: float) -> None:
    """Raises ConfigurationError where something sealed with the key is left, or may still be on its way."""
    from frontdesk.errors import ConfigurationError
    from frontdesk.storage.spool.spool import purge

    if resting_s < SETTLED_S:
        raise ConfigurationError(
            f"The key {kid} was put aside {resting_s:.0f} seconds ago, and requests may still be using it.",
            hint=f"Try again in {SETTLED_S - resting_s:.0f} seconds.",
        )
    with opened_job(settings) as job:
        for engine in (job.spool, job.database):
            purge(engine, datetime.now(UTC) - timedelta(seconds=settings.storage.idempotency_ttl_s))
        if why := needed(job.use(), kid):
            raise ConfigurationError(f"The key {kid} is still needed: {why}.", hint="See: frontdesk keys reseal")


def needed(use: KeyUse, kid: str) -> str:
    """By what; nothing where a key may go."""
    parts = []
    if values := use.sealed[kid]:
        parts.append(f"{values} values are sealed with it")
    if keys := use.remembered[kid]:
        parts.append(f"{keys} Idempotency-Keys know their request by it, until storage.idempotency_ttl_s is over")
    return " and ".join(parts)


@contextmanager
def opened_job(settings: Settings) -> Iterator[ResealJob]:
    """Raises StorageUnavailable where the database or the spool does not answer; what was sealed anew stays so."""
    from sqlalchemy.exc import SQLAlchemyError

    from frontdesk.errors import StorageUnavailable
    from frontdesk.security.sealing import read_seal
    from frontdesk.storage.database import migrate, open_database
    from frontdesk.storage.db_errors import name_of
    from frontdesk.storage.spool.spool import Spool
    from frontdesk.storage.sql.reencryption import ResealJob

    try:
        migrate(settings.database_url)
        database, spool = open_database(settings.database_url), Spool.open(settings.home)
        try:
            yield ResealJob(database, spool.engine, read_seal(settings.keys))
        finally:
            spool.close()
            database.dispose()
    except SQLAlchemyError as error:
        raise StorageUnavailable(
            f"The database did not answer ({name_of(error)}).",
            hint="Nothing is lost: once it is back, the same command does what is left.",
        ) from None
