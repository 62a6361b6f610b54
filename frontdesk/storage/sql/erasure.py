"""Erasure of a customer, a session or a query: removes texts, originals and ids; labels stay for counts.

Only the key of the subject is recorded (`erasure_subjects.py`). Every commit queries the erasures since its requests
began, so rows that arrive later, from a slow request or a spool, are anonymised. Two rules make this exact:

* On PostgreSQL a commit holds a shared lock and an erasure the exclusive one, so neither misses the other. SQLite has
  one writer.
* `erased_at` is by the database's clock. Code that compares it with a time of its host also reads the database's clock,
  so clocks of hosts need not agree.

A customer who writes again after an erasure is a new customer.

SQLite overwrites what is deleted (`PRAGMA secure_delete`). PostgreSQL keeps old versions of a row until vacuum has
removed them, and its write-ahead log and backups keep them as long as their retention lasts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, func, or_, select, update

from frontdesk.storage.erasure_subjects import ErasureSubject, SubjectKind
from frontdesk.storage.events import ErasedQuery
from frontdesk.storage.sql.outbox import delete_customer_events
from frontdesk.storage.sql.upsert import insert_of
from frontdesk.storage.tables import customer_history, erasures, feedback, idempotency, outbox, queries

ERASED_CUSTOMER = ""
"""Customer id of erased rows where the column must not be null. No customer has an empty id."""
ERASURE_LOCK = 0x46524F4E56  # key of an advisory lock that no other program uses
START_SLACK_S = 1.0
"""A commit queries erasures from this long before its oldest request began; the exact times are compared afterwards."""

ERASED_QUERY: Mapping[str, Any] = {
    "customer_id": None,
    "session_id": None,
    "query_text": "",
    "response_text": None,
    "other_parts": None,
    "query_sealed": None,
    "mail_sealed": None,
    "response_sealed": None,
    "answer": "",
    "audit_salt": None,
}
ERASED_HISTORY: Mapping[str, Any] = {"customer_id": ERASED_CUSTOMER}
"""Values that replace personal data; other columns stay."""

Erasures = dict[tuple[str, str], datetime]
"""Time of the erasure by (tenant, key), by the clock of this host unless stated otherwise."""


def lock_for_erasing(connection: Connection) -> None:
    """Take the exclusive lock until the transaction ends: waits for running commits and blocks new ones."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(ERASURE_LOCK)))


def lock_for_writing(connection: Connection) -> None:
    """Take the shared lock until the transaction ends: waits for a running erasure and blocks new ones."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock_shared(ERASURE_LOCK)))


def database_now(connection: Connection) -> datetime:
    """Return the time of the database's clock; on SQLite it is the clock of this host."""
    if connection.dialect.name == "postgresql":
        now: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        return now
    return datetime.now(UTC)


def queries_of(subject: ErasureSubject) -> Select[tuple[str]]:
    """Return a SELECT of the ids of the subject's queries."""
    return select(queries.c.id).where(*_owner_conditions(subject))


def _feedback_of(subject: ErasureSubject) -> Select[tuple[str]]:
    """Return a SELECT of the ids of the feedback on the subject's queries."""
    ids = queries_of(subject)
    return select(feedback.c.id).where(feedback.c.tenant == subject.tenant, feedback.c.query_id.in_(ids))


def _owner_conditions(subject: ErasureSubject) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for the subject's rows of `queries`."""
    column = {
        SubjectKind.CUSTOMER: queries.c.customer_id,
        SubjectKind.SESSION: queries.c.session_id,
        SubjectKind.QUERY: queries.c.id,
    }[subject.kind]
    return (queries.c.tenant == subject.tenant, column == subject.id)


def list_queries(connection: Connection, subject: ErasureSubject) -> list[ErasedQuery]:
    """Return the subject's queries that are not erased yet, with the ids of the feedback on them, for the sinks."""
    ids = queries_of(subject)
    feedback_ids: dict[str, list[str]] = {}
    statement = select(feedback.c.query_id, feedback.c.id).where(
        feedback.c.tenant == subject.tenant, feedback.c.query_id.in_(ids)
    )
    for query_id, feedback_id in connection.execute(statement):
        feedback_ids.setdefault(query_id, []).append(feedback_id)
    not_erased = (*_owner_conditions(subject), queries.c.answer != "")
    rows = connection.execute(select(queries.c.id, queries.c.customer_id).where(*not_erased))
    return [ErasedQuery(row.id, row.customer_id, tuple(feedback_ids.get(row.id, ()))) for row in rows]


def erase_idempotency(connection: Connection, subject: ErasureSubject, key: str) -> int:
    """Delete answers under Idempotency-Keys, also of queries that were not stored; return their number."""
    columns = idempotency.c
    matches: list[ColumnElement[bool]] = [columns.query_id.in_(queries_of(subject))]
    if subject.kind is SubjectKind.CUSTOMER:
        matches.append(columns.customer_hash == key)
    elif subject.kind is SubjectKind.SESSION:
        matches.append(columns.session_hash == key)
    else:
        matches.append(columns.query_id == subject.id)
    return connection.execute(delete(idempotency).where(columns.tenant == subject.tenant, or_(*matches))).rowcount


def erase_outbox(connection: Connection, subject: ErasureSubject, _key: str) -> int:
    """Delete waiting events and dead letters, except erasure events; return their number."""
    matches = or_(outbox.c.event_id.in_(queries_of(subject)), outbox.c.event_id.in_(_feedback_of(subject)))
    removed = connection.execute(delete(outbox).where(outbox.c.tenant == subject.tenant, matches)).rowcount
    if subject.kind is SubjectKind.CUSTOMER:
        removed += delete_customer_events(connection, subject.tenant, subject.id)
    return removed


