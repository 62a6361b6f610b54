from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bentos.gateway.analytics_schemas import Figures, buckets, count_buckets, rank_labels, sum_counts
from frontdesk.storage.sql.analytics import QueryCounts

MONDAY = datetime(2026, 6, 1, tzinfo=UTC)
moments = st.datetimes(datetime(1970, 1, 8), datetime(2100, 1, 1), timezones=st.just(UTC))


def hour(moment: datetime, queries: int = 1) -> QueryCounts:
    return QueryCounts(str(int(moment.timestamp() // 3600)), queries=queries)


def test_means_and_rates_are_shares_of_the_queries() -> None:
    figures = Figures.of(QueryCounts("x", queries=4, automated=1, escalated=2, confidence=3.0, response_time_ms=40.0))
    assert (figures.automation_rate, figures.escalation_rate) == (0.25, 0.5)
    assert (figures.mean_confidence, figures.mean_response_time_ms) == (0.75, 10.0)


def test_without_queries_there_are_no_rates() -> None:
    figures = Figures.of(QueryCounts("x"))
    assert (figures.queries, figures.automation_rate, figures.mean_confidence) == (0, None, None)


def test_labels_are_sorted_by_what_is_asked_for_and_then_by_name() -> None:
    counts = [QueryCounts("a", queries=1), QueryCounts("c", queries=3, escalated=1), QueryCounts("b", queries=3)]
    assert [(entry.label, entry.share) for entry in rank_labels(counts)] == [("b", 3 / 7), ("c", 3 / 7), ("a", 1 / 7)]
    assert [entry.label for entry in rank_labels(counts, by_escalations=True)] == ["c", "a", "b"]


def test_weeks_begin_on_monday_and_empty_buckets_are_there() -> None:
    end = MONDAY + timedelta(days=20)
    result = buckets([hour(MONDAY), hour(MONDAY + timedelta(days=6, hours=23))], MONDAY, end, "week")
    assert [(entry.start, entry.figures.queries) for entry in result] == [
        (MONDAY, 2),
        (MONDAY + timedelta(days=7), 0),
        (MONDAY + timedelta(days=14), 0),
    ]


@given(start=moments, span=st.timedeltas(timedelta(seconds=1), timedelta(days=40)))
@pytest.mark.parametrize("bucket", ["hour", "day", "week"])
def test_buckets_cover_the_window_and_lose_no_query(bucket: str, start: datetime, span: timedelta) -> None:
    end = start + span
    hours = [hour(start), hour(start + span / 2), hour(end - timedelta(microseconds=1))]
    result = buckets(hours, start, end, bucket)
    assert sum(entry.figures.queries for entry in result) == sum_counts(hours).queries == 3
    assert result[0].start <= start
    width = {"hour": 1, "day": 24, "week": 168}[bucket]
    assert all(b.start - a.start == timedelta(hours=width) for a, b in pairwise(result))
    assert result[-1].start < end <= result[-1].start + timedelta(hours=width)
    assert abs(count_buckets(start, end, bucket) - len(result)) <= 1


@pytest.mark.parametrize("bucket", ["hour", "week"])
def test_the_first_and_the_last_moment_there_is_are_in_a_bucket(bucket: str) -> None:
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    assert len(buckets([], first, first + timedelta(days=7), bucket)) in (1, 168)
    assert buckets([], last - timedelta(hours=1), last, bucket)[-1].start <= last
