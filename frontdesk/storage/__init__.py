"""Storage of answered messages and everything around it.

    writes/   the recorder: group commit, fallback to the spool, Idempotency-Keys
    spool/    records on the local disk while the database is unavailable, and their replay
    outbox/   delivery of events to other systems
    redis/    cached replies, and the contact history of customers
    reads/    stored messages, and the history of customers
    erasure/  erasure on request, and retention
    sql/      every SQL statement; migrations/ the schema migrations

These packages share the modules of this folder: tables, rows, events, transactions. None depends on requests, models
or policies.
"""
