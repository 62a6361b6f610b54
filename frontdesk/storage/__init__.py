"""Storage of answered messages and everything around it.

    writes/   the recorder: group commit, fallback to the spool, Idempotency-Keys
    spool/    records on the local disk while the database is unavailable, and their replay
    outbox/   delivery of events to other systems
    redis/    results of messages, and the events of customers
    reads/    stored messages, and the history of customers
    erasure/  erasure on request, and retention
    sql/      every SQL statement; migrations/ the changes of the tables

These packages share the modules of this folder: tables, rows, events, transactions. None depends on requests, models
or policies.
"""
