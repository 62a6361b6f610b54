"""Erasing a customer, a session or a query: words, sealed originals and names go, labels stay, so counts stay true.

Who was erased is remembered by a key alone (`subjects.py`). Every commit asks for erasures since its requests began, so
rows that arrive later, from a slow request or out of a spool, are made anonymous. Two things make that exact:

* On PostgreSQL a commit holds a shared lock and an erasure the exclusive one, so none of them misses the other. SQLite
  has one writer.
* `erased_at` is by the database's clock. Whoever compares it with a moment of its own host reads the database's clock
  at the same time, so clocks of hosts need not agree.

A customer who writes again afterwards is a new one.

SQLite overwrites what is deleted (`PRAGMA secure_delete`). PostgreSQL keeps old versions of a row until vacuum has
removed them, and its write-ahead log and backups keep them for as long as their own rules say.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, func, or_, select, update

from frontdesk.storage.events import ErasedQuery
from frontdesk.storage.sql.inserting import insert_of
from frontdesk.storage.sql.outbox import forget_customer
from frontdesk.storage.subjects import Subject, SubjectKind
from frontdesk.storage.tables import customer_history, erasures, feedback, idempotency, outbox, queries

NOBODY = ""
"""Stands where a column must name a customer; no customer has an empty name."""
ERASURE_LOCK = 0x46524F4E56  # any number that no other program locks
START_SLACK_S = 1.0
"""A commit looks for erasures from this long before its oldest request began; the exact moment decides afterwards."""

ERASED_QUERY: Mapping[str, Any] = {
    "customer_id": None,
    "session_id": None,
    "query_text": "",
    "response_text": None,
    "query_sealed": None,
    "response_sealed": None,
    "answer": "",
    "audit_salt": None,
}
ERASED_HISTORY: Mapping[str, Any] = {"customer_id": NOBODY}
"""What takes the place of a customer's own; all else is left."""

Erasures = dict[tuple[str, str], datetime]
"""When each key of a tenant was erased, by the clock of this host."""


def lock_for_erasing(connection: Connection) -> None:
    """Wait for commits that are under way, and hold others back until the transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(ERASURE_LOCK)))


def lock_for_writing(connection: Connection) -> None:
    """Wait for an erasure that is under way, and hold others back until the transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock_shared(ERASURE_LOCK)))


def database_now(connection: Connection) -> datetime:
    """The database's clock; SQLite's is that of its only host."""
    if connection.dialect.name == "postgresql":
        now: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        return now
    return datetime.now(UTC)


def queries_of(subject: Subject) -> Select[tuple[str]]:
    """The ids of the subject's queries that are not erased yet."""
    return select(queries.c.id).where(*_owned(subject))


def _owned(subject: Subject) -> tuple[ColumnElement[bool], ...]:
    column = {
        SubjectKind.CUSTOMER: queries.c.customer_id,
        SubjectKind.SESSION: queries.c.session_id,
        SubjectKind.QUERY: queries.c.id,
    }[subject.kind]
    return (queries.c.tenant == subject.tenant, column == subject.id)


def list_queries(connection: Connection, subject: Subject) -> list[ErasedQuery]:
    """The subject's queries with the ids of the feedback on them: what other systems must forget, too."""
    ids = queries_of(subject)
    given: dict[str, list[str]] = {}
    about = select(feedback.c.query_id, feedback.c.id).where(
        feedback.c.tenant == subject.tenant, feedback.c.query_id.in_(ids)
    )
    for query_id, feedback_id in connection.execute(about):
        given.setdefault(query_id, []).append(feedback_id)
    left = (*_owned(subject), queries.c.answer != "")
    rows = connection.execute(select(queries.c.id, queries.c.customer_id).where(*left))
    return [ErasedQuery(row.id, row.customer_id, tuple(given.get(row.id, ()))) for row in rows]


def erase_idempotency(connection: Connection, subject: Subject, key: str) -> int:
    """Delete answers under Idempotency-Keys, of queries that were not stored too; the number of them."""
    there = idempotency.c
    theirs: list[ColumnElement[bool]] = [there.query_id.in_(queries_of(subject))]
    if subject.kind is SubjectKind.CUSTOMER:
        theirs.append(there.customer_hash == key)
    elif subject.kind is SubjectKind.SESSION:
        theirs.append(there.session_hash == key)
    else:
        theirs.append(there.query_id == subject.id)
    return connection.execute(delete(idempotency).where(there.tenant == subject.tenant, or_(*theirs))).rowcount


def erase_outbox(connection: Connection, subject: Subject, _key: str) -> int:
    """Delete events that wait or were given up, but those that tell of an erasure; the number of them."""
    ids = queries_of(subject)
    opinions = select(feedback.c.id).where(feedback.c.tenant == subject.tenant, feedback.c.query_id.in_(ids))
    theirs = or_(outbox.c.event_id.in_(ids), outbox.c.event_id.in_(opinions))
    removed = connection.execute(delete(outbox).where(outbox.c.tenant == subject.tenant, theirs)).rowcount
    if subject.kind is SubjectKind.CUSTOMER:
        removed += forget_customer(connection, subject.tenant, subject.id)
    return removed


