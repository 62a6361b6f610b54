"""How records of answered messages are written: group commit, fallback to the spool, idempotency."""
