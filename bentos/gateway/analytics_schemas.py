"""Responses of the analytics routes, computed from the counts of a tenant's queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from frontdesk.storage.sql.analytics import Correction, Latency, Opinions, QueryCounts

PERCENTILES: Mapping[str, float] = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
MAX_BUCKETS = 10_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOURS = {"hour": 1, "day": 24, "week": 168}
_FIRST_MONDAY = 4 * 24
"""Hours from 1970-01-01, a Thursday, to the next Monday."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Statistics of a set of queries. Rates are shares of `queries`; rates and means are None if it is 0."""

    queries: int
    automated: int
    escalated: int
    negative: int
    automation_rate: float | None
    escalation_rate: float | None
    mean_confidence: float | None
    mean_uncertainty: float | None
    mean_response_time_ms: float | None

    @classmethod
    def of(cls, count: QueryCounts) -> Figures:
        return cls(
            queries=count.queries,
            automated=count.automated,
            escalated=count.escalated,
            negative=count.negative,
            automation_rate=_ratio(count.automated, count.queries),
            escalation_rate=_ratio(count.escalated, count.queries),
            mean_confidence=_ratio(count.confidence, count.queries),
            mean_uncertainty=_ratio(count.uncertainty, count.queries),
            mean_response_time_ms=_ratio(count.response_time_ms, count.queries),
        )


@dataclass(frozen=True, slots=True)
class Summary:
    """All queries within a window by label, and the feedback in that time."""

    start: datetime
    end: datetime
    figures: Figures
    decisions: Mapping[str, int]
    sentiments: Mapping[str, int]
    priorities: Mapping[str, int]
    channels: Mapping[str, int]
    feedback: Opinions


@dataclass(frozen=True, slots=True)
class Bucket:
    """The queries of one hour, day or week from `start`. The window may cut the first and the last bucket."""

    start: datetime
    figures: Figures


@dataclass(frozen=True, slots=True)
class Timeseries:
    """All buckets of the window in order, including those without queries."""

    start: datetime
    end: datetime
    bucket: str
    buckets: tuple[Bucket, ...]


@dataclass(frozen=True, slots=True)
class Labelled:
    """The queries with one label; `share` is their share of all queries."""

    label: str
    share: float
    figures: Figures


@dataclass(frozen=True, slots=True)
class Intents:
    """Intents, the most frequent first, and corrections of intents by feedback."""

    start: datetime
    end: datetime
    intents: tuple[Labelled, ...]
    corrections: tuple[Correction, ...]


@dataclass(frozen=True, slots=True)
class Escalations:
    """Escalated queries by label, the label with the most escalations first."""

    start: datetime
    end: datetime
    queries: int
    escalated: int
    escalation_rate: float | None
    intents: tuple[Labelled, ...]
    sentiments: tuple[Labelled, ...]
    priorities: tuple[Labelled, ...]
    channels: tuple[Labelled, ...]


@dataclass(frozen=True, slots=True)
class LatencyFigures:
    """Milliseconds from the start of a request until its record is created; all None if there are no queries.

    Percentiles are `exact` (as PostgreSQL's `percentile_cont`), or within 0.5 % for a very large number of queries.
    """

    start: datetime
    end: datetime
    queries: int
    exact: bool
    mean_ms: float | None
    max_ms: float | None
    percentiles_ms: Mapping[str, float | None]

    @classmethod
    def of(cls, start: datetime, end: datetime, latency: Latency | None, *, exact: bool) -> LatencyFigures:
        if latency is None:
            return cls(start, end, 0, exact, None, None, dict.fromkeys(PERCENTILES))
        percentiles = dict(zip(PERCENTILES, latency.values, strict=True))
        return cls(start, end, latency.queries, exact, latency.mean, latency.highest, percentiles)


def sum_counts(counts: Iterable[QueryCounts]) -> QueryCounts:
    """The sum of all counts."""
    result = QueryCounts("")
    for count in counts:
        result = result.merge(count)
    return result


def queries_by_label(counts: Sequence[QueryCounts]) -> dict[str, int]:
    return {count.label: count.queries for count in sorted(counts, key=lambda count: count.label)}


def rank_labels(counts: Sequence[QueryCounts], *, by_escalations: bool = False) -> tuple[Labelled, ...]:
    """Labels sorted by queries or escalations, in descending order; ties by name."""
    all_queries = sum_counts(counts).queries
    ordered = sorted(counts, key=lambda count: (-(count.escalated if by_escalations else count.queries), count.label))
    return tuple(Labelled(count.label, count.queries / all_queries, Figures.of(count)) for count in ordered)


def buckets(hours: Iterable[QueryCounts], start: datetime, end: datetime, bucket: str) -> tuple[Bucket, ...]:
    """Buckets from `start` to `end`, from counts by hour, whose labels are hours since 1970."""
    width = _HOURS[bucket]
    counts_by_hour: dict[int, QueryCounts] = {}
    for hour in hours:
        first = _first_hour_of_bucket(int(hour.label), width)
        counts_by_hour[first] = counts_by_hour.get(first, QueryCounts("")).merge(hour)
    first, last = (
        _first_hour_of_bucket(_hours_since_epoch(start), width),
        _hours_since_epoch(end - timedelta(microseconds=1)),
    )
    return tuple(
        Bucket(datetime.fromtimestamp(hour * 3600, UTC), Figures.of(counts_by_hour.get(hour, QueryCounts(""))))
        for hour in range(first, last + 1, width)
    )


def count_buckets(start: datetime, end: datetime, bucket: str) -> int:
    """The approximate number of buckets that `buckets` returns."""
    return int((end - start) / timedelta(hours=_HOURS[bucket])) + 1


def _hours_since_epoch(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(hours=1)  # integer arithmetic, because timestamps round


def _first_hour_of_bucket(hour: int, width: int) -> int:
    """The first hour of the bucket with `hour`; weeks begin on Monday."""
    offset = _FIRST_MONDAY if width == _HOURS["week"] else 0
    return (hour - offset) // width * width + offset


def _ratio(part: float, whole: int) -> float | None:
    return part / whole if whole else None
