"""The current tables. Migrations of older databases are in `migrations/`.

Every row has a tenant, and every index but the primary keys begins with it, because no request reads across tenants.
Only types that SQLite and PostgreSQL share are used.

The statements are in `sql/`.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """Timezone-aware datetime, returned in UTC, with microseconds.

    SQLite stores no time zone, so all values are converted to UTC before they are written; their text form then sorts
    by time. PostgreSQL stores `timestamptz` and returns values in the time zone of the session, so they are converted
    to UTC again.

    Raises:
        ValueError: for a datetime without a time zone, because its zone would be a guess.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None or value.tzinfo is UTC:
            return value
        if value.tzinfo is None:
            raise ValueError("A time without a time zone cannot be stored.")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(naming_convention={"pk": "pk_%(table_name)s"})


def _not_null_index(name: str, column: str) -> Index:
    """Return a partial index of the rows in which `column` is not null."""
    is_present = text(f"{column} IS NOT NULL")
    return Index(name, "tenant", column, postgresql_where=is_present, sqlite_where=is_present)


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
    Column("response_text", Text),  # masked; null if no reply was requested
    Column("response_time_ms", Float, nullable=False),
    Column("escalation_needed", Boolean, nullable=False),
    Column("uncertainty_score", Float, nullable=False),  # 0 to 1
    Column("channel", Text, nullable=False),
    Column("customer_tier", Text, nullable=False),
    Column("model_version", Text, nullable=False),
    Column("answer", Text, nullable=False),  # the whole masked Answer as JSON, returned unchanged
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("query_sealed", LargeBinary),  # original message, encrypted (frontdesk/security/field_encryption.py)
    Column("response_sealed", LargeBinary),  # original reply, encrypted
    Column("decision", Text, nullable=False),  # automate, draft, clarify or escalate
    Column("audit_salt", Text),  # salt of the text's fingerprint in the audit log; without it they cannot be matched
    Column("other_parts", Text),  # JSON: masked parts of the message that are not evaluated; null without such parts
    Column("mail_sealed", LargeBinary),  # JSON: original html, subject, headers and transcript, encrypted
    Index("ix_queries_tenant_customer_created", "tenant", "customer_id", "created_at", "id"),
    # Includes all columns of filters and analytics, so that PostgreSQL need not read the rows themselves.
    Index(
        "ix_queries_tenant_created",
        "tenant",
        "created_at",
        "id",
        postgresql_include=[
            "intent",
            "sentiment",
            "priority",
            "decision",
            "channel",
            "model_version",
            "confidence",
            "uncertainty_score",
            "response_time_ms",
        ],
    ),
    Index("ix_queries_tenant_intent", "tenant", "intent", "created_at", "id"),
    Index("ix_queries_tenant_confidence", "tenant", "confidence"),
    Index(  # a few percent of the rows, which support leads view first
        "ix_queries_tenant_urgent",
        "tenant",
        "created_at",
        "id",
        "decision",
        "sentiment",
        postgresql_where=text("priority = 'urgent'"),
        sqlite_where=text("priority = 'urgent'"),
    ),
    _not_null_index("ix_queries_tenant_session", "session_id"),
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