def erase_feedback(connection: Connection, subject: ErasureSubject, _key: str) -> int:
    """Remove the customer id from feedback; return the number of rows."""
    matches: list[ColumnElement[bool]] = [feedback.c.query_id.in_(queries_of(subject))]
    if subject.kind is SubjectKind.CUSTOMER:
        matches.append(feedback.c.customer_id == subject.id)
    has_customer = feedback.c.customer_id.is_not(None)
    where = (feedback.c.tenant == subject.tenant, or_(*matches), has_customer)
    return connection.execute(update(feedback).where(*where).values(customer_id=None)).rowcount


def erase_history(connection: Connection, subject: ErasureSubject, _key: str) -> int:
    """Remove the customer id from the history; return the number of rows."""
    columns = customer_history.c
    if subject.kind is SubjectKind.CUSTOMER:
        matches: ColumnElement[bool] = columns.customer_id == subject.id
    else:
        in_queries = or_(columns.id.in_(queries_of(subject)), columns.id.in_(_feedback_of(subject)))
        matches = in_queries & (columns.customer_id != ERASED_CUSTOMER)
    return connection.execute(
        update(customer_history).where(columns.tenant == subject.tenant, matches).values(**ERASED_HISTORY)
    ).rowcount


def erase_queries(connection: Connection, subject: ErasureSubject, _key: str) -> int:
    """Empty texts, originals, answers and ids; return the number of rows.

    Run it last: rows of the other tables are matched by `queries`.
    """
    not_erased = queries.c.answer != ""
    return connection.execute(
        update(queries).where(*_owner_conditions(subject), not_erased).values(**ERASED_QUERY)
    ).rowcount


def record_erasure(connection: Connection, tenant: str, key: str, at: datetime) -> None:
    """Record an erasure: rows of requests that began at `at` or before will be anonymised whenever they arrive.

    A later erasure replaces an earlier one. `at` is by the database's clock.
    """
    row = insert_of(connection.dialect.name, erasures).values(tenant=tenant, customer_hash=key, erased_at=at)
    connection.execute(row.on_conflict_do_update(index_elements=["tenant", "customer_hash"], set_={"erased_at": at}))


def is_customer_erased(connection: Connection, tenant: str, customer_hash: str, created_at: datetime) -> bool:
    """Return whether the customer was erased at `created_at` or later. A row of that time must then be anonymised."""
    until = connection.scalar(
        select(erasures.c.erased_at).where(
            erasures.c.tenant == tenant, erasures.c.customer_hash == customer_hash, erasures.c.erased_at >= created_at
        )
    )
    return until is not None


def erasures_since(connection: Connection, tenants: Collection[str], since: datetime) -> Erasures:
    """Return the erasures of these tenants since a time, and up to `START_SLACK_S` before; usually none.

    Times are by this host's clock. Hot path: the driver is used directly, which takes 10 us of CPU on SQLite instead of
    50 with SQLAlchemy. On PostgreSQL one round trip also takes the lock of `lock_for_writing`.
    """
    driver = connection.connection.driver_connection
    assert driver is not None, "the connection is open"
    if connection.dialect.name == "postgresql":
        elapsed_s = (datetime.now(UTC) - since).total_seconds() + START_SLACK_S
        with driver.cursor() as cursor:
            cursor.execute(_SINCE_POSTGRESQL, (ERASURE_LOCK, list(tenants), elapsed_s))
            rows = cursor.fetchall()
        now = datetime.now(UTC)  # read after the database's clock: an erasure never appears earlier than it was
        return {(tenant, key): now - (clock - at) for tenant, key, at, clock in rows}
    placeholders = "?" if len(tenants) == 1 else ",".join("?" * len(tenants))
    rows = driver.execute(_SINCE_SQLITE.format(placeholders), (*tenants, _to_sqlite(since))).fetchall()
    return {(tenant, key): _from_sqlite(at) for tenant, key, at in rows}


_SINCE_SQLITE = "SELECT tenant, customer_hash, erased_at FROM erasures WHERE tenant IN ({}) AND erased_at >= ?"
_SINCE_POSTGRESQL = (
    "SELECT pg_advisory_xact_lock_shared(%s); "
    "SELECT tenant, customer_hash, erased_at, clock_timestamp() FROM erasures "
    "WHERE tenant = ANY(%s) AND erased_at >= now() - %s * interval '1 second'"
)


def erasures_of(connection: Connection, keys: Iterable[tuple[str, str]]) -> Erasures:
    """Return when these (tenant, key) pairs were erased, by this host's clock; omits pairs without an erasure."""
    pairs = set(keys)
    if not pairs:
        return {}
    columns = erasures.c
    statement = select(columns.tenant, columns.customer_hash, columns.erased_at).where(
        columns.tenant.in_({tenant for tenant, _ in pairs}), columns.customer_hash.in_({key for _, key in pairs})
    )
    rows = connection.execute(statement).all()
    if not rows:
        return {}
    clock_offset = database_now(connection) - datetime.now(UTC)
    return {(tenant, key): at - clock_offset for tenant, key, at in rows if (tenant, key) in pairs}


def list_erasures(
    connection: Connection, tenants: Collection[str], since: datetime | None
) -> tuple[Erasures, datetime]:
    """Return the erasures of these tenants since a time, or all, and the current time, by the database's clock."""
    now = database_now(connection)
    statement = select(erasures.c.tenant, erasures.c.customer_hash, erasures.c.erased_at).where(
        erasures.c.tenant.in_(sorted(tenants))
    )
    if since is not None:
        statement = statement.where(erasures.c.erased_at >= since)
    return {(tenant, key): at for tenant, key, at in connection.execute(statement)}, now


def _to_sqlite(moment: datetime) -> str:
    """Return a time as SQLAlchemy stores it in SQLite."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


def _from_sqlite(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
