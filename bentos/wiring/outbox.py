"""Create the sinks and start the dispatcher of the outbox."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import Engine

from frontdesk.config import Settings
from frontdesk.observability.metrics import Metrics
from frontdesk.storage.outbox.dispatcher import DeliveryLimits, Dispatcher
from frontdesk.storage.outbox.features_sink import FeaturesSink
from frontdesk.storage.outbox.sinks import FileSink, Sink
from frontdesk.storage.spool.spool_file import Spool
from frontdesk.storage.sql.outbox import SinkBacklog


def open_outbox(settings: Settings, engine: Engine, spool: Spool, metrics: Metrics) -> Dispatcher | None:
    """Start the dispatcher that delivers events to the sinks; None if no sinks are configured."""
    if not settings.sinks:
        return None
    outbox = settings.outbox
    limits = DeliveryLimits(
        max_events=outbox.max_events_per_delivery,
        max_attempts=outbox.max_attempts,
        backoff_s=outbox.backoff_s,
        max_backoff_s=outbox.max_backoff_s,
        poll_s=outbox.poll_s,
    )

    def observe_lag(lag: SinkBacklog) -> None:
        age_s = (datetime.now(UTC) - lag.oldest).total_seconds() if lag.oldest else 0.0
        metrics.set_outbox(lag.sink, lag.waiting, lag.dead, age_s)

    sinks = tuple(_sinks(settings, engine))
    return Dispatcher(
        engine,
        sinks,
        limits,
        spooled=spool.waiting_and_total,
        count_delivered_events=metrics.count_delivered_events,
        observe_lag=observe_lag,
    )


def _sinks(settings: Settings, engine: Engine) -> Iterator[Sink]:
    if "file" in settings.sinks:
        yield FileSink(settings.events_file, named_deliveries=settings.outbox.max_attempts)
    if settings.redis.url is not None:
        yield FeaturesSink(settings.redis.url, engine)
