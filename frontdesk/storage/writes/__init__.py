"""Writing of records: group commit, fallback to the spool, idempotency."""
