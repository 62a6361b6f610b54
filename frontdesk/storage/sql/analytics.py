"""Counts and sums of a tenant's queries in a time window, by one label; exact percentiles of latency.

Callers compute shares, rates and means from `QueryCounts`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Float, Integer, Text, cast, func, literal, select
from sqlalchemy.dialects.postgresql import array

from frontdesk.storage.tables import feedback, queries
from frontdesk.types import Action

SECONDS_AN_HOUR = 3600


class Dimension(StrEnum):
    """Label by which queries are counted. An `hour` is a number: hours since 1970 in UTC."""

    HOUR = "hour"
    INTENT = "intent"
    SENTIMENT = "sentiment"
    PRIORITY = "priority"
    DECISION = "decision"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """A tenant's queries from `start` (inclusive) to `end` (exclusive). Both are timezone-aware."""

    tenant: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class QueryCounts:
    """Queries with one label: number of all and of some kinds, sums for means, and the longest response time."""

    label: str
    queries: int = 0
    automated: int = 0
    escalated: int = 0
    negative: int = 0
    confidence: float = 0.0
    uncertainty: float = 0.0
    response_time_ms: float = 0.0
    highest_ms: float = 0.0

    def merge(self, other: QueryCounts) -> QueryCounts:
        """Return the sum of both counts, with this label."""
        return QueryCounts(
            self.label,
            self.queries + other.queries,
            self.automated + other.automated,
            self.escalated + other.escalated,
            self.negative + other.negative,
            self.confidence + other.confidence,
            self.uncertainty + other.uncertainty,
            self.response_time_ms + other.response_time_ms,
            max(self.highest_ms, other.highest_ms),
        )


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from a request's start until its record. `values` are the requested percentiles."""

    queries: int
    mean: float
    highest: float
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Opinions:
    """All feedback given within a window; `mean_satisfaction` is null without ratings."""

    given: int  # vocabulary: a field of the HTTP API
    accepted: int
    edited: int
    rejected: int
    intents_corrected: int
    satisfaction_given: int
    mean_satisfaction: float | None


@dataclass(frozen=True, slots=True)
class Correction:
    """Number of queries that were understood as `intent` and corrected to `corrected`."""

    intent: str
    corrected: str
    queries: int


def count_by(connection: Connection, window: TimeWindow, dimension: Dimension) -> list[QueryCounts]:
    """Return a count for each label that occurs, unordered."""
    label = cast(_label(connection, dimension), Text)
    rows = connection.execute(
        select(
            label,
            func.count(),
            func.count().filter(queries.c.decision == Action.AUTOMATE.value),
            func.count().filter(queries.c.decision == Action.ESCALATE.value),
            func.count().filter(queries.c.sentiment == "negative"),
            func.sum(queries.c.confidence),
            func.sum(queries.c.uncertainty_score),
            func.sum(queries.c.response_time_ms),
            func.max(queries.c.response_time_ms),
        )
        .where(*in_window(window))
        .group_by(label)
    )
    return [QueryCounts(*row) for row in rows]


def measure_latency(connection: Connection, window: TimeWindow, quantiles: Sequence[float]) -> Latency:
    """Return percentiles as `percentile_cont` defines them: linear between the two values around rank share * (n - 1).

    `quantiles` are between 0 and 1. Without queries every value is 0.
    """
    value = queries.c.response_time_ms
    total, mean, highest = connection.execute(
        select(func.count(), func.avg(value), func.max(value)).where(*in_window(window))
    ).one()
    if total == 0:
        return Latency(0, 0.0, 0.0, tuple(0.0 for _ in quantiles))
    if connection.dialect.name == "postgresql":
        percentiles = func.percentile_cont(array([literal(quantile, Float) for quantile in quantiles])).within_group(
            value
        )
        (values,) = connection.execute(select(percentiles).where(*in_window(window))).one()
        return Latency(total, mean, highest, tuple(values))
    return Latency(total, mean, highest, _percentiles_by_rank(connection, window, total, quantiles))


def summarise_feedback(connection: Connection, window: TimeWindow) -> Opinions:
    """Return a summary of the feedback given within the window, regardless of when its queries arrived."""
    reply_counts = [func.count().filter(feedback.c.reply == reply) for reply in ("accepted", "edited", "rejected")]
    satisfaction = feedback.c.satisfaction
    counts = [func.count(), *reply_counts, func.count(feedback.c.intent), func.count(satisfaction)]
    values: Sequence[Any] = connection.execute(
        select(*counts, func.avg(cast(satisfaction, Float))).where(
            feedback.c.tenant == window.tenant,
            feedback.c.created_at >= window.start,
            feedback.c.created_at < window.end,
        )
    ).one()
    return Opinions(*values)


def list_corrections(connection: Connection, window: TimeWindow) -> list[Correction]:
    """Return the intents that were corrected within the window, most frequent first, without confirmed intents."""
    number, understood, corrected = func.count(), feedback.c.understood_intent, feedback.c.intent
    rows = connection.execute(
        select(understood, corrected, number)
        .where(
            feedback.c.tenant == window.tenant,
            feedback.c.created_at >= window.start,
            feedback.c.created_at < window.end,
            corrected != understood,
        )
        .group_by(understood, corrected)
        .order_by(number.desc(), understood, corrected)
    )
    return [Correction(*row) for row in rows]


def in_window(window: TimeWindow) -> tuple[ColumnElement[bool], ...]:
    """Return the window as conditions of a statement over queries."""
    at = queries.c.created_at
    return queries.c.tenant == window.tenant, at >= window.start, at < window.end


def _label(connection: Connection, dimension: Dimension) -> ColumnElement[Any]:
    if dimension is not Dimension.HOUR:
        return queries.c[dimension.value]
    at = queries.c.created_at
    if (
        connection.dialect.name == "postgresql"
    ):  # date_part returns a float; extract returns a numeric, three times as slow
        return cast(func.floor(func.date_part("epoch", at) / SECONDS_AN_HOUR), Integer)
    return cast(func.strftime("%s", at), Integer) // SECONDS_AN_HOUR


def _percentiles_by_rank(
    connection: Connection, window: TimeWindow, total: int, quantiles: Sequence[float]
) -> tuple[float, ...]:
    """Return percentiles on SQLite, which has no function for them, from the values at the ranks around each."""
    ranks = [quantile * (total - 1) for quantile in quantiles]
    edges = {edge for rank in ranks for edge in (math.floor(rank), math.ceil(rank))}
    value = queries.c.response_time_ms
    ordered = (
        select(value.label("value"), (func.row_number().over(order_by=value) - 1).label("rank"))
        .where(*in_window(window))
        .subquery()
    )
    rows = connection.execute(select(ordered.c.rank, ordered.c.value).where(ordered.c.rank.in_(edges)))
    value_at = {row.rank: row.value for row in rows}
    return tuple(
        value_at[math.floor(rank)]
        + (rank - math.floor(rank)) * (value_at[math.ceil(rank)] - value_at[math.floor(rank)])
        for rank in ranks
    )
