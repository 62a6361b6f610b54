"""Counts of past days, computed once, so that analytics of a long window need not read every query in it again.

A day in UTC is counted on first use, after it has been over for an hour, and stored as a row for each label. Afterwards
it changes only by rows that arrive late from a spool: the transaction that inserts them also deletes the counts of the
day. An erasure keeps labels and times, and so the counts. The first and the last day of a window, and days that are not
counted yet, are counted from the queries themselves.

Latencies are stored as a histogram with buckets that are one percent wide, so its percentiles are accurate to 0.5 %.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, func, or_, select

from frontdesk.storage.sql.analytics import (
    Dimension,
    Latency,
    QueryCounts,
    TimeWindow,
    count_by,
    in_window,
    measure_latency,
)
from frontdesk.storage.sql.upsert import insert_once
from frontdesk.storage.tables import daily_counts, queries

SETTLED_AFTER = timedelta(hours=1)
"""More than the difference between clocks of hosts, and than the time until a request is stored."""
EXACT_UP_TO = 50_000
"""Maximum number of queries for exact percentiles: sorting them takes a few tens of milliseconds."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = "day"
_LATENCY = "latency"
_LOG_BUCKET_WIDTH = math.log(1.01)
_LOCK = 0x4441494C59  # for PostgreSQL's advisory lock: "DAILY" in ASCII
_SUMMED = ("queries", "automated", "escalated", "negative", "confidence", "uncertainty", "response_time_ms")
_SUMS = [daily_counts.c[name] for name in _SUMMED]


@dataclass(frozen=True, slots=True)
class DayCounts:
    """Counts of a day before they are stored. `number` is days since 1970, `queries` the number of all queries."""

    tenant: str
    number: int
    queries: int
    rows: Sequence[dict[str, Any]]


def days_to_count(connection: Connection, window: TimeWindow, now: datetime) -> list[int]:
    """Return the past days of the window that are not counted yet, from the tenant's first query on."""
    first = connection.scalar(select(func.min(queries.c.created_at)).where(queries.c.tenant == window.tenant))
    if first is None:
        return []
    start, end = _whole_days(max(window.start, _start_of_day(_day_number(first))), min(window.end, now - SETTLED_AFTER))
    counted = _counted_days(connection, window.tenant, start, end)
    return [day for day in range(start, end) if day not in counted]


def count_day(connection: Connection, tenant: str, day: int) -> DayCounts:
    """Count the queries of a day by all dimensions."""
    window = TimeWindow(tenant, _start_of_day(day), _start_of_day(day + 1))
    by_hour = count_by(connection, window, Dimension.HOUR)
    total = sum(count.queries for count in by_hour)
    counts_by_label = [
        (dimension.value, count) for dimension in Dimension for count in count_by(connection, window, dimension)
    ]
    times = connection.scalars(select(queries.c.response_time_ms).where(*in_window(window)))
    counts_by_label += [(_LATENCY, count) for count in _histogram(times)]
    counts_by_label.append((_DAY, QueryCounts("", total)))
    key = {"tenant": tenant, "day": day}
    return DayCounts(
        tenant, day, total, [{**key, "dimension": dimension, **asdict(count)} for dimension, count in counts_by_label]
    )


def store_day_counts(connection: Connection, days: Sequence[DayCounts]) -> None:
    """Store the counts of days to which no query was added since they were counted."""
    _lock_day_counts(connection)
    for day in days:
        window = TimeWindow(day.tenant, _start_of_day(day.number), _start_of_day(day.number + 1))
        if _number_of_queries(connection, window) == day.queries:
            insert_once(connection, daily_counts, day.rows)


def delete_day_counts(connection: Connection, moments: Iterable[tuple[str, datetime]]) -> None:
    """Delete the counts of days to which late queries are added, so that they are counted again.

    `moments` are the tenants and times of these queries.
    """
    days = {(tenant, _day_number(moment)) for tenant, moment in moments}
    if days:
        _lock_day_counts(connection)
        connection.execute(
            delete(daily_counts).where(
                or_(*(and_(daily_counts.c.tenant == tenant, daily_counts.c.day == day) for tenant, day in days))
            )
        )


def counts_by_label(connection: Connection, window: TimeWindow, dimension: Dimension) -> list[QueryCounts]:
    """Return the same as `count_by`, from stored counts where days have been counted."""
    start, end = _counted_range(connection, window)
    merged = _read_counts(connection, window.tenant, dimension.value, start, end)
    for part in _uncounted_windows(window, start, end):
        for count in count_by(connection, part, dimension):
            merged[count.label] = merged.get(count.label, QueryCounts(count.label)).merge(count)
    return list(merged.values())


