"""The tables as they are now. How an older database gets here stands in `migrations/`.

Every row names its tenant, and every index but the primary keys begins with it, because no question is ever asked
across tenants. Only types that SQLite and PostgreSQL share are used.

Knows nothing of connections or of what the rows mean to the product; the statements are in `sql/`.
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


def _present(name: str, column: str) -> Index:
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
    Column("query_sealed", LargeBinary),  # what the customer wrote, encrypted (frontdesk/security/field_encryption.py)
    Column("response_sealed", LargeBinary),  # what the customer was sent, encrypted
    Column("decision", Text, nullable=False),  # automate, draft, clarify or escalate
    Column("audit_salt", Text),  # salt of the text's fingerprint in the audit log; without it they cannot be matched
    Index("ix_queries_tenant_customer_created", "tenant", "customer_id", "created_at", "id"),
    # All that pages are filtered by and figures are made of, so that PostgreSQL need not read the rows themselves.
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
    Index(  # a few in a hundred, and what a support lead looks at first
        "ix_queries_tenant_urgent",
        "tenant",
        "created_at",
        "id",
        "decision",
        "sentiment",
        postgresql_where=text("priority = 'urgent'"),
        sqlite_where=text("priority = 'urgent'"),
    ),
    _present("ix_queries_tenant_session", "session_id"),
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

outbox = Table(  # one row for each event and sink, until that sink has it
    "outbox",
    metadata,
    Column("event_id", Text, nullable=False),  # UUIDv7: later events of a customer sort behind earlier ones
    Column("sink", Text, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("customer_id", Text),
    Column("type", Text, nullable=False),
    Column("payload", Text, nullable=False),  # JSON, masked
    Column("created_at", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", UtcDateTime, nullable=False),
    Column("is_dead", Boolean, nullable=False),  # given up; it stays until an administrator decides
    Column("last_error", Text),  # its name, never its message
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
    Column("fingerprint", Text, nullable=False),  # SHA-256 of the operation and what was asked
    Column("claim", Text, nullable=False),  # whose work it is: only this claim may finish it
    Column("lease_until", UtcDateTime, nullable=False),  # an unfinished claim may be taken over after this
    Column("query_id", Text),
    Column("answer_sealed", LargeBinary),  # what was answered, encrypted; null while it is in flight
    Column("created_at", UtcDateTime, nullable=False),
    Column("customer_hash", Text),  # keyed hash of the customer: erasure of answers that were not stored
    Column("session_hash", Text),  # keyed hash of the session
    PrimaryKeyConstraint("tenant", "subject", "key", name="pk_idempotency"),
    Index("ix_idempotency_tenant_created", "tenant", "created_at"),
    _present("ix_idempotency_tenant_customer", "customer_hash"),
    _present("ix_idempotency_tenant_session", "session_hash"),
    _present("ix_idempotency_tenant_query", "query_id"),
)

feedback = Table(
    "feedback",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("query_id", Text, nullable=False),
    Column("customer_id", Text),
    Column("subject", Text, nullable=False),  # who gave it
    Column("intent", Text),  # corrected, as are the next two
    Column("sentiment", Text),
    Column("priority", Text),
    Column("reply", Text),  # accepted, edited or rejected
    Column("satisfaction", Integer),  # 1 to 5
    Column("created_at", UtcDateTime, nullable=False),
    Column("understood_intent", Text),  # that of the query, beside the correction: no join over months of feedback
    Index("ix_feedback_tenant_query", "tenant", "query_id"),
    Index("ix_feedback_tenant_customer_created", "tenant", "customer_id", "created_at"),
    Index("ix_feedback_tenant_created", "tenant", "created_at"),
)

daily_counts = (
    Table(  # what days that are over come to, by one label at a time; made of `queries`, and made again from it
        "daily_counts",
        metadata,
        Column("tenant", Text, nullable=False),
        Column("day", Integer, nullable=False),  # since 1970, in UTC
        Column("dimension", Text, nullable=False),
        Column("label", Text, nullable=False),
        Column("queries", Integer, nullable=False),
        Column("automated", Integer, nullable=False),
        Column("escalated", Integer, nullable=False),
        Column("negative", Integer, nullable=False),
        Column("confidence", Float, nullable=False),  # a sum, as are the next two
        Column("uncertainty", Float, nullable=False),
        Column("response_time_ms", Float, nullable=False),
        Column("highest_ms", Float, nullable=False),
        PrimaryKeyConstraint("tenant", "day", "dimension", "label", name="pk_daily_counts"),
        Index("ix_daily_counts_tenant_dimension_day", "tenant", "dimension", "day"),
    )
)

erasures = Table(  # who was forgotten, so that what still waits elsewhere is forgotten too
    "erasures",
    metadata,
    Column("tenant", Text, nullable=False),
    Column("customer_hash", Text, nullable=False),  # the key of a customer, a session or a query (sql/erasure.py)
    Column("erased_at", UtcDateTime, nullable=False),  # by the clock of the database
    PrimaryKeyConstraint("tenant", "customer_hash", name="pk_erasures"),
    Index("ix_erasures_tenant_erased", "tenant", "erased_at"),
)

audit_log = Table(  # a chain for each writer: every row holds the hash of the one before it
    "audit_log",
    metadata,
    Column("chain", Text, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("subject", Text, nullable=False),  # who
    Column("action", Text, nullable=False),  # did what
    Column("target", Text, nullable=False),  # to what
    Column("details", Text, nullable=False),  # JSON without customers' words
    Column("created_at", UtcDateTime, nullable=False),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
    PrimaryKeyConstraint("chain", "sequence", name="pk_audit_log"),
    Index("ix_audit_log_tenant_created", "tenant", "created_at"),
)

audit_checkpoints = Table(  # the heads of all chains at a moment, signed
    "audit_checkpoints",
    metadata,
    Column("id", Text, primary_key=True),  # UUIDv7
    Column("content", Text, nullable=False),  # JSON (frontdesk/audit/chain.py)
    Column("created_at", UtcDateTime, nullable=False),
)

revoked_tokens = Table(  # tokens that are refused although they have not expired
    "revoked_tokens",
    metadata,
    Column("tenant", Text, nullable=False),  # empty: of every tenant
    Column("jti", Text, nullable=False),  # empty: all tokens of the subject
    Column("subject", Text, nullable=False),  # empty: not known
    Column("issued_before", UtcDateTime),  # for all tokens of a subject: later ones are not revoked
    Column("revoked_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),  # then the token is refused anyway; the row may be deleted
    PrimaryKeyConstraint("tenant", "jti", "subject", name="pk_revoked_tokens"),
    Index("ix_revoked_tokens_tenant_expires", "tenant", "expires_at"),
)

spools = Table(  # the last report on the spool of each host
    "spools",
    metadata,
    Column("id", Text, primary_key=True),  # of the file; the host's name may change
    Column("host", Text, nullable=False),
    Column("waiting", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("erased_until", UtcDateTime),  # erasures up to this moment have been applied to the file
    Column("seen_at", UtcDateTime, nullable=False),  # by the clock of the database, as erased_until
)

retention_runs = Table(
    "retention_runs",
    metadata,
    Column("id", Text, primary_key=True),  # UUIDv7
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime, nullable=False),
    Column("report", Text, nullable=False),  # JSON: rows removed by table
)
