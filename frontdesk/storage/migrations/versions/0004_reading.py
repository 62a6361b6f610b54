"""Add indexes for pages and analytics. Independent of `tables.py`."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_READ = ["intent", "sentiment", "priority", "decision", "channel", "model_version"]
_SUMMED = ["confidence", "uncertainty_score", "response_time_ms"]


def upgrade() -> None:
    op.drop_index("ix_queries_tenant_created", "queries")
    op.drop_index("ix_queries_tenant_intent", "queries")
    op.create_index(
        "ix_queries_tenant_created", "queries", ["tenant", "created_at", "id"], postgresql_include=[*_READ, *_SUMMED]
    )
    op.create_index("ix_queries_tenant_intent", "queries", ["tenant", "intent", "created_at", "id"])


def downgrade() -> None:
    op.drop_index("ix_queries_tenant_created", "queries")
    op.drop_index("ix_queries_tenant_intent", "queries")
    op.create_index("ix_queries_tenant_created", "queries", ["tenant", "created_at"])
    op.create_index("ix_queries_tenant_intent", "queries", ["tenant", "intent"])