def latency_percentiles(connection: Connection, window: TimeWindow, quantiles: Sequence[float]) -> tuple[Latency, bool]:
    """Return the same as `measure_latency`, and whether it is exact.

    It is not exact if there are more than `EXACT_UP_TO` queries and stored counts are a part of them.
    """
    start, end = _counted_range(connection, window)
    counted = _read_counts(connection, window.tenant, _DAY, start, end)
    uncounted = _uncounted_windows(window, start, end)
    total = sum(count.queries for count in counted.values()) + sum(
        _number_of_queries(connection, part) for part in uncounted
    )
    if start == end or total <= EXACT_UP_TO:
        return measure_latency(connection, window, quantiles), True
    buckets = _read_counts(connection, window.tenant, _LATENCY, start, end)
    for part in uncounted:
        times = connection.scalars(select(queries.c.response_time_ms).where(*in_window(part)))
        for count in _histogram(times):
            buckets[count.label] = buckets.get(count.label, QueryCounts(count.label)).merge(count)
    ordered = sorted(buckets.values(), key=lambda count: int(count.label))
    total_ms = sum(count.response_time_ms for count in ordered)
    highest = max(count.highest_ms for count in ordered)
    return Latency(
        total,
        total_ms / total,
        highest,
        tuple(_value_at_rank(ordered, quantile * (total - 1)) for quantile in quantiles),
    ), False


def _value_at_rank(ordered: Sequence[QueryCounts], rank: float) -> float:
    """Return the middle of the bucket that contains the rank."""
    cumulative = 0
    for count in ordered:
        cumulative += count.queries
        if cumulative > rank:
            return math.exp((int(count.label) + 0.5) * _LOG_BUCKET_WIDTH)
    return ordered[-1].highest_ms


def _histogram(times: Iterable[float]) -> list[QueryCounts]:
    """Return a count for each bucket. Its label is the integer part of log(milliseconds) / log(1.01)."""
    times_by_bucket: dict[int, list[float]] = {}
    for time in times:
        times_by_bucket.setdefault(math.floor(math.log(max(time, 0.001)) / _LOG_BUCKET_WIDTH), []).append(time)
    return [
        QueryCounts(
            str(bucket), queries=len(bucket_times), response_time_ms=sum(bucket_times), highest_ms=max(bucket_times)
        )
        for bucket, bucket_times in times_by_bucket.items()
    ]


def _read_counts(connection: Connection, tenant: str, dimension: str, start: int, end: int) -> dict[str, QueryCounts]:
    if start == end:
        return {}
    rows = connection.execute(
        select(daily_counts.c.label, *(func.sum(column) for column in _SUMS), func.max(daily_counts.c.highest_ms))
        .where(daily_counts.c.dimension == dimension, *_in_days(tenant, start, end))
        .group_by(daily_counts.c.label)
    )
    return {values[0]: QueryCounts(*values) for values in map(tuple[Any, ...], rows)}


def _counted_days(connection: Connection, tenant: str, start: int, end: int) -> set[int]:
    if start >= end:
        return set()
    statement = select(daily_counts.c.day).where(daily_counts.c.dimension == _DAY, *_in_days(tenant, start, end))
    return set(connection.scalars(statement))


def _counted_range(connection: Connection, window: TimeWindow) -> tuple[int, int]:
    """Return the longest run of counted days that begins with the first counted day in the window, as [start, end)."""
    start, end = _whole_days(window.start, window.end)
    counted = _counted_days(connection, window.tenant, start, end)
    if not counted:
        return start, start
    first = last = min(counted)
    while last in counted:
        last += 1
    return first, last


def _uncounted_windows(window: TimeWindow, start: int, end: int) -> list[TimeWindow]:
    """Return the parts of the window outside of these days."""
    if start == end:
        return [window]
    before, after = (
        TimeWindow(window.tenant, window.start, _start_of_day(start)),
        TimeWindow(window.tenant, _start_of_day(end), window.end),
    )
    return [part for part in (before, after) if part.start < part.end]


def _number_of_queries(connection: Connection, window: TimeWindow) -> int:
    number: int = connection.execute(select(func.count()).select_from(queries).where(*in_window(window))).scalar_one()
    return number


def _in_days(tenant: str, start: int, end: int) -> tuple[ColumnElement[bool], ...]:
    return daily_counts.c.tenant == tenant, daily_counts.c.day >= start, daily_counts.c.day < end


def _lock_day_counts(connection: Connection) -> None:
    """Serialise counting and late insertion. SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def _whole_days(start: datetime, end: datetime) -> tuple[int, int]:
    """Return the days that lie within, as [first, end); both are equal if there are none."""
    first = -((_EPOCH - start) // timedelta(days=1))  # rounded up
    return first, max(first, _day_number(end))


def _day_number(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(days=1)


def _start_of_day(day: int) -> datetime:
    return _EPOCH + timedelta(days=day)