def erase_feedback(connection: Connection, subject: Subject, _key: str) -> int:
    """Take the customer out of feedback; the number of rows."""
    theirs: list[ColumnElement[bool]] = [feedback.c.query_id.in_(queries_of(subject))]
    if subject.kind is SubjectKind.CUSTOMER:
        theirs.append(feedback.c.customer_id == subject.id)
    named = feedback.c.customer_id.is_not(None)
    return connection.execute(
        update(feedback).where(feedback.c.tenant == subject.tenant, or_(*theirs), named).values(customer_id=None)
    ).rowcount


def erase_history(connection: Connection, subject: Subject, _key: str) -> int:
    """Take the customer out of the history; the number of rows."""
    there = customer_history.c
    if subject.kind is SubjectKind.CUSTOMER:
        theirs: ColumnElement[bool] = there.customer_id == subject.id
    else:
        ids = queries_of(subject)
        opinions = select(feedback.c.id).where(feedback.c.tenant == subject.tenant, feedback.c.query_id.in_(ids))
        theirs = or_(there.id.in_(ids), there.id.in_(opinions)) & (there.customer_id != NOBODY)
    return connection.execute(
        update(customer_history).where(there.tenant == subject.tenant, theirs).values(**ERASED_HISTORY)
    ).rowcount


def erase_queries(connection: Connection, subject: Subject, _key: str) -> int:
    """Empty texts, originals, answers and names; the number of rows. After all others, which find theirs by it."""
    left = queries.c.answer != ""
    return connection.execute(update(queries).where(*_owned(subject), left).values(**ERASED_QUERY)).rowcount


def remember_erasure(connection: Connection, tenant: str, key: str, at: datetime) -> None:
    """Rows of requests that began at that moment or before are to be made anonymous, whenever they come.

    A later erasure counts; `at` is by the database's clock.
    """
    row = insert_of(connection.dialect.name, erasures).values(tenant=tenant, customer_hash=key, erased_at=at)
    connection.execute(row.on_conflict_do_update(index_elements=["tenant", "customer_hash"], set_={"erased_at": at}))


def is_erased(connection: Connection, tenant: str, customer_hash: str, created_at: datetime) -> bool:
    """Was the customer erased at that moment or later? Then a row of that moment must be kept without them."""
    until = connection.scalar(
        select(erasures.c.erased_at).where(
            erasures.c.tenant == tenant, erasures.c.customer_hash == customer_hash, erasures.c.erased_at >= created_at
        )
    )
    return until is not None


def erasures_since(connection: Connection, tenants: Collection[str], since: datetime) -> Erasures:
    """All erasures of these tenants since a moment by this host's clock, and somewhat before; usually none.

    On the hot path, so it goes to the driver: 10 us of CPU on SQLite, where SQLAlchemy's way takes 50. On PostgreSQL it
    is a single round trip that takes the lock as well.
    """
    driver = connection.connection.driver_connection
    assert driver is not None, "the connection is open"
    if connection.dialect.name == "postgresql":
        elapsed_s = (datetime.now(UTC) - since).total_seconds() + START_SLACK_S
        with driver.cursor() as cursor:
            cursor.execute(_SINCE_POSTGRESQL, (ERASURE_LOCK, list(tenants), elapsed_s))
            found = cursor.fetchall()
        now = datetime.now(UTC)  # read after the database's clock: an erasure never looks earlier than it was
        return {(tenant, key): now - (clock - at) for tenant, key, at, clock in found}
    marks = "?" if len(tenants) == 1 else ",".join("?" * len(tenants))
    rows = driver.execute(_SINCE_SQLITE.format(marks), (*tenants, _written(since))).fetchall()
    return {(tenant, key): _read(at) for tenant, key, at in rows}


_SINCE_SQLITE = "SELECT tenant, customer_hash, erased_at FROM erasures WHERE tenant IN ({}) AND erased_at >= ?"
_SINCE_POSTGRESQL = (
    "SELECT pg_advisory_xact_lock_shared(%s); "
    "SELECT tenant, customer_hash, erased_at, clock_timestamp() FROM erasures "
    "WHERE tenant = ANY(%s) AND erased_at >= now() - %s * interval '1 second'"
)


def erasures_of(connection: Connection, keys: Iterable[tuple[str, str]]) -> Erasures:
    """When these keys (tenant and key) were erased, by this host's clock; those that were not are not in it."""
    wanted = set(keys)
    if not wanted:
        return {}
    there = erasures.c
    statement = select(there.tenant, there.customer_hash, there.erased_at).where(
        there.tenant.in_({tenant for tenant, _ in wanted}), there.customer_hash.in_({key for _, key in wanted})
    )
    rows = connection.execute(statement).all()
    if not rows:
        return {}
    ahead = database_now(connection) - datetime.now(UTC)
    return {(tenant, key): at - ahead for tenant, key, at in rows if (tenant, key) in wanted}


def list_erasures(
    connection: Connection, tenants: Collection[str], since: datetime | None
) -> tuple[Erasures, datetime]:
    """Erasures of these tenants since a moment, or all, and the moment of asking: all by the database's clock."""
    now = database_now(connection)
    statement = select(erasures.c.tenant, erasures.c.customer_hash, erasures.c.erased_at).where(
        erasures.c.tenant.in_(sorted(tenants))
    )
    if since is not None:
        statement = statement.where(erasures.c.erased_at >= since)
    return {(tenant, key): at for tenant, key, at in connection.execute(statement)}, now


def _written(moment: datetime) -> str:
    """As SQLAlchemy writes a moment to SQLite."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


def _read(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=UTC)
