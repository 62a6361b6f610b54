"""Contacts and ratings of customers: those of one customer before a time, and all in order of time.

Windows and limits are those of `features/customer_history.py`. Nothing is counted here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Integer,
    Select,
    Table,
    bindparam,
    cast,
    func,
    literal,
    select,
    union_all,
)

from frontdesk.features.customer_history import (
    CONTACT_WINDOW,
    MAX_INTERACTIONS,
    RATING_WINDOW,
    AnswerRating,
    CustomerContact,
    CustomerHistory,
    compute_history,
)
from frontdesk.storage.tables import UtcDateTime, feedback, queries

CONTACT, RATING, FIRST = "contact", "rating", "first"
ROWS_PER_FETCH = 1000


def history_as_of(connection: Connection, tenant: str, customer_id: str, at: datetime) -> CustomerHistory:
    """Return a customer's history from rows stored before `at`; without rows, that of a new customer. One statement."""
    parameters = {
        "tenant": tenant,
        "customer_id": customer_id,
        "at": at,
        "contacts_since": at - CONTACT_WINDOW,
        "ratings_since": at - RATING_WINDOW,
    }
    contacts, ratings, first = [], [], None
    for kind, row_id, moment, intent, sentiment, number in connection.execute(_HISTORY, parameters):
        if kind == CONTACT:
            contacts.append(CustomerContact(row_id, moment, intent, sentiment, bool(number)))
        elif kind == RATING:
            ratings.append(AnswerRating(row_id, moment, number))
        else:
            first = moment
    return compute_history(contacts, ratings, first, at)


@dataclass(frozen=True, slots=True)
class StoredContact:
    """A contact, its customer, and the time at which the message was received: no later than it was stored."""

    tenant: str
    customer_id: str
    contact: CustomerContact
    received_at: datetime


@dataclass(frozen=True, slots=True)
class StoredRating:
    """A rating and its customer."""

    tenant: str
    customer_id: str
    rating: AnswerRating


def all_contacts(connection: Connection, tenant_and_customer: tuple[str, str] | None = None) -> Iterator[StoredContact]:
    """Yield every contact, or those of one (tenant, customer), ordered by customer and time. Streams the rows."""
    columns = ("tenant", "customer_id", "id", "created_at", "intent", "sentiment", "escalation_needed")
    contacts = _where_owner(
        select(*(queries.c[name] for name in columns), queries.c.response_time_ms), queries, tenant_and_customer
    )
    ordered = contacts.where(queries.c.customer_id.is_not(None)).order_by(
        queries.c.tenant, queries.c.customer_id, queries.c.created_at, queries.c.id
    )
    for tenant, customer, row_id, at, intent, sentiment, escalated, duration_ms in _stream(connection, ordered):
        contact = CustomerContact(row_id, at, intent, sentiment, escalated)
        yield StoredContact(tenant, customer, contact, at - timedelta(milliseconds=max(duration_ms, 0.0)))


def all_ratings(connection: Connection, tenant_and_customer: tuple[str, str] | None = None) -> Iterator[StoredRating]:
    """Yield every rating of a known customer's query, or those of one customer, ordered by customer and time."""
    columns = ("tenant", "customer_id", "id", "created_at", "satisfaction")
    statement = _where_owner(select(*(feedback.c[name] for name in columns)), feedback, tenant_and_customer).where(
        feedback.c.customer_id.is_not(None), feedback.c.satisfaction.is_not(None)
    )
    ordered = statement.order_by(feedback.c.tenant, feedback.c.customer_id, feedback.c.created_at, feedback.c.id)
    for tenant, customer, *rating in _stream(connection, ordered):
        yield StoredRating(tenant, customer, AnswerRating(*rating))


def _where_owner(statement: Select[Any], table: Table, owner: tuple[str, str] | None) -> Select[Any]:
    """Return the statement restricted to one (tenant, customer)."""
    if owner is None:
        return statement
    tenant, customer_id = owner
    return statement.where(table.c.tenant == tenant, table.c.customer_id == customer_id)


def _stream(connection: Connection, statement: Select[Any]) -> Iterator[Any]:
    return iter(connection.execution_options(yield_per=ROWS_PER_FETCH).execute(statement))


def _select_history_events(
    kind: str, table: Table, at: ColumnElement[Any], row_id: Any, columns: Sequence[Any], number: Any
) -> Select[Any]:
    """Return the SELECT of one kind of event. All kinds have the same columns, so that one statement combines them."""
    return select(
        literal(kind).label("kind"),
        row_id.label("row_id"),
        at.label("at"),
        *(column.label(f"word_{index}") for index, column in enumerate(columns)),
        cast(number, Integer).label("number"),
    ).where(
        table.c.tenant == bindparam("tenant"),
        table.c.customer_id == bindparam("customer_id"),
        table.c.created_at < bindparam("at", type_=UtcDateTime()),
    )


def _newest(statement: Select[Any], table: Table, since: str) -> Select[Any]:
    recent = statement.where(table.c.created_at >= bindparam(since, type_=UtcDateTime()))
    return recent.order_by(table.c.created_at.desc(), table.c.id.desc()).limit(MAX_INTERACTIONS)


def _history_statement() -> CompoundSelect[Any]:
    """Return the statement for contacts, ratings and first contact. One round trip; each part scans an index."""
    empty = literal("")
    labels = (queries.c.intent, queries.c.sentiment)
    contacts = _select_history_events(
        CONTACT, queries, queries.c.created_at, queries.c.id, labels, queries.c.escalation_needed
    )
    ratings = _select_history_events(
        RATING, feedback, feedback.c.created_at, feedback.c.id, (empty, empty), feedback.c.satisfaction
    ).where(feedback.c.satisfaction.is_not(None))
    first = _select_history_events(FIRST, queries, func.min(queries.c.created_at), empty, (empty, empty), literal(0))
    parts = (_newest(contacts, queries, "contacts_since"), _newest(ratings, feedback, "ratings_since"), first)
    return union_all(*(select(part.subquery()) for part in parts))


_HISTORY = _history_statement()
