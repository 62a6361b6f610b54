"""Counts, percentiles and feedback on both databases, against the same figures made in Python."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine

from frontdesk.storage.database import migrate, open_database, reading
from frontdesk.storage.sql.analytics import (
    Correction,
    Dimension,
    Latency,
    Window,
    corrections,
    count_by,
    latency,
    opinions,
)
from tests.kept import START, hours, kept, put, put_feedback

SHARES = (0.0, 0.5, 0.9, 0.95, 0.99, 1.0)
WINDOW = Window("acme", START + hours(5), START + hours(90))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    migrate(database_url)
    engine = open_database(database_url)
    yield engine
    engine.dispose()


def some(seed: int, number: int = 300) -> list[dict[str, Any]]:
    chance = random.Random(seed)
    return [
        kept(
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


def within(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["tenant"] == "acme" and WINDOW.start <= row["created_at"] < WINDOW.end]


LABELS: dict[Dimension, Callable[[dict[str, Any]], str]] = {
    Dimension.HOUR: lambda row: str(int(row["created_at"].timestamp()) // 3600),
    Dimension.INTENT: lambda row: row["intent"],
    Dimension.DECISION: lambda row: row["decision"],
    Dimension.SENTIMENT: lambda row: row["sentiment"],
}


@pytest.mark.parametrize("dimension", LABELS)
def test_counts_are_those_of_the_rows_within_the_window(engine: Engine, dimension: Dimension) -> None:
    rows = some(1)
    put(engine, rows)
    with reading(engine) as connection:
        counted = {count.label: count for count in count_by(connection, WINDOW, dimension)}
    label, inside = LABELS[dimension], within(rows)
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
    put(engine, rows)
    with reading(engine) as connection:
        found = latency(connection, WINDOW, SHARES)
    times = [row["response_time_ms"] for row in rows]
    assert found.queries == number
    assert found.highest == max(times)
    assert found.mean == pytest.approx(np.mean(times))
    assert found.values == pytest.approx(tuple(np.quantile(times, SHARES, method="linear")))


def test_without_queries_there_are_no_figures(engine: Engine) -> None:
    with reading(engine) as connection:
        assert count_by(connection, WINDOW, Dimension.INTENT) == []
        assert latency(connection, WINDOW, SHARES) == Latency(0, 0.0, 0.0, (0.0,) * 6)
        assert opinions(connection, WINDOW).given == 0
        assert opinions(connection, WINDOW).mean_satisfaction is None


def test_feedback_is_counted_by_what_it_says_and_when_it_was_given(engine: Engine) -> None:
    row, foreign = kept(created_at=START), kept(tenant="other")
    put(engine, [row, foreign])
    put_feedback(engine, row, created_at=START + hours(6), reply="edited", satisfaction=4, intent="get_refund")
    put_feedback(engine, row, created_at=START + hours(7), reply="accepted", satisfaction=1, intent="track_order")
    put_feedback(engine, row, created_at=START + hours(1), reply="rejected")  # before the window
    put_feedback(engine, foreign, created_at=START + hours(6), reply="edited")
    with reading(engine) as connection:
        said, corrected = opinions(connection, WINDOW), corrections(connection, WINDOW)
    assert (said.given, said.accepted, said.edited, said.rejected) == (2, 1, 1, 0)
    assert (said.intents_corrected, said.satisfaction_given, said.mean_satisfaction) == (2, 2, 2.5)
    assert corrected == [Correction("track_order", "get_refund", 1)]
