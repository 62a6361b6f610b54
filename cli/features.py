"""`frontdesk features`: show customers' history features, rebuild them in Redis, and export them for training."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

app = typer.Typer(
    help="Customers' history features: show, rebuild in Redis, export for training.", no_args_is_help=True
)


@app.command()
def show(
    customer: Annotated[str, typer.Argument(help="The customer's id, as API clients send it.")],
    tenant: Annotated[str, typer.Option(help="Tenant of the customer.")] = "default",
    at: Annotated[str | None, typer.Option(help="As of this time, such as 2026-01-31T09:30:00Z. Default: now.")] = None,
) -> None:
    """Print the features of a customer as of a time, as JSON. Features of an unknown customer are zeros."""
    from datetime import UTC

    from frontdesk.errors import ConfigurationError
    from frontdesk.storage.sql.contacts_and_ratings import history_as_of

    try:
        moment = datetime.fromisoformat(at) if at else datetime.now(UTC)
    except ValueError:
        raise ConfigurationError(f"--at {at} is not a time.", hint="Write it as 2026-01-31T09:30:00Z.") from None
    moment_utc = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    with _open_connection() as connection:
        typer.echo(json.dumps(asdict(history_as_of(connection, tenant, customer, moment_utc)), indent=2))


@app.command()
def rebuild() -> None:
    """Rebuild Redis from the database, for all customers of all tenants. Until then answers have no history."""
    from contextlib import closing

    import redis
    from redis.exceptions import RedisError

    from frontdesk.config import load_settings
    from frontdesk.errors import ConfigurationError, StorageUnavailable
    from frontdesk.storage.outbox import features_sink

    url = load_settings().redis.url
    if url is None:
        raise ConfigurationError("There is no Redis.", hint="Set redis.url, or FRONTDESK_REDIS__URL.")
    try:
        with _open_connection() as connection, closing(redis.Redis.from_url(url)) as client:
            customers = features_sink.rebuild_features(client, connection)
    except RedisError as error:
        raise StorageUnavailable(f"Redis could not be filled ({type(error).__name__}).") from None
    typer.echo(f"{customers} customers")


@app.command()
def export(
    at_each_query: Annotated[
        bool, typer.Option("--at-each-query", help="One line for each stored query of a known customer.")
    ] = False,
) -> None:
    """Write JSON lines for training: the id of each query, and the features of its customer at that time.

    Features are computed only from earlier interactions, with the same definition as in serving.
    """
    if not at_each_query:
        raise typer.BadParameter("--at-each-query is required: other times are not supported yet")
    with _open_connection() as connection:
        for line in export_lines(connection):
            sys.stdout.write(f"{line}\n")


def export_lines(connection: Connection) -> Iterator[str]:
    """Yield lines by customer and time. All ratings and the contacts of one customer are held in memory."""
    from collections import defaultdict
    from itertools import groupby

    from frontdesk.features.customer_history import AnswerRating, histories_at
    from frontdesk.storage.sql.contacts_and_ratings import all_contacts, all_ratings

    ratings: dict[tuple[str, str], list[AnswerRating]] = defaultdict(list)
    for rating_row in all_ratings(connection):
        ratings[rating_row.tenant, rating_row.customer_id].append(rating_row.rating)
    for owner, group in groupby(all_contacts(connection), lambda row: (row.tenant, row.customer_id)):
        rows = list(group)
        histories = histories_at(
            [row.contact for row in rows], ratings.get(owner, []), [row.received_at for row in rows]
        )
        for row, history in zip(rows, histories, strict=True):
            entry = {
                "query_id": row.contact.id,
                "tenant": row.tenant,
                "at": row.received_at.isoformat(),
                **asdict(history),
            }
            yield json.dumps(entry)


def _open_connection() -> Connection:
    """Migrate the database and return a read-only connection on a separate engine."""
    from frontdesk.config import load_settings
    from frontdesk.storage.database import migrate, open_database

    url = load_settings().database_url
    migrate(url)
    return open_database(url).connect().execution_options(frontdesk_reads_only=True)
