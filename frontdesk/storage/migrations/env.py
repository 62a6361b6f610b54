"""Run by alembic for each command, on the connection that `frontdesk.storage.database.alembic_config` hands over.

Knows nothing of URLs or logging: it neither opens a database nor changes how the process logs.
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
