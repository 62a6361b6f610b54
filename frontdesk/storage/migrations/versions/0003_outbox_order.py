"""Add an index for the waiting events of one customer in the outbox, in order."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_outbox_tenant_sink_customer_event", "outbox", ["tenant", "sink", "customer_id", "event_id"])


def downgrade() -> None:
    op.drop_index("ix_outbox_tenant_sink_customer_event", table_name="outbox")
