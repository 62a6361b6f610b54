"""Add columns and tables of erasure and retention: keyed hashes, spool reports and retention runs.

Every new column may be null, so that the previous release can still write to the database.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_PARTIAL = (  # name, table, column after the tenant
    ("ix_queries_tenant_session", "queries", "session_id"),
    ("ix_idempotency_tenant_customer", "idempotency", "customer_hash"),
    ("ix_idempotency_tenant_session", "idempotency", "session_hash"),
    ("ix_idempotency_tenant_query", "idempotency", "query_id"),
)


def upgrade() -> None:
    op.add_column("queries", sa.Column("audit_salt", sa.Text))
    op.add_column("idempotency", sa.Column("customer_hash", sa.Text))
    op.add_column("idempotency", sa.Column("session_hash", sa.Text))
    for name, table, column in _PARTIAL:
        present = sa.text(f"{column} IS NOT NULL")
        op.create_index(name, table, ["tenant", column], postgresql_where=present, sqlite_where=present)
    op.create_table(
        "spools",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("waiting", sa.Integer, nullable=False),
        sa.Column("refused", sa.Integer, nullable=False),
        sa.Column("erased_until", sa.DateTime(timezone=True)),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_spools"),
    )
    op.create_table(
        "retention_runs",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("report", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_retention_runs"),
    )


def downgrade() -> None:
    op.drop_table("retention_runs")
    op.drop_table("spools")
    for name, table, _ in _PARTIAL:
        op.drop_index(name, table)
    with op.batch_alter_table("idempotency") as idempotency:
        idempotency.drop_column("session_hash")
        idempotency.drop_column("customer_hash")
    with op.batch_alter_table("queries") as queries:
        queries.drop_column("audit_salt")
