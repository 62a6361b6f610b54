"""Routes of figures over what was kept, within any window of time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from fastapi import FastAPI
from pydantic import TypeAdapter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from bentos.gateway.admitted import Admitted, WorkerDesk
from bentos.gateway.analytics_schemas import (
    MOST_BUCKETS,
    PERCENTILES,
    Escalations,
    Figures,
    Intents,
    LatencyFigures,
    Summary,
    Timeseries,
    buckets,
    by_label,
    labelled,
    number_of_buckets,
    total,
)
from bentos.gateway.openapi import READING_PROBLEMS
from bentos.schemas.query_params import DEFAULT_SPAN, Buckets, Span, described_parameters, parse_parameters
from frontdesk.errors import InvalidQuery
from frontdesk.storage.sql.analytics import Dimension, Window, corrections, opinions
from frontdesk.storage.sql.daily_rollups import counts, latencies

Asked = TypeVar("Asked", bound=Span, contravariant=True)


class Reading(Protocol[Asked]):
    def __call__(self, connection: Connection, window: Window, asked: Asked, /) -> Any: ...


FIRST = datetime(1, 1, 2, tzinfo=UTC)
"""Nothing is older, and every time zone can still say it."""


def add_analytics(app: FastAPI) -> None:
    """Five routes. Without `from` a window is the 30 days before its end; without `to` it ends now."""

    def add(name: str, summary: str, shape: type, asking: type[Asked], read: Reading[Asked]) -> None:
        rendered = TypeAdapter(shape).serializer

        async def answer(request: Request, admitted: Admitted, desk: WorkerDesk) -> Response:
            asked = parse_parameters(asking, request)
            window = _window(admitted.caller.tenant, asked)

            def figures(connection: Connection) -> Any:
                return read(connection, window, asked)

            made = await desk.storage.archive.figures(window, figures, admitted.deadline)
            return Response(rendered.to_json(made), media_type="application/json")

        app.add_api_route(
            f"/v1/analytics/{name}",
            answer,
            methods=["GET"],
            name=name,
            summary=summary,
            description=read.__doc__,
            response_model=None,
            responses={200: {"model": shape}, **READING_PROBLEMS},
            openapi_extra=described_parameters(asking),
            tags=["analytics"],
        )

    add("summary", "Totals, and what people said", Summary, Span, read_summary)
    add("timeseries", "Figures by hour, day or week", Timeseries, Buckets, read_timeseries)
    add("intents", "What customers write about", Intents, Span, read_intents)
    add("escalations", "What goes to a person", Escalations, Span, read_escalations)
    add("latency", "How long answers take", LatencyFigures, Span, read_latency)


def _window(tenant: str, asked: Span) -> Window:
    """The window that was asked for, or what is usual where nothing was said."""
    end = asked.end or datetime.now(UTC)
    start = asked.start or max(end, FIRST + DEFAULT_SPAN) - DEFAULT_SPAN
    if start >= end:
        raise InvalidQuery("The window ends before it begins.", hint="Without `to` it ends now.")
    return Window(tenant, start, end)


def read_summary(connection: Connection, window: Window, _: Span) -> Summary:
    """Queries by decision, sentiment, priority and channel, and the feedback that was given in the window."""
    decisions = counts(connection, window, Dimension.DECISION)
    return Summary(
        start=window.start,
        end=window.end,
        figures=Figures.of(total(decisions)),
        decisions=by_label(decisions),
        sentiments=by_label(counts(connection, window, Dimension.SENTIMENT)),
        priorities=by_label(counts(connection, window, Dimension.PRIORITY)),
        channels=by_label(counts(connection, window, Dimension.CHANNEL)),
        feedback=opinions(connection, window),
    )


def read_timeseries(connection: Connection, window: Window, asked: Buckets) -> Timeseries:
    """Every bucket of the window in order, in UTC, those without queries too."""
    if number_of_buckets(window.start, window.end, asked.bucket) > MOST_BUCKETS:
        raise InvalidQuery(f"The window has more than {MOST_BUCKETS} buckets.", hint="Ask for wider ones, or for less.")
    hours = counts(connection, window, Dimension.HOUR)
    made = buckets(hours, window.start, window.end, asked.bucket)
    return Timeseries(window.start, window.end, asked.bucket, made)


def read_intents(connection: Connection, window: Window, _: Span) -> Intents:
    """Figures of each intent, and which intents people corrected to which."""
    counted = labelled(counts(connection, window, Dimension.INTENT))
    return Intents(window.start, window.end, counted, tuple(corrections(connection, window)))


def read_escalations(connection: Connection, window: Window, _: Span) -> Escalations:
    """What was escalated, by intent, sentiment, priority and channel."""
    by = {
        dimension: counts(connection, window, dimension)
        for dimension in (Dimension.INTENT, Dimension.SENTIMENT, Dimension.PRIORITY, Dimension.CHANNEL)
    }
    every = Figures.of(total(by[Dimension.INTENT]))
    return Escalations(
        start=window.start,
        end=window.end,
        queries=every.queries,
        escalated=every.escalated,
        escalation_rate=every.escalation_rate,
        intents=labelled(by[Dimension.INTENT], by_escalations=True),
        sentiments=labelled(by[Dimension.SENTIMENT], by_escalations=True),
        priorities=labelled(by[Dimension.PRIORITY], by_escalations=True),
        channels=labelled(by[Dimension.CHANNEL], by_escalations=True),
    )


def read_latency(connection: Connection, window: Window, _: Span) -> LatencyFigures:
    """Mean, highest and percentiles of the time from a request's start until its record was made."""
    found, exact = latencies(connection, window, list(PERCENTILES.values()))
    return LatencyFigures.of(window.start, window.end, found if found.queries else None, exact=exact)
