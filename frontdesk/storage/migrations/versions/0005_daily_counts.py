"""Add counts of past days, and the intent that feedback is about. Independent of `tables.py`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "daily_counts",
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("day", sa.Integer, nullable=False),
        sa.Column("dimension", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("queries", sa.Integer, nullable=False),
        sa.Column("automated", sa.Integer, nullable=False),
        sa.Column("escalated", sa.Integer, nullable=False),
        sa.Column("negative", sa.Integer, nullable=False),
        sa.Column("confidence", sa.Float, nullable=False),
        sa.Column("uncertainty", sa.Float, nullable=False),
        sa.Column("response_time_ms", sa.Float, nullable=False),
        sa.Column("highest_ms", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "day", "dimension", "label", name="pk_daily_counts"),
    )
    op.create_index("ix_daily_counts_tenant_dimension_day", "daily_counts", ["tenant", "dimension", "day"])
    with op.batch_alter_table("feedback") as feedback:
        feedback.add_column(sa.Column("understood_intent", sa.Text))
    understood = "SELECT intent FROM queries WHERE queries.id = feedback.query_id"
    op.execute(sa.text(f"UPDATE feedback SET understood_intent = ({understood})"))  # noqa: S608 - no value of a caller


def downgrade() -> None:
    with op.batch_alter_table("feedback") as feedback:
        feedback.drop_column("understood_intent")
    op.drop_table("daily_counts")
