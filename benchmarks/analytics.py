"""Latency of reads over 1,000,000 stored queries on PostgreSQL: pages, histories, analytics, export.

    python -m benchmarks.analytics [--queries N] [--rounds N] [--plans FILE]

A private PostgreSQL on this machine (64 MB of shared buffers, no tuning) has 90 days of queries of one tenant, evenly
distributed, with answers of 2 kB, an interaction for each and feedback for one in a hundred, and two small tenants.
Every call runs the code of its route in this process, without HTTP. Shown are median, minimum and maximum of the
rounds; table pages are warm after the first round. Days are rolled up on first use: the cost of that is printed
separately, as is the cost of the same window without roll-ups. The plan of every statement, EXPLAIN (ANALYZE, BUFFERS),
is written to a file.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event, text

from benchmarks.results import RoundStats, argument_parser, print_result, print_table
from bentos.gateway import analytics
from bentos.schemas.query_params import TimeseriesParameters
from frontdesk.deadline import Deadline
from frontdesk.storage.database import begin_reading, migrate, open_database
from frontdesk.storage.reads.query_history import QueryHistory
from frontdesk.storage.sql.analytics import Dimension, TimeWindow, count_by, measure_latency
from frontdesk.storage.sql.pagination import EXPORTED, PagePosition, QueryFilters
from tests.support import postgresql

TENANT, DAYS = "acme", 90
MAX_ANALYTICS_MS, MAX_PAGE_MS = 300.0, 20.0
DEADLINE_S = 120.0
INSERT_QUERIES = """
INSERT INTO queries (id, tenant, customer_id, session_id, query_text, intent, sentiment, confidence, priority,
    priority_score, response_text, response_time_ms, escalation_needed, uncertainty_score, channel, customer_tier,
    model_version, answer, created_at, updated_at, decision)
SELECT lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '-' || tenant || '-' ||
    lpad(to_hex(n), 12, '0'), tenant, 'customer-' || (random() * 60000)::int, NULL,
    'Where is my parcel [ORDER_1]? It should be here. ' || n,
    'intent_' || (27 * random() * random())::int,
    (ARRAY['negative', 'neutral', 'positive'])[1 + floor(random() * 3)::int], random(),
    (ARRAY['low', 'medium', 'high', 'urgent'])[1 + floor(4 * random() * random())::int], random() * 100,
    'It is on its way. ' || n, round(exp(2.3 + 0.6 * (random() + random() + random() - 1.5) * 2)::numeric, 3), false,
    random(), (ARRAY['chat', 'email', 'web'])[1 + floor(random() * 3)::int], 'standard', 'v' || floor(random() * 3),
    (SELECT string_agg(md5((n + k)::text), '') FROM generate_series(1, 62) k), at, at,
    (ARRAY['automate', 'draft', 'clarify', 'escalate'])[1 + floor(4 * random() * random())::int]
FROM (SELECT n, CAST(:tenant AS text) AS tenant,
    CAST(:start AS timestamptz) + n * CAST(:step AS interval) AS at FROM generate_series(1, :rows) n) made
"""
INSERT_HISTORY = """
INSERT INTO customer_history (id, tenant, customer_id, interaction_type, summary, resolution_status, created_at)
SELECT id, tenant, customer_id, 'query', intent || ': ' || decision, 'drafted', created_at FROM queries
"""
INSERT_FEEDBACK = """
INSERT INTO feedback (id, tenant, query_id, customer_id, subject, intent, reply, satisfaction, created_at,
    understood_intent)
SELECT 'f' || id, tenant, id, customer_id, 'agent', 'intent_' || floor(random() * 27), 'edited',
    1 + floor(random() * 5), created_at, intent FROM queries WHERE random() < 0.01
