"""Alembic environment for each command, on the connection from `frontdesk.storage.database.alembic_config`.

It neither opens a database nor configures logging.
"""

from __future__ import annotations

from alembic import context

from frontdesk.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a column by copying the table
)
with context.begin_transaction():
    context.run_migrations()
