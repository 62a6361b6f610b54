"""The tables as they are now. How an older database gets here stands in `migrations/`.

Every row names its tenant, and every index but the primary keys begins with it, because no question is ever asked
across tenants. Only types that SQLite and PostgreSQL share are used.

Knows nothing of connections or of what the rows mean to the product; the statements are in `queries.py`.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Boolean, Column, DateTime, Dialect, Float, Index, MetaData, Table, Text
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: aware datetimes in, datetimes in UTC out, to the microsecond.

    SQLite keeps no time zone, so all values are turned to UTC before they are written; its text form then sorts
    by time. PostgreSQL keeps `timestamptz` and answers in the zone of the session, hence the way back.

    Raises:
        ValueError: for a datetime without a time zone, which would be a guess.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None or value.tzinfo is UTC:
            return value
        if value.tzinfo is None:
            raise ValueError("A moment without a time zone cannot be stored.")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(naming_convention={"pk": "pk_%(table_name)s"})

queries = Table(
    "queries",
    metadata,
    Column("id", Text, primary_key=True),  # UUIDv7: new rows go to the end of the index
    Column("tenant", Text, nullable=False),
    Column("customer_id", Text),
    Column("session_id", Text),
    Column("query_text", Text, nullable=False),  # masked
    Column("intent", Text, nullable=False),
    Column("sentiment", Text, nullable=False),
    Column("confidence", Float, nullable=False),  # calibrated probability of the intent
    Column("priority", Text, nullable=False),
    Column("priority_score", Float, nullable=False),  # 0 to 100
    Column("response_text", Text),  # masked; null where no reply was asked for
    Column("response_time_ms", Float, nullable=False),
    Column("escalation_needed", Boolean, nullable=False),
    Column("uncertainty_score", Float, nullable=False),  # 0 to 1
    Column("channel", Text, nullable=False),
    Column("customer_tier", Text, nullable=False),
    Column("model_version", Text, nullable=False),
    Column("answer", Text, nullable=False),  # the whole masked Answer as JSON, given back as it was written
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Index("ix_queries_tenant_customer_created", "tenant", "customer_id", "created_at"),
    Index("ix_queries_tenant_created", "tenant", "created_at"),
    Index("ix_queries_tenant_intent", "tenant", "intent"),
    Index("ix_queries_tenant_confidence", "tenant", "confidence"),
)

customer_history = Table(
    "customer_history",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("interaction_type", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("resolution_status", Text, nullable=False),
    Column("satisfaction_score", Float),
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_customer_history_tenant_customer_created", "tenant", "customer_id", "created_at"),
)

model_performance = Table(
    "model_performance",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("model_name", Text, nullable=False),
    Column("model_version", Text, nullable=False),
    Column("metric_name", Text, nullable=False),
    Column("metric_value", Float, nullable=False),
    Column("evaluation_date", UtcDateTime, nullable=False),
    Index("ix_model_performance_tenant_model_metric_date", "tenant", "model_name", "metric_name", "evaluation_date"),
)
