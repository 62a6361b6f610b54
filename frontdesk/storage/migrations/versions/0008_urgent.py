"""Add a small index of urgent queries by time, because support leads view them first.

Without it a page of urgent, escalated and negative queries out of 1,000,000 took PostgreSQL 82 ms.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_INDEX = "ix_queries_tenant_urgent"
_COLUMNS = ["tenant", "created_at", "id", "decision", "sentiment"]


def upgrade() -> None:
    urgent = sa.text("priority = 'urgent'")
    op.create_index(_INDEX, "queries", _COLUMNS, postgresql_where=urgent, sqlite_where=urgent)


def downgrade() -> None:
    op.drop_index(_INDEX, "queries")