"""


@dataclass(frozen=True, slots=True)
class Call:
    """One read of a route. `limit_ms` is the limit of its median."""

    name: str
    limit_ms: float | None
    run: Callable[[], Coroutine[Any, Any, Any]]


def main() -> int:
    parser = argument_parser(__doc__)
    parser.add_argument("--queries", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--plans", type=Path, default=Path(tempfile.gettempdir()) / "frontdesk-plans.txt")
    options = parser.parse_args()
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    with postgresql.running() as server:
        url = server.fresh_database()
        migrate(url)
        engine = open_database(url)
        start = time.perf_counter()
        fill(engine, options.queries, end)
        filled_s = time.perf_counter() - start
        once, rows = asyncio.run(measure(engine, end, options.rounds, options.plans))
        engine.dispose()
    columns = (("call", "name", ""), ("ms", "ms", ".1f"), ("limit", "limit_ms", ".0f"), ("met", "met", ""))
    print_table("Reads of stored queries, milliseconds", columns, rows)
    for name, value in once.items():
        print(f"once, {name.removesuffix('_ms').replace('_', ' ')}: {value:.0f} ms")
    print(f"filled in {filled_s:.0f} s; plans in {options.plans}")
    print_result("analytics", {"queries": options.queries, "filled_s": filled_s, **once, "calls": rows})
    return 0 if all(row["met"] for row in rows) else 1


def fill(engine: Engine, number: int, end: datetime) -> None:
    """Insert the queries of the tenant and of two others with 5 % as many each; then run VACUUM ANALYZE."""
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        for tenant, rows in ((TENANT, number), ("b", number // 20), ("c", number // 20)):
            step = timedelta(days=DAYS) / rows
            start = end - timedelta(days=DAYS)
            connection.execute(text(INSERT_QUERIES), {"tenant": tenant, "start": start, "step": step, "rows": rows})
        connection.execute(text(INSERT_HISTORY))
        connection.execute(text(INSERT_FEEDBACK))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("VACUUM ANALYZE"))


async def measure(
    engine: Engine, end: datetime, rounds: int, plans: Path
) -> tuple[dict[str, float], list[dict[str, Any]]]:
    """Measure the one-time steps, then every call in turn in each round. At the end, run each call for its plans."""
    query_history = QueryHistory(engine, (), lambda plain: plain.hex())
    window = TimeWindow(TENANT, end - timedelta(days=DAYS), end)
    once = {
        "uncounted_intents_ms": await measure_ms(
            lambda: run_statement(engine, lambda c: count_by(c, window, Dimension.INTENT))
        ),
        "uncounted_latency_ms": await measure_ms(
            lambda: run_statement(engine, lambda c: measure_latency(c, window, (0.5, 0.99)))
        ),
        "days_counted_once_ms": await measure_ms(lambda: count_days(query_history, window)),
    }
    calls = [*analytics_calls(query_history, end), *page_calls(query_history, end)]
    times: dict[str, list[float]] = {call.name: [] for call in calls}
    for _ in range(rounds):
        for call in calls:
            times[call.name].append(await measure_ms(call.run))
    with plans.open("w", encoding="utf-8") as file:
        for call in calls:
            with capture_plans(engine) as captured:
                await call.run()
            file.write(f"== {call.name}\n\n" + "\n\n".join(captured) + "\n\n")
    spreads = [RoundStats.of(times[call.name]) for call in calls]
    return once, [
        {
            "name": call.name,
            "ms": ms,
            "limit_ms": call.limit_ms,
            "met": call.limit_ms is None or ms.median <= call.limit_ms,
        }
        for call, ms in zip(calls, spreads, strict=True)
    ]


def analytics_calls(query_history: QueryHistory, end: datetime) -> list[Call]:
    spans = {"90 days": timedelta(days=90), "29.5 days": timedelta(days=29.5), "36 hours": timedelta(hours=36)}
    reads: dict[str, Any] = {
        "summary": analytics.read_summary,
        "timeseries by hour": analytics.read_timeseries,
        "intents": analytics.read_intents,
        "escalations": analytics.read_escalations,
        "latency": analytics.read_latency,
    }

    def run(read: Any, span: timedelta) -> Callable[[], Coroutine[Any, Any, Any]]:
        window, hourly = TimeWindow(TENANT, end - span, end), TimeseriesParameters(bucket="hour")

        def read_window(connection: Connection) -> Any:
            return read(connection, window, hourly)

        return lambda: query_history.read_analytics(window, read_window, Deadline.after(DEADLINE_S))

    return [
        Call(f"{name}, {span}", MAX_ANALYTICS_MS, run(read, length))
        for name, read in reads.items()
        for span, length in spans.items()
    ]


def page_calls(query_history: QueryHistory, end: datetime) -> list[Call]:
    middle = PagePosition(end - timedelta(days=DAYS / 2), "~")
    rare = QueryFilters(priority="urgent", decision="escalate", sentiment="negative")

    def page(filters: QueryFilters, after: PagePosition | None = None) -> Callable[[], Coroutine[Any, Any, Any]]:
        return lambda: query_history.queries(TENANT, filters, after, 51, Deadline.after(DEADLINE_S))

    return [
        Call("first page", MAX_PAGE_MS, page(QueryFilters())),
        Call("page in the middle", MAX_PAGE_MS, page(QueryFilters(), middle)),
        Call("page of one customer", MAX_PAGE_MS, page(QueryFilters(customer_id="customer-777"))),
        Call("page of a rare intent", MAX_PAGE_MS, page(QueryFilters(intent="intent_26"))),
        Call("page of a common intent", MAX_PAGE_MS, page(QueryFilters(intent="intent_0"), middle)),
        Call("page of three rare labels", MAX_PAGE_MS, page(rare)),
        Call("page of a model version", MAX_PAGE_MS, page(QueryFilters(model_version="v1"))),
        Call(
            "a customer's history",
            MAX_PAGE_MS,
            lambda: query_history.interactions(TENANT, "customer-777", None, 51, Deadline.after(DEADLINE_S)),
        ),
        Call(
            "500 rows of an export",
            None,
            lambda: query_history.queries(TENANT, QueryFilters(), middle, 500, Deadline.after(DEADLINE_S), EXPORTED),
        ),
    ]


async def run_statement(engine: Engine, statement: Callable[[Connection], object]) -> None:
    def work() -> None:
        with begin_reading(engine) as connection:
            statement(connection)

    await asyncio.to_thread(work)


async def count_days(query_history: QueryHistory, window: TimeWindow) -> None:
    await query_history.read_analytics(window, lambda _: None, Deadline.after(2 * DEADLINE_S))


async def measure_ms(run: Callable[[], Coroutine[Any, Any, Any]]) -> float:
    start = time.perf_counter()
    await run()
    return (time.perf_counter() - start) * 1000


@contextmanager
def capture_plans(engine: Engine) -> Iterator[list[str]]:
    """Capture the plans of SELECT statements; each statement is run a second time for its plan."""
    captured: list[str] = []

    def explain(_: Any, cursor: Any, statement: str, parameters: Any, *__: Any) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            with cursor.connection.cursor() as explain_cursor:
                explain_cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {statement}", parameters)
                plan = "\n".join(line for (line,) in explain_cursor.fetchall())
            captured.append(f"{statement}\n\n{plan}")

    event.listen(engine, "before_cursor_execute", explain)
    try:
        yield captured
    finally:
        event.remove(engine, "before_cursor_execute", explain)


if __name__ == "__main__":
    sys.exit(main())
