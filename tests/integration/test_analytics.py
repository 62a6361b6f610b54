"""Counts, percentiles and feedback on both databases, compared with the same values computed in Python."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import astuple
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, func, select

from frontdesk.storage.database import begin_reading, migrate, open_database
from frontdesk.storage.sql import daily_rollups
from frontdesk.storage.sql.analytics import (
    Correction,
    Dimension,
    Latency,
    QueryCounts,
    TimeWindow,
    count_by,
    list_corrections,
    measure_latency,
    summarise_feedback,
)
from frontdesk.storage.sql.daily_rollups import (
    count_day,
    counts_by_label,
    days_to_count,
    delete_day_counts,
    latency_percentiles,
    store_day_counts,
)
from frontdesk.storage.tables import daily_counts
from tests.support.stored_rows import START, hours, insert_feedback, insert_queries, query_row

SHARES = (0.0, 0.5, 0.9, 0.95, 0.99, 1.0)
WINDOW = TimeWindow("acme", START + hours(5), START + hours(90))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    migrate(database_url)
    engine = open_database(database_url)
    yield engine
    engine.dispose()


def some(seed: int, number: int = 300) -> list[dict[str, Any]]:
    chance = random.Random(seed)
    return [
        query_row(
            tenant=chance.choice(("acme", "acme", "other")),
            created_at=START + hours(chance.randrange(0, 100) + chance.choice((0, 0.5))),
            intent=chance.choice(("track_order", "get_refund", "complaint")),
            sentiment=chance.choice(("negative", "neutral", "positive")),
            decision=chance.choice(("automate", "draft", "clarify", "escalate")),
            response_time_ms=round(chance.lognormvariate(2, 1), 3),
            confidence=chance.random(),
            uncertainty_score=chance.random(),
        )
        for _ in range(number)
    ]


def in_window(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["tenant"] == "acme" and WINDOW.start <= row["created_at"] < WINDOW.end]


LABELS: dict[Dimension, Callable[[dict[str, Any]], str]] = {
    Dimension.HOUR: lambda row: str(int(row["created_at"].timestamp()) // 3600),
    Dimension.INTENT: lambda row: row["intent"],
    Dimension.DECISION: lambda row: row["decision"],
    Dimension.SENTIMENT: lambda row: row["sentiment"],
}


@pytest.mark.parametrize("dimension", LABELS)
def test_counts_match_the_rows_within_the_window(engine: Engine, dimension: Dimension) -> None:
    rows = some(1)
    insert_queries(engine, rows)
    with begin_reading(engine) as connection:
        counted = {count.label: count for count in count_by(connection, WINDOW, dimension)}
    label, inside = LABELS[dimension], in_window(rows)
    assert {name: count.queries for name, count in counted.items()} == Counter(label(row) for row in inside)
    for name, count in counted.items():
        theirs = [row for row in inside if label(row) == name]
        assert count.escalated == sum(row["decision"] == "escalate" for row in theirs)
        assert count.automated == sum(row["decision"] == "automate" for row in theirs)
        assert count.negative == sum(row["sentiment"] == "negative" for row in theirs)
        assert count.confidence == pytest.approx(sum(row["confidence"] for row in theirs))
        assert count.uncertainty == pytest.approx(sum(row["uncertainty_score"] for row in theirs))
        assert count.response_time_ms == pytest.approx(sum(row["response_time_ms"] for row in theirs))


@pytest.mark.parametrize("number", [1, 2, 3, 10, 300])
def test_percentiles_are_interpolated_between_ranks_on_both_databases(engine: Engine, number: int) -> None:
    rows = [{**row, "tenant": "acme", "created_at": WINDOW.start} for row in some(number, number)]
    insert_queries(engine, rows)
    with begin_reading(engine) as connection:
        results = measure_latency(connection, WINDOW, SHARES)
    times = [row["response_time_ms"] for row in rows]
    assert results.queries == number
    assert results.highest == max(times)
    assert results.mean == pytest.approx(np.mean(times))
    assert results.values == pytest.approx(tuple(np.quantile(times, SHARES, method="linear")))


def test_without_queries_all_values_are_zero(engine: Engine) -> None:
    with begin_reading(engine) as connection:
        assert count_by(connection, WINDOW, Dimension.INTENT) == []
        assert measure_latency(connection, WINDOW, SHARES) == Latency(0, 0.0, 0.0, (0.0,) * 6)
        assert summarise_feedback(connection, WINDOW).given == 0
        assert summarise_feedback(connection, WINDOW).mean_satisfaction is None


def test_feedback_is_counted_by_its_values_and_its_time(engine: Engine) -> None:
    row, foreign = query_row(created_at=START), query_row(tenant="other")
    insert_queries(engine, [row, foreign])
    insert_feedback(engine, row, created_at=START + hours(6), reply="edited", satisfaction=4, intent="get_refund")
    insert_feedback(engine, row, created_at=START + hours(7), reply="accepted", satisfaction=1, intent="track_order")
    insert_feedback(engine, row, created_at=START + hours(1), reply="rejected")  # before the window
    insert_feedback(engine, foreign, created_at=START + hours(6), reply="edited")
    with begin_reading(engine) as connection:
        output, corrected = summarise_feedback(connection, WINDOW), list_corrections(connection, WINDOW)
    assert (output.given, output.accepted, output.edited, output.rejected) == (2, 1, 1, 0)
    assert (output.intents_corrected, output.satisfaction_given, output.mean_satisfaction) == (2, 2, 2.5)
    assert corrected == [Correction("track_order", "get_refund", 1)]


NOW = START + hours(24 * 30)


def count_days(engine: Engine, window: TimeWindow, now: datetime = NOW) -> int:
    with engine.begin() as connection:
        days = [count_day(connection, window.tenant, day) for day in days_to_count(connection, window, now)]
        store_day_counts(connection, days)
    return len(days)


def both_ways(
    engine: Engine, window: TimeWindow, dimension: Dimension
) -> tuple[dict[str, QueryCounts], dict[str, QueryCounts]]:
    with begin_reading(engine) as connection:
        of_days = {count.label: count for count in counts_by_label(connection, window, dimension)}
        return of_days, {count.label: count for count in count_by(connection, window, dimension)}


def assert_the_same(engine: Engine, window: TimeWindow) -> None:
    for dimension in Dimension:
        of_days, of_queries = both_ways(engine, window, dimension)
        assert of_days.keys() == of_queries.keys()
        for label, count in of_days.items():
            assert astuple(count)[1:] == pytest.approx(astuple(of_queries[label])[1:])


def test_figures_are_the_same_whether_days_were_counted_before_or_not(engine: Engine) -> None:
    insert_queries(engine, some(7, 600))
    assert count_days(engine, TimeWindow("acme", START - hours(2400), NOW)) == 29  # those without queries too
    assert count_days(engine, TimeWindow("acme", START - hours(2400), NOW)) == 0
    for first, last in ((0, 100), (5, 90), (24, 72), (30, 40), (47.5, 49), (-500, 500)):
        assert_the_same(engine, TimeWindow("acme", START + hours(first), START + hours(last)))
        assert_the_same(engine, TimeWindow("other", START + hours(first), START + hours(last)))


def test_a_day_is_counted_only_when_it_has_been_over_for_an_hour(engine: Engine) -> None:
    insert_queries(engine, [query_row(created_at=START), query_row(created_at=START + hours(25))])
    window = TimeWindow("acme", START, START + hours(72))
    assert count_days(engine, window, START + hours(24.9)) == 0
    assert count_days(engine, window, START + hours(25)) == 1
    assert count_days(engine, window, START + hours(48.5)) == 0


def test_a_gap_among_counted_days_is_counted_from_the_queries(engine: Engine) -> None:
    insert_queries(engine, some(8))
    count_days(engine, TimeWindow("acme", START, NOW))
    with engine.begin() as connection:
        delete_day_counts(connection, [("acme", START + hours(24 * day)) for day in (0, 2)])
    assert_the_same(engine, TimeWindow("acme", START - hours(1), START + hours(100)))


def test_a_late_query_is_counted(engine: Engine) -> None:
    insert_queries(engine, some(9))
    window = TimeWindow("acme", START, START + hours(96))
    count_days(engine, window)
    with engine.begin() as connection:
        delete_day_counts(connection, [("acme", START + hours(30))])
    insert_queries(engine, [query_row(created_at=START + hours(30), intent="complaint")])
    assert_the_same(engine, window)
    assert count_days(engine, window) == 1
    assert_the_same(engine, window)


def test_counts_of_a_day_are_not_stored_if_a_query_was_added_meanwhile(engine: Engine) -> None:
    insert_queries(engine, [query_row()])
    with engine.begin() as connection:
        day = count_day(connection, "acme", days_to_count(connection, TimeWindow("acme", START, NOW), NOW)[0])
    insert_queries(engine, [query_row()])
    with engine.begin() as connection:
        store_day_counts(connection, [day])
        assert connection.scalar(select(func.count()).select_from(daily_counts)) == 0


def test_percentiles_of_very_many_queries_are_right_to_half_a_percent(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{**row, "tenant": "acme"} for row in some(10, 3000)]
    insert_queries(engine, rows)
    window = TimeWindow("acme", START + hours(3), START + hours(80))
    count_days(engine, window)
    with begin_reading(engine) as connection:
        precise, exact = latency_percentiles(connection, window, SHARES)
        monkeypatch.setattr(daily_rollups, "EXACT_UP_TO", 100)
        rough, roughly_exact = latency_percentiles(connection, window, SHARES)
    assert (exact, roughly_exact) == (True, False)
    assert rough.queries == precise.queries
    assert (rough.mean, rough.highest) == pytest.approx((precise.mean, precise.highest))
    assert rough.values == pytest.approx(precise.values, rel=0.006)
