"""Add encrypted originals, decisions, outbox, idempotency, feedback, erasures and audit. Independent of `tables.py`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NEW_TABLES = ("outbox", "idempotency", "feedback", "erasures", "audit_log")


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    with op.batch_alter_table("queries") as queries:
        queries.add_column(sa.Column("query_sealed", sa.LargeBinary))
        queries.add_column(sa.Column("response_sealed", sa.LargeBinary))
        queries.add_column(sa.Column("decision", sa.Text, nullable=False, server_default="draft"))
    op.execute(sa.text("UPDATE queries SET decision = 'escalate' WHERE escalation_needed"))
    with op.batch_alter_table("queries") as queries:
        queries.alter_column("decision", server_default=None)
    op.create_table(
        "outbox",
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("sink", sa.Text, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("customer_id", sa.Text),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_attempt_at", moment, nullable=False),
        sa.Column("is_dead", sa.Boolean, nullable=False),
        sa.Column("last_error", sa.Text),
        sa.PrimaryKeyConstraint("event_id", "sink", name="pk_outbox"),
    )
    op.create_index("ix_outbox_tenant_dead", "outbox", ["tenant", "is_dead"])
    op.create_table(
        "idempotency",
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("claim", sa.Text, nullable=False),
        sa.Column("lease_until", moment, nullable=False),
        sa.Column("query_id", sa.Text),
        sa.Column("answer_sealed", sa.LargeBinary),
        sa.Column("created_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "subject", "key", name="pk_idempotency"),
    )
    op.create_index("ix_idempotency_tenant_created", "idempotency", ["tenant", "created_at"])
    op.create_table(
        "feedback",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("query_id", sa.Text, nullable=False),
        sa.Column("customer_id", sa.Text),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("intent", sa.Text),
        sa.Column("sentiment", sa.Text),
        sa.Column("priority", sa.Text),
        sa.Column("reply", sa.Text),
        sa.Column("satisfaction", sa.Integer),
        sa.Column("created_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_feedback"),
    )
    op.create_index("ix_feedback_tenant_query", "feedback", ["tenant", "query_id"])
    op.create_index("ix_feedback_tenant_customer_created", "feedback", ["tenant", "customer_id", "created_at"])
    op.create_index("ix_feedback_tenant_created", "feedback", ["tenant", "created_at"])
    op.create_table(
        "erasures",
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("customer_hash", sa.Text, nullable=False),
        sa.Column("erased_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "customer_hash", name="pk_erasures"),
    )
    op.create_index("ix_erasures_tenant_erased", "erasures", ["tenant", "erased_at"])
    op.create_table(
        "audit_log",
        sa.Column("chain", sa.Text, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("previous_hash", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("chain", "sequence", name="pk_audit_log"),
    )
    op.create_index("ix_audit_log_tenant_created", "audit_log", ["tenant", "created_at"])


def downgrade() -> None:
    for table in reversed(_NEW_TABLES):
        op.drop_table(table)
    with op.batch_alter_table("queries") as queries:
        for column in ("decision", "response_sealed", "query_sealed"):
            queries.drop_column(column)