outbox = Table(  # one row for each event and sink, deleted after delivery
    "outbox",
    metadata,
    Column("event_id", Text, nullable=False),  # UUIDv7: later events of a customer sort after earlier ones
    Column("sink", Text, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("customer_id", Text),
    Column("type", Text, nullable=False),
    Column("payload", Text, nullable=False),  # JSON, masked
    Column("created_at", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", UtcDateTime, nullable=False),
    Column("is_dead", Boolean, nullable=False),  # dead letter: it stays until an administrator retries or drops it
    Column("last_error", Text),  # the error's name, never its message
    PrimaryKeyConstraint("event_id", "sink", name="pk_outbox"),
    Index("ix_outbox_tenant_dead", "tenant", "is_dead"),
    Index("ix_outbox_tenant_sink_customer_event", "tenant", "sink", "customer_id", "event_id"),
)

idempotency = Table(  # one row for each Idempotency-Key that a caller used
    "idempotency",
    metadata,
    Column("tenant", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),  # keyed hash of the operation and the request
    Column("claim", Text, nullable=False),  # id of the claim; only this claim may complete the row
    Column("lease_until", UtcDateTime, nullable=False),  # an unfinished claim may be taken over after this
    Column("query_id", Text),
    Column("answer_sealed", LargeBinary),  # the answer, encrypted; null while the request is in flight
    Column("created_at", UtcDateTime, nullable=False),
    Column("customer_hash", Text),  # keyed hash of the customer: erasure of answers that were not stored
    Column("session_hash", Text),  # keyed hash of the session
    PrimaryKeyConstraint("tenant", "subject", "key", name="pk_idempotency"),
    Index("ix_idempotency_tenant_created", "tenant", "created_at"),
    _not_null_index("ix_idempotency_tenant_customer", "customer_hash"),
    _not_null_index("ix_idempotency_tenant_session", "session_hash"),
    _not_null_index("ix_idempotency_tenant_query", "query_id"),
)

feedback = Table(
    "feedback",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("query_id", Text, nullable=False),
    Column("customer_id", Text),
    Column("subject", Text, nullable=False),  # caller who gave it
    Column("intent", Text),  # corrected, like the next two
    Column("sentiment", Text),
    Column("priority", Text),
    Column("reply", Text),  # accepted, edited or rejected
    Column("satisfaction", Integer),  # 1 to 5
    Column("created_at", UtcDateTime, nullable=False),
    Column("understood_intent", Text),  # intent of the query, copied: no join over months of feedback
    Index("ix_feedback_tenant_query", "tenant", "query_id"),
    Index("ix_feedback_tenant_customer_created", "tenant", "customer_id", "created_at"),
    Index("ix_feedback_tenant_created", "tenant", "created_at"),
)

daily_counts = Table(  # counts of past days by label, computed from `queries`; can be recomputed
    "daily_counts",
    metadata,
    Column("tenant", Text, nullable=False),
    Column("day", Integer, nullable=False),  # days since 1970, in UTC
    Column("dimension", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("queries", Integer, nullable=False),
    Column("automated", Integer, nullable=False),
    Column("escalated", Integer, nullable=False),
    Column("negative", Integer, nullable=False),
    Column("confidence", Float, nullable=False),  # a sum, like the next two
    Column("uncertainty", Float, nullable=False),
    Column("response_time_ms", Float, nullable=False),
    Column("highest_ms", Float, nullable=False),
    PrimaryKeyConstraint("tenant", "day", "dimension", "label", name="pk_daily_counts"),
    Index("ix_daily_counts_tenant_dimension_day", "tenant", "dimension", "day"),
)

erasures = Table(  # erased subjects: their rows that arrive later are anonymised, too
    "erasures",
    metadata,
    Column("tenant", Text, nullable=False),
    Column("customer_hash", Text, nullable=False),  # the key of a customer, a session or a query (sql/erasure.py)
    Column("erased_at", UtcDateTime, nullable=False),  # by the clock of the database
    PrimaryKeyConstraint("tenant", "customer_hash", name="pk_erasures"),
    Index("ix_erasures_tenant_erased", "tenant", "erased_at"),
)

audit_log = Table(  # a chain for each writer: every row holds the hash of the previous row
    "audit_log",
    metadata,
    Column("chain", Text, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("subject", Text, nullable=False),  # who acted
    Column("action", Text, nullable=False),  # the operation
    Column("target", Text, nullable=False),  # the resource, as an id or a keyed hash
    Column("details", Text, nullable=False),  # JSON without texts of customers
    Column("created_at", UtcDateTime, nullable=False),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
    PrimaryKeyConstraint("chain", "sequence", name="pk_audit_log"),
    Index("ix_audit_log_tenant_created", "tenant", "created_at"),
)

audit_checkpoints = Table(  # signed heads of chains at a point in time
    "audit_checkpoints",
    metadata,
    Column("id", Text, primary_key=True),  # UUIDv7
    Column("content", Text, nullable=False),  # JSON (frontdesk/audit/chain.py)
    Column("created_at", UtcDateTime, nullable=False),
)

revoked_tokens = Table(  # tokens that are rejected although they have not expired
    "revoked_tokens",
    metadata,
    Column("tenant", Text, nullable=False),  # empty: all tenants
    Column("jti", Text, nullable=False),  # empty: all tokens of the subject
    Column("subject", Text, nullable=False),  # empty: unknown
    Column("issued_before", UtcDateTime),  # if all tokens of a subject are revoked: later tokens are valid
    Column("revoked_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),  # after this the token is invalid anyway; the row may be deleted
    PrimaryKeyConstraint("tenant", "jti", "subject", name="pk_revoked_tokens"),
    Index("ix_revoked_tokens_tenant_expires", "tenant", "expires_at"),
)

spools = Table(  # the last report on the spool of each host
    "spools",
    metadata,
    Column("id", Text, primary_key=True),  # id of the file; the host's name may change
    Column("host", Text, nullable=False),
    Column("waiting", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("erased_until", UtcDateTime),  # erasures up to this moment have been applied to the file
    Column("seen_at", UtcDateTime, nullable=False),  # by the clock of the database, like erased_until
)

retention_runs = Table(
    "retention_runs",
    metadata,
    Column("id", Text, primary_key=True),  # UUIDv7
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime, nullable=False),
    Column("report", Text, nullable=False),  # JSON: rows removed by table
)
