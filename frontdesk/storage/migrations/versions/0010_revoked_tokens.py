"""Add the table of revoked tokens: single tokens, or all tokens of a subject."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "revoked_tokens",
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("jti", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("issued_before", sa.DateTime(timezone=True)),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "jti", "subject", name="pk_revoked_tokens"),
    )
    op.create_index("ix_revoked_tokens_tenant_expires", "revoked_tokens", ["tenant", "expires_at"])


def downgrade() -> None:
    op.drop_index("ix_revoked_tokens_tenant_expires", "revoked_tokens")
    op.drop_table("revoked_tokens")
