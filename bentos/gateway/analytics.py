"""Analytics routes: statistics of stored queries within a time window."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from fastapi import FastAPI, Query
from sqlalchemy import Connection

from bentos.gateway.analytics_schemas import (
    MAX_BUCKETS,
    PERCENTILES,
    Escalations,
    Figures,
    Intents,
    LatencyFigures,
    Summary,
    Timeseries,
    buckets,
    count_buckets,
    queries_by_label,
    rank_labels,
    sum_counts,
)
from bentos.gateway.openapi import NO_BODY_PROBLEMS
from bentos.gateway.request_state import Admitted, AdmittedRequest, Worker
from bentos.schemas.query_params import CHECK_QUERY_STRING, DEFAULT_SPAN, TimeRangeParameters, TimeseriesParameters
from bentos.worker.worker_context import WorkerContext
from frontdesk.errors import InvalidQuery
from frontdesk.storage.sql.analytics import Dimension, TimeWindow, list_corrections, summarise_feedback
from frontdesk.storage.sql.daily_rollups import counts_by_label, latency_percentiles

RangeParameters = TypeVar("RangeParameters", bound=TimeRangeParameters)
Shape = TypeVar("Shape")
Handler = Callable[..., Awaitable[Any]]

FIRST = datetime(1, 1, 2, tzinfo=UTC)
"""Earliest start of a window: no query is older, and the time is valid in every time zone."""


def add_analytics_routes(app: FastAPI) -> None:
    """Add five routes. Without `from` a window is the 30 days before its end; without `to` it ends now."""

    def route(name: str, summary: str, read: Callable[..., Any]) -> Callable[[Handler], Handler]:
        return app.get(
            f"/v1/analytics/{name}",
            summary=summary,
            description=read.__doc__,
            responses=NO_BODY_PROBLEMS,
            dependencies=CHECK_QUERY_STRING,
            tags=["analytics"],
        )

    @route("summary", "Totals and feedback", read_summary)
    async def summary(span: Annotated[TimeRangeParameters, Query()], admitted: Admitted, worker: Worker) -> Summary:
        return await _run_analytics_query(worker, admitted, span, read_summary)

    @route("timeseries", "Statistics by hour, day or week", read_timeseries)
    async def timeseries(
        span: Annotated[TimeseriesParameters, Query()], admitted: Admitted, worker: Worker
    ) -> Timeseries:
        return await _run_analytics_query(worker, admitted, span, read_timeseries)

    @route("intents", "Queries by intent", read_intents)
    async def intents(span: Annotated[TimeRangeParameters, Query()], admitted: Admitted, worker: Worker) -> Intents:
        return await _run_analytics_query(worker, admitted, span, read_intents)

    @route("escalations", "Escalated queries", read_escalations)
    async def escalations(
        span: Annotated[TimeRangeParameters, Query()], admitted: Admitted, worker: Worker
    ) -> Escalations:
        return await _run_analytics_query(worker, admitted, span, read_escalations)

    @route("latency", "Response times", read_latency)
    async def latency(
        span: Annotated[TimeRangeParameters, Query()], admitted: Admitted, worker: Worker
    ) -> LatencyFigures:
        return await _run_analytics_query(worker, admitted, span, read_latency)


async def _run_analytics_query(
    worker: WorkerContext,
    admitted: AdmittedRequest,
    span: RangeParameters,
    read: Callable[[Connection, TimeWindow, RangeParameters], Shape],
) -> Shape:
    """Run a query for the caller's tenant within the requested window."""
    window = _window(admitted.caller.tenant, span)
    return await worker.storage.query_history.read_analytics(
        window, lambda connection: read(connection, window, span), admitted.deadline
    )


def _window(tenant: str, parameters: TimeRangeParameters) -> TimeWindow:
    """The requested window, with default start and end."""
    end = parameters.end or datetime.now(UTC)
    start = parameters.start or max(end, FIRST + DEFAULT_SPAN) - DEFAULT_SPAN
    if start >= end:
        raise InvalidQuery("The window ends before it begins.", hint="Without `to` it ends now.")
    return TimeWindow(tenant, start, end)


def read_summary(connection: Connection, window: TimeWindow, _: TimeRangeParameters) -> Summary:
    """Queries by decision, sentiment, priority and channel, and the feedback in the window."""
    decisions = counts_by_label(connection, window, Dimension.DECISION)
    return Summary(
        start=window.start,
        end=window.end,
        figures=Figures.of(sum_counts(decisions)),
        decisions=queries_by_label(decisions),
        sentiments=queries_by_label(counts_by_label(connection, window, Dimension.SENTIMENT)),
        priorities=queries_by_label(counts_by_label(connection, window, Dimension.PRIORITY)),
        channels=queries_by_label(counts_by_label(connection, window, Dimension.CHANNEL)),
        feedback=summarise_feedback(connection, window),
    )


def read_timeseries(connection: Connection, window: TimeWindow, parameters: TimeseriesParameters) -> Timeseries:
    """All buckets of the window in order, in UTC, including those without queries."""
    if count_buckets(window.start, window.end, parameters.bucket) > MAX_BUCKETS:
        raise InvalidQuery(
            f"The window has more than {MAX_BUCKETS} buckets.", hint="Use wider buckets or a shorter window."
        )
    hours = counts_by_label(connection, window, Dimension.HOUR)
    series = buckets(hours, window.start, window.end, parameters.bucket)
    return Timeseries(window.start, window.end, parameters.bucket, series)


def read_intents(connection: Connection, window: TimeWindow, _: TimeRangeParameters) -> Intents:
    """Statistics of each intent, and corrections of intents by feedback."""
    intents = rank_labels(counts_by_label(connection, window, Dimension.INTENT))
    return Intents(window.start, window.end, intents, tuple(list_corrections(connection, window)))


def read_escalations(connection: Connection, window: TimeWindow, _: TimeRangeParameters) -> Escalations:
    """Escalated queries by intent, sentiment, priority and channel."""
    counts_by_dimension = {
        dimension: counts_by_label(connection, window, dimension)
        for dimension in (Dimension.INTENT, Dimension.SENTIMENT, Dimension.PRIORITY, Dimension.CHANNEL)
    }
    totals = Figures.of(sum_counts(counts_by_dimension[Dimension.INTENT]))
    return Escalations(
        start=window.start,
        end=window.end,
        queries=totals.queries,
        escalated=totals.escalated,
        escalation_rate=totals.escalation_rate,
        intents=rank_labels(counts_by_dimension[Dimension.INTENT], by_escalations=True),
        sentiments=rank_labels(counts_by_dimension[Dimension.SENTIMENT], by_escalations=True),
        priorities=rank_labels(counts_by_dimension[Dimension.PRIORITY], by_escalations=True),
        channels=rank_labels(counts_by_dimension[Dimension.CHANNEL], by_escalations=True),
    )


def read_latency(connection: Connection, window: TimeWindow, _: TimeRangeParameters) -> LatencyFigures:
    """Mean, maximum and percentiles of the time from the start of a request until its record is created."""
    latency, exact = latency_percentiles(connection, window, list(PERCENTILES.values()))
    return LatencyFigures.of(window.start, window.end, latency if latency.queries else None, exact=exact)
