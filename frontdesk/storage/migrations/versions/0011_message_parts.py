"""Add the parts of a message that are not evaluated (masked), and its fields other than the text (encrypted)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("queries", sa.Column("other_parts", sa.Text))
    op.add_column("queries", sa.Column("mail_sealed", sa.LargeBinary))


def downgrade() -> None:
    op.drop_column("queries", "mail_sealed")
    op.drop_column("queries", "other_parts")
