"""Create the first tables. Defined here and not in `tables.py`, because a migration never changes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "queries",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("customer_id", sa.Text),
        sa.Column("session_id", sa.Text),
        sa.Column("query_text", sa.Text, nullable=False),
        sa.Column("intent", sa.Text, nullable=False),
        sa.Column("sentiment", sa.Text, nullable=False),
        sa.Column("confidence", sa.Float, nullable=False),
        sa.Column("priority", sa.Text, nullable=False),
        sa.Column("priority_score", sa.Float, nullable=False),
        sa.Column("response_text", sa.Text),
        sa.Column("response_time_ms", sa.Float, nullable=False),
        sa.Column("escalation_needed", sa.Boolean, nullable=False),
        sa.Column("uncertainty_score", sa.Float, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("customer_tier", sa.Text, nullable=False),
        sa.Column("model_version", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_queries"),
    )
    op.create_index("ix_queries_tenant_customer_created", "queries", ["tenant", "customer_id", "created_at"])
    op.create_index("ix_queries_tenant_created", "queries", ["tenant", "created_at"])
    op.create_index("ix_queries_tenant_intent", "queries", ["tenant", "intent"])
    op.create_index("ix_queries_tenant_confidence", "queries", ["tenant", "confidence"])
    op.create_table(
        "customer_history",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("customer_id", sa.Text, nullable=False),
        sa.Column("interaction_type", sa.Text, nullable=False),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("resolution_status", sa.Text, nullable=False),
        sa.Column("satisfaction_score", sa.Float),
        sa.Column("created_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_customer_history"),
    )
    op.create_index(
        "ix_customer_history_tenant_customer_created", "customer_history", ["tenant", "customer_id", "created_at"]
    )
    op.create_table(
        "model_performance",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("model_name", sa.Text, nullable=False),
        sa.Column("model_version", sa.Text, nullable=False),
        sa.Column("metric_name", sa.Text, nullable=False),
        sa.Column("metric_value", sa.Float, nullable=False),
        sa.Column("evaluation_date", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_model_performance"),
    )
    op.create_index(
        "ix_model_performance_tenant_model_metric_date",
        "model_performance",
        ["tenant", "model_name", "metric_name", "evaluation_date"],
    )


def downgrade() -> None:
    op.drop_table("model_performance")
    op.drop_table("customer_history")
    op.drop_table("queries")
